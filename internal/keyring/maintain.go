// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"cmp"
	"context"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// maintain adds the key that is due or asked for, removes those that are no
// longer needed and corrects the notes, in the object alone. It says whether
// there is something to write. A key that cannot be read stays as it is: a person
// has to look at it.
func (k *Keyring) maintain(ctx context.Context, secret *corev1.Secret, now time.Time) bool {
	all, _ := readAll(secret.Data)
	secret.Data = maps.Clone(secret.Data) // what was adopted stays as it was read
	_, asked := secret.Annotations[RotateAnnotation]
	added := k.add(ctx, secret, all, asked, now)
	removed := k.removeOld(ctx, secret, all, now)
	delete(secret.Annotations, RotateAnnotation)
	corrected := k.maintainNotes(ctx, secret, now)
	return asked || added || removed || corrected
}

// add makes a key: the first at once, another where the newest is too old, or
// where one is asked for. While one waits for its time there is no other, so
// that whoever asks again and again gets one a minute at most.
func (k *Keyring) add(ctx context.Context, secret *corev1.Secret, all entries, asked bool, now time.Time) bool {
	from := now
	switch {
	case len(all) == 0 && !asked && len(secret.Data) > 0:
		return false // unreadable entries: what they have sealed is not given up without being told to
	case len(all) > 0:
		newest := all[len(all)-1]
		old := now.Sub(newest.CreatedAt) > cmp.Or(k.MaxAge, MaxAge)
		if newest.ActiveFrom.After(now) || !asked && !old {
			return false
		}
		from = now.Add(Delay)
	}
	next := newEntry(secret.Data, now, from)
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	secret.Data[next.id] = next.text()
	log.FromContext(ctx).Info("Adding a seal key", "secret", SecretName, "key", next.id, "activeFrom", next.ActiveFrom, "asked", asked)
	return true
}

// removeOld removes keys that another one has superseded for RetainFor and no
// undecided action is sealed with.
func (k *Keyring) removeOld(ctx context.Context, secret *corev1.Secret, all entries, now time.Time) bool {
	var old []string
	for i := range all.active(now) {
		if now.Sub(all[i+1].ActiveFrom) >= cmp.Or(k.RetainFor, RetainFor) {
			old = append(old, all[i].id)
		}
	}
	if len(old) == 0 || k.InUse == nil {
		return false
	}
	inUse, err := k.InUse(ctx)
	if err != nil {
		log.FromContext(ctx).Error(err, "Cannot tell which seal keys are in use; keeping all")
		return false
	}
	removed := false
	for _, id := range old {
		if inUse[id] {
			continue
		}
		delete(secret.Data, id)
		removed = true
		log.FromContext(ctx).Info("Removing a seal key that nothing undecided is sealed with", "secret", SecretName, "key", id)
	}
	return removed
}
