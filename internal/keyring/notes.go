// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

const (
	// VoidBeforeAnnotation on the Secret is a time, RFC 3339 with microseconds:
	// verdicts that were sealed earlier do not count. It only ever moves forward.
	// Somebody who wants all earlier verdicts void can set it, too.
	VoidBeforeAnnotation = "governance.ascendowkai.com/void-before"
	// SeenAnnotation on the Secret is the mark of the webhook configuration that was
	// found in order last, so that a change while no operator runs is noticed.
	SeenAnnotation = "governance.ascendowkai.com/webhook-seen"

	// farthest is how far ahead a time in VoidBeforeAnnotation is believed. One
	// beyond that is a slip of somebody's hand that would void what is yet to come.
	farthest = time.Hour
	// timeLayout is RFC 3339 with microseconds.
	timeLayout = "2006-01-02T15:04:05.000000Z07:00"
)

// notes is what the Secret says beside the keys. It is never changed.
type notes struct {
	voidBefore time.Time
	seen       string
}

// VoidBefore is the time before which no sealed verdict counts; zero where all
// do, and before the Secret has been read.
func (k *Keyring) VoidBefore() time.Time { return k.notes.Load().voidBefore }

// Seen is the mark that Remember or Void were given last, by any replica; empty
// where there is none, and before the Secret has been read.
func (k *Keyring) Seen() string { return k.notes.Load().seen }

// Remember writes a mark for Seen.
func (k *Keyring) Remember(ctx context.Context, seen string) error {
	return k.annotate(ctx, notes{seen: seen})
}

// Void voids the verdicts that were sealed before a moment, and remembers a mark.
// When it returns no error, VoidBefore says so here, for good, and within
// PollInterval at every other replica. A moment before an earlier one changes
// nothing.
func (k *Keyring) Void(ctx context.Context, before time.Time, seen string) error {
	return k.annotate(ctx, notes{voidBefore: before.UTC().Truncate(time.Microsecond), seen: seen})
}

func (k *Keyring) annotate(ctx context.Context, next notes) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.load(ctx, func(secret *corev1.Secret) bool {
		return next.write(secret, k.clock.Now())
	})
}

// write puts notes into the object, and says whether that changes it. No time of
// an object is ever moved back.
func (n notes) write(secret *corev1.Secret, now time.Time) bool {
	before, _ := readVoidBefore(secret, now)
	changed := false
	set := func(name, value string) {
		if secret.Annotations[name] != value {
			metav1.SetMetaDataAnnotation(&secret.ObjectMeta, name, value)
			changed = true
		}
	}
	if n.voidBefore.After(before) {
		set(VoidBeforeAnnotation, n.voidBefore.Format(timeLayout))
	}
	if n.seen != "" {
		set(SeenAnnotation, n.seen)
	}
	return changed
}

// readVoidBefore is the zero time where nothing is void; false where something
// stands there that is no time, or none to believe.
func readVoidBefore(secret *corev1.Secret, now time.Time) (time.Time, bool) {
	text, found := secret.Annotations[VoidBeforeAnnotation]
	if !found {
		return time.Time{}, true
	}
	before, err := time.Parse(time.RFC3339, text) // takes fractions of a second, too
	if err != nil || before.After(now.Add(farthest)) {
		return time.Time{}, false
	}
	return before.UTC(), true
}

// adoptNotes takes over what the Secret says. What this process knows to be void
// stays void, whatever becomes of the annotation.
func (k *Keyring) adoptNotes(secret *corev1.Secret, now time.Time) {
	before, _ := readVoidBefore(secret, now)
	if known := k.VoidBefore(); known.After(before) {
		before = known
	}
	k.notes.Store(&notes{voidBefore: before, seen: secret.Annotations[SeenAnnotation]})
}

// maintainNotes corrects what somebody did to the time, in the object alone, and
// says whether there is something to write. Where it cannot be read, nobody
// knows what was void, so that all is that was sealed before now.
func (k *Keyring) maintainNotes(ctx context.Context, secret *corev1.Secret, now time.Time) bool {
	own := notes{voidBefore: k.VoidBefore()}
	if _, readable := readVoidBefore(secret, now); !readable {
		log.FromContext(ctx).Error(nil, "An annotation does not say since when verdicts count, so those given before now do not; it has to be a time such as "+
			now.UTC().Format(timeLayout)+", an hour ahead at most", "secret", SecretName, "annotation", VoidBeforeAnnotation)
		own.voidBefore = now.UTC().Truncate(time.Microsecond)
	}
	return own.write(secret, now)
}
