// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
	"github.com/ow-kai/ascend-operator/internal/subscriptions"
)

// Targets finds out where the deliveries of a subscription go and by what they
// are signed. It may read no Secret but those that a Role in the subscription's
// namespace gives the operator: a subscription alone makes it read nothing.
type Targets struct {
	// Client reads subscriptions from the cache.
	Client client.Reader
	// Live reads Secrets, which no cache holds.
	Live client.Reader
	// CheckURL says why a subscription of that namespace may not have the URL.
	CheckURL func(url, namespace string) error
	// Clock tells the time.
	Clock clock.PassiveClock

	mu    sync.Mutex
	known map[types.NamespacedName]knownTarget
}

// targetLasts is how long a Secret is not read again, so that a crowd of
// deliveries does not read it each time. It is shorter than the first wait after
// a failed try: a receiver that knows the new secret already takes the second.
const targetLasts = 4 * time.Second

type knownTarget struct {
	target notify.Target
	until  time.Time
}

// targetError is why nothing can be sent to a subscription as it is.
type targetError struct{ reason, message string }

func (e *targetError) Error() string { return e.message }

// Resolve gives the receiver of a subscription. It fails with notify.ErrObsolete
// when there is no such subscription, and with notify.ErrGone when its receiver
// has answered that it is gone.
func (t *Targets) Resolve(ctx context.Context, key types.NamespacedName) (notify.Target, error) {
	var subscription v1alpha1.WebhookSubscription
	if err := t.Client.Get(ctx, key, &subscription); err != nil {
		t.Forget(key)
		if apierrors.IsNotFound(err) {
			return notify.Target{}, notify.ErrObsolete
		}
		return notify.Target{}, fmt.Errorf("read the subscription: %w", err)
	}
	if subscriptions.Gone(&subscription) {
		return notify.Target{}, notify.ErrGone
	}
	now := t.Clock.Now()
	t.mu.Lock()
	known, found := t.known[key]
	t.mu.Unlock()
	if found && now.Before(known.until) && known.target.UID == string(subscription.UID) && known.target.Generation == subscription.Generation {
		return known.target, nil
	}
	target, _, err := t.Look(ctx, &subscription)
	if err != nil {
		t.Forget(key)
		return notify.Target{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil {
		t.known = map[types.NamespacedName]knownTarget{}
	}
	t.known[key] = knownTarget{target, now.Add(targetLasts)}
	return target, nil
}

// Forget drops what is known of a subscription, so that its Secrets are read
// again.
func (t *Targets) Forget(key types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.known, key)
}

// Look reads what a subscription refers to. note says what is remarkable about
// a receiver that can be used. The error is a *targetError where the
// subscription, or what it refers to, has to change.
func (t *Targets) Look(ctx context.Context, s *v1alpha1.WebhookSubscription) (target notify.Target, note string, err error) {
	target = notify.Target{
		Namespace: s.Namespace, Name: s.Name, UID: string(s.UID), Generation: s.Generation,
		URL: s.Spec.URL, Format: s.Spec.Format,
	}
	if s.Spec.CABundle != "" {
		target.Authorities = x509.NewCertPool()
		if !target.Authorities.AppendCertsFromPEM([]byte(s.Spec.CABundle)) {
			return target, "", &targetError{v1alpha1.ReasonCABundleInvalid,
				"spec.caBundle: there is no certificate in it that can be read; write those of the authorities in PEM, one after the other"}
		}
	}
	secrets, err := t.secrets(ctx, s)
	if err != nil {
		return target, "", err
	}
	if err := t.url(&target, s, secrets); err != nil {
		return target, "", err
	}
	if ref := s.Spec.SecretRef; ref != nil {
		if target.Secret, err = signingSecret("spec.secretRef", ref, secrets); err != nil {
			return target, "", err
		}
	}
	if ref := s.Spec.PreviousSecretRef; ref != nil {
		target.PreviousSecret, err = signingSecret("spec.previousSecretRef", ref, secrets)
		if errors.Is(err, errNoSuchKey) { // it was cleaned up; the one that counts is there
			return target, "; " + err.Error() + ": the secret of spec.secretRef signs alone", nil
		}
	}
	return target, "", err
}

func (t *Targets) url(target *notify.Target, s *v1alpha1.WebhookSubscription, secrets map[v1alpha1.ObjectName]*corev1.Secret) error {
	field, reason := "spec.url", v1alpha1.ReasonURLNotAllowed
	if ref := s.Spec.URLFrom; ref != nil {
		raw, err := valueOf("spec.urlFrom", ref, secrets)
		if err != nil {
			return err
		}
		target.URL = strings.TrimSpace(string(raw))
		field = fmt.Sprintf("spec.urlFrom: key %s of Secret %s", ref.Key, ref.Name)
	}
	if err := t.CheckURL(target.URL, s.Namespace); err != nil { // which never repeats it
		return &targetError{reason, fmt.Sprintf("%s: %v", field, err)}
	}
	return nil
}

// secrets reads every Secret that a subscription names, each once; nil for one
// that is not there.
func (t *Targets) secrets(ctx context.Context, s *v1alpha1.WebhookSubscription) (map[v1alpha1.ObjectName]*corev1.Secret, error) {
	found := map[v1alpha1.ObjectName]*corev1.Secret{}
	var closed []v1alpha1.ObjectName
	for _, ref := range []*v1alpha1.SecretKeyReference{s.Spec.URLFrom, s.Spec.SecretRef, s.Spec.PreviousSecretRef} {
		if ref == nil {
			continue
		}
		if _, looked := found[ref.Name]; looked {
			continue
		}
		secret := &corev1.Secret{}
		err := t.Live.Get(ctx, types.NamespacedName{Namespace: s.Namespace, Name: string(ref.Name)}, secret)
		switch {
		case err == nil:
			found[ref.Name] = secret
		case apierrors.IsNotFound(err):
			found[ref.Name] = nil
		case apierrors.IsForbidden(err):
			found[ref.Name] = nil
			closed = append(closed, ref.Name)
		default:
			return nil, fmt.Errorf("read Secret %s: %w", ref.Name, err)
		}
	}
	if len(closed) > 0 {
		return nil, mayNotRead(s.Namespace, closed)
	}
	return found, nil
}

// mayNotRead says which Secrets the operator may not read, and the commands by
// which whoever administers the namespace lets it read these, and no others.
func mayNotRead(namespace string, names []v1alpha1.ObjectName) error {
	slices.Sort(names)
	var text strings.Builder
	_, account, _ := strings.Cut(v1alpha1.OperatorUser, v1alpha1.GlobalNamespace+":")
	for _, name := range names {
		fmt.Fprintf(&text, "\n  kubectl create role ascend-secret-%[1]s -n %[2]s --verb=get --resource=secrets --resource-name=%[1]s"+
			"\n  kubectl create rolebinding ascend-secret-%[1]s -n %[2]s --role=ascend-secret-%[1]s --serviceaccount=%[3]s:%[4]s",
			name, namespace, v1alpha1.GlobalNamespace, account)
	}
	list := make([]string, 0, len(names))
	for _, name := range names {
		list = append(list, string(name))
	}
	return &targetError{v1alpha1.ReasonSecretNotReadable, fmt.Sprintf(
		"the operator may not read Secret %s of namespace %s. Whoever administers the namespace, and may read it too, lets the operator read this and nothing else with:%s",
		strings.Join(list, " and "), namespace, text.String())}
}

var errNoSuchKey = errors.New("there is no such key")

// noSuchKeyError is a targetError that is also errNoSuchKey.
type noSuchKeyError struct{ targetError }

func (e *noSuchKeyError) Is(other error) bool { return other == errNoSuchKey }

func (e *noSuchKeyError) Unwrap() error { return &e.targetError }

func valueOf(field string, ref *v1alpha1.SecretKeyReference, secrets map[v1alpha1.ObjectName]*corev1.Secret) ([]byte, error) {
	secret := secrets[ref.Name]
	if secret == nil {
		return nil, &noSuchKeyError{targetError{v1alpha1.ReasonSecretInvalid, fmt.Sprintf("%s: there is no Secret %s in this namespace", field, ref.Name)}}
	}
	value, has := secret.Data[ref.Key]
	if !has {
		return nil, &noSuchKeyError{targetError{v1alpha1.ReasonSecretInvalid, fmt.Sprintf("%s: Secret %s has no key %s", field, ref.Name, ref.Key)}}
	}
	return value, nil
}

// signingSecret is the value of a key as it stands in the Secret, which can sign.
func signingSecret(field string, ref *v1alpha1.SecretKeyReference, secrets map[v1alpha1.ObjectName]*corev1.Secret) ([]byte, error) {
	raw, err := valueOf(field, ref, secrets)
	if err != nil {
		return nil, err
	}
	if _, err := notify.ParseSecret(raw); err != nil {
		return nil, &targetError{v1alpha1.ReasonSecretInvalid, fmt.Sprintf("%s: key %s of Secret %s: %v", field, ref.Key, ref.Name, err)}
	}
	return raw, nil
}
