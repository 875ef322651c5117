// SPDX-License-Identifier: Apache-2.0

// Package keyring keeps the keys that the operator seals with, in the Secret
// ascend-seal-keys of ascend-system.
//
// Each entry of the Secret is a key, named by its id. The newest one whose time
// has come seals; all of them verify. Whichever replica comes first creates the
// Secret. A key takes over a minute after it was made, so that every replica
// has read it by then, but for the first key of all.
//
// To rotate now:
//
//	kubectl annotate secret -n ascend-system ascend-seal-keys governance.ascendowkai.com/rotate=now
//
// The operator adds a key and removes the annotation. What was sealed before
// stays valid: an old key goes when no undecided action carries it any more.
//
// To void what a key has sealed, because it leaked: rotate, wait for two
// minutes, and remove the old key's entry from the Secret. When undecided actions
// sealed with it are looked at next, they are denied, and approvals sealed with
// it do not count.
//
// Admission's guard notes here, as annotations, which webhook configuration it
// found in order last, and before which time no verdict counts, see Void.
//
// Deleting the whole Secret voids nothing: a replica that runs writes it anew
// from memory. Whoever can read it can seal what they like; nobody but the
// operator needs to.
package keyring

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/seal"
)

const (
	// SecretName is the Secret in ascend-system that has the keys.
	SecretName = "ascend-seal-keys"
	// RotateAnnotation on the Secret asks for a new key, with any value.
	RotateAnnotation = "governance.ascendowkai.com/rotate"
	// PollInterval is how often each replica reads the Secret.
	PollInterval = 10 * time.Second
	// Delay is the time from the making of a key to its first seal: each replica
	// has six chances to read it.
	Delay = time.Minute
	// MaxAge is how old a key gets before another one is made, where
	// Keyring.MaxAge is zero: 90 days.
	MaxAge = 2160 * time.Hour
	// RetainFor is how long a key at least goes on verifying after another one
	// has taken over, where Keyring.RetainFor is zero.
	RetainFor = 24 * time.Hour

	// firstTries is the time between two tries while there is no key at all.
	firstTries = time.Second
	// reloadEvery is the least time between two reads that Reload makes.
	reloadEvery = time.Second
	// requestTimeout bounds one look at the Secret.
	requestTimeout = 5 * time.Second
	// attempts is how often one look begins anew when another replica was faster.
	attempts = 5
)

// The Secret cannot be named in a create.
//
// +kubebuilder:rbac:groups="",namespace=ascend-system,resources=secrets,verbs=create
// +kubebuilder:rbac:groups="",namespace=ascend-system,resources=secrets,resourceNames=ascend-seal-keys,verbs=get;update

// Keyring has the keys of the Secret in memory and looks after them. Its fields
// are set before it is used. It is a manager.Runnable of every replica.
type Keyring struct {
	// MaxAge of a key before another one is made; the constant when zero.
	MaxAge time.Duration
	// RetainFor is how long at least a key verifies after it was superseded; the
	// constant when zero.
	RetainFor time.Duration
	// InUse returns the ids of the keys that undecided actions are sealed with.
	// No key among them is removed, and none at all while it is nil or fails.
	InUse func(ctx context.Context) (map[string]bool, error)

	live   client.Reader
	writer client.Client
	clock  clock.Clock
	ring   atomic.Pointer[seal.Ring]
	notes  atomic.Pointer[notes] // never nil

	mu      sync.Mutex        // one look at a time
	data    map[string][]byte // the Secret as it was read last
	version string            // of the Secret whose faults were told
	looked  time.Time         // when the last look began
	failed  error             // what came of it
}

// New makes a keyring without keys. live reads from the API server itself;
// writer writes.
func New(live client.Reader, writer client.Client, c clock.Clock) *Keyring {
	k := &Keyring{live: live, writer: writer, clock: c}
	k.notes.Store(&notes{})
	return k
}

// Format shows no key, however the keyring is printed.
func (k *Keyring) Format(state fmt.State, _ rune) { fmt.Fprintf(state, "keyring with %v", k.Ring()) }

// Ring returns the keys; nil before they have been loaded, and while the Secret
// has none that can be used.
func (k *Keyring) Ring() *seal.Ring { return k.ring.Load() }

// NeedLeaderElection is false: every replica seals.
func (k *Keyring) NeedLeaderElection() bool { return false }

// Start reads the Secret every PollInterval until ctx ends.
func (k *Keyring) Start(ctx context.Context) error {
	for {
		if err := k.Load(ctx); err != nil && ctx.Err() == nil {
			log.FromContext(ctx).Error(err, "Cannot look after the seal keys; trying again")
		}
		pause := PollInterval
		if k.Ring() == nil {
			pause = firstTries
		}
		select {
		case <-ctx.Done():
			return nil
		case <-k.clock.After(pause):
		}
	}
}

// Load reads the Secret now, creates it where there is none, and makes, and
// removes, the keys whose time has come. While the API server cannot be reached
// the keys stay as they were. It fails, too, where the Secret has no key that
// can be used; there is no ring then.
func (k *Keyring) Load(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.load(ctx, unchanged)
}

// Reload is Load for whoever meets a seal by a key that is not known. At most
// one a second reads anew; the others get what that one got. A ring can so be a
// second old, which is enough: no key seals within a minute of its making, but
// for the first.
func (k *Keyring) Reload() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.looked.IsZero() && k.clock.Since(k.looked) < reloadEvery {
		return k.failed
	}
	return k.load(context.Background(), unchanged)
}

// edit changes the Secret in the object alone, and says whether it did.
type edit func(*corev1.Secret) bool

func unchanged(*corev1.Secret) bool { return false }

// load looks until no other replica is faster. The edit is written by the same
// write as what is to be done anyway.
func (k *Keyring) load(ctx context.Context, change edit) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	k.looked = k.clock.Now()
	for range attempts {
		k.failed = k.look(ctx, change)
		if !apierrors.IsConflict(k.failed) && !apierrors.IsAlreadyExists(k.failed) && !apierrors.IsNotFound(k.failed) {
			break
		}
	}
	return k.failed
}

// look reads the Secret and does what is to be done. Where another replica was
// faster, it fails and has to begin anew.
func (k *Keyring) look(ctx context.Context, change edit) error {
	now := k.clock.Now()
	secret := &corev1.Secret{}
	err := k.live.Get(ctx, client.ObjectKey{Namespace: v1alpha1.GlobalNamespace, Name: SecretName}, secret)
	if apierrors.IsNotFound(err) {
		return k.create(ctx, change, now)
	}
	if err != nil {
		return fmt.Errorf("read Secret %s: %w", SecretName, err)
	}
	k.adopt(ctx, secret, now)
	due := k.maintain(ctx, secret, now)
	if changed := change(secret); !changed && !due {
		return k.usable()
	}
	if err := k.writer.Update(ctx, secret); err != nil { // of the version that was read only
		return fmt.Errorf("write Secret %s: %w", SecretName, err)
	}
	k.adopt(ctx, secret, now)
	return k.usable()
}

// create writes the Secret: with the keys in memory, where it was deleted while
// the operator ran, for what they have sealed is not void by that; else with
// the first key, which seals at once.
func (k *Keyring) create(ctx context.Context, change edit, now time.Time) error {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.GlobalNamespace, Name: SecretName},
		Type:       corev1.SecretTypeOpaque,
		Data:       maps.Clone(k.data),
	}
	again := k.Ring() != nil
	if !again {
		first := newEntry(nil, now, now)
		secret.Data = map[string][]byte{first.id: first.text()}
	}
	k.notes.Load().write(secret, now)
	change(secret)
	if err := k.writer.Create(ctx, secret); err != nil {
		return fmt.Errorf("create Secret %s: %w", SecretName, err)
	}
	k.adopt(ctx, secret, now)
	if again {
		log.FromContext(ctx).Error(nil, "Somebody deleted the Secret with the seal keys; written anew from memory, so that nothing pending is void",
			"secret", SecretName, "keys", len(secret.Data))
	} else {
		log.FromContext(ctx).Info("Made the first seal key", "secret", SecretName, "key", k.Ring().Active())
	}
	return nil
}

// adopt takes over what the Secret has, and tells once what cannot be read.
func (k *Keyring) adopt(ctx context.Context, secret *corev1.Secret, now time.Time) {
	all, unreadable := readAll(secret.Data)
	if k.version != secret.ResourceVersion {
		for _, id := range unreadable {
			log.FromContext(ctx).Error(errNotAnEntry, "Ignoring a seal key", "secret", SecretName, "key", id)
		}
	}
	k.version, k.data = secret.ResourceVersion, secret.Data
	k.adoptNotes(secret, now)
	k.ring.Store(all.ring(now))
	if len(all) > 0 {
		keyAge.Set(now.Sub(all[all.active(now)].CreatedAt).Seconds())
	}
}

// usable says whether there is a ring.
func (k *Keyring) usable() error {
	if k.Ring() != nil {
		return nil
	}
	return fmt.Errorf("the Secret %s has no key that can be used, so nothing is sealed and nothing is decided; restore it, or, "+
		"to void all that was sealed, remove its entries; each entry: %w", SecretName, errNotAnEntry)
}
