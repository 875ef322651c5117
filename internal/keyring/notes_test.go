// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/ow-kai/ascend-operator/internal/keyring"
)

// voids fails unless each replica says that what was sealed before a moment is void.
func (s *stage) voids(moment time.Time, replicas ...*keyring.Keyring) {
	s.Helper()
	for i, k := range replicas {
		if got := k.VoidBefore(); !got.Equal(moment) {
			s.Errorf("replica %d voids what is before %v, want %v", i, got, moment)
		}
	}
}

func TestVoidIsWrittenAndReachesEveryReplica(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	a, b := s.replica(), s.replica()
	s.voids(time.Time{}, a, b, keyring.New(s.Client, s.Client, s.clock))
	moment := beginning.Add(1234567890 * time.Nanosecond).In(time.FixedZone("", 3600))
	if err := a.Void(t.Context(), moment, "uid/2"); err != nil {
		t.Fatal(err)
	}
	kept := beginning.Add(1234567 * time.Microsecond)
	s.voids(kept, a)
	notes := s.secret().Annotations
	if got := notes["governance.ascendowkai.com/void-before"]; got != "2026-03-01T09:30:01.234567Z" {
		t.Errorf("written as %q", got)
	}
	if notes["governance.ascendowkai.com/webhook-seen"] != "uid/2" || a.Seen() != "uid/2" {
		t.Errorf("the mark is %q", a.Seen())
	}
	s.load(b)
	s.voids(kept, b, s.replica())
	if b.Seen() != "uid/2" {
		t.Error("the other replica does not know the mark")
	}
	if err := b.Ring().CheckSubmission(sealed(t, a)); err != nil {
		t.Errorf("the keys suffered: %v", err)
	}

	// It never moves back, and a mark alone moves nothing.
	if err := b.Void(t.Context(), beginning, "uid/3"); err != nil {
		t.Fatal(err)
	}
	if err := b.Remember(t.Context(), "uid/4"); err != nil {
		t.Fatal(err)
	}
	s.load(a)
	s.voids(kept, a, b)
	if a.Seen() != "uid/4" {
		t.Errorf("the mark is %q", a.Seen())
	}
}

func TestWhatIsVoidStaysVoid(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	a := s.replica()
	moment := beginning.Add(time.Second)
	if err := a.Void(t.Context(), moment, "uid/1"); err != nil {
		t.Fatal(err)
	}
	s.askForRotation()
	s.pass(2*keyring.Delay, a)
	s.voids(moment, a, s.replica())

	s.edit(func(secret *corev1.Secret) { delete(secret.Annotations, keyring.VoidBeforeAnnotation) })
	s.load(a)
	s.voids(moment, a, s.replica())

	if err := s.Delete(t.Context(), s.secret()); err != nil {
		t.Fatal(err)
	}
	s.load(a)
	s.voids(moment, a, s.replica())
	if a.Seen() != "uid/1" {
		t.Errorf("the mark is %q", a.Seen())
	}

	// A person may move it forward.
	s.edit(func(secret *corev1.Secret) {
		secret.Annotations[keyring.VoidBeforeAnnotation] = "2026-03-01T10:35:00+01:00"
	})
	s.load(a)
	s.voids(beginning.Add(5*time.Minute), a, s.replica())
}

// What cannot be read may have said anything up to now.
func TestAnUnreadableTimeVoidsAllBeforeNow(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "now", "2026-13-01T00:00:00Z", "3026-03-01T09:30:00Z"} {
		s := newStage(t)
		a := s.replica()
		s.edit(func(secret *corev1.Secret) {
			secret.Annotations = map[string]string{keyring.VoidBeforeAnnotation: text}
		})
		s.clock.Step(time.Minute)
		s.load(a)
		s.clock.Step(time.Minute)
		b := s.replica()
		s.voids(beginning.Add(time.Minute), a, b)
		if !s.TB.Failed() && s.secret().Annotations[keyring.VoidBeforeAnnotation] != "2026-03-01T09:31:00.000000Z" {
			t.Errorf("%q became %v", text, s.secret().Annotations)
		}
	}
}

func TestVoidBeforeThereIsASecret(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	a := keyring.New(s.Client, s.Client, s.clock)
	if err := a.Void(t.Context(), beginning, "uid/1"); err != nil {
		t.Fatal(err)
	}
	s.voids(beginning, a, s.replica())
	if a.Ring() == nil || a.Seen() != "uid/1" {
		t.Errorf("%v, %q", a.Ring(), a.Seen())
	}
}

// Somebody else's write in between is not lost, and where nothing was written
// nothing is void: the caller tries again.
func TestVoidAndWritesOfOthers(t *testing.T) {
	t.Parallel()
	conflicts := 1
	s := newStage(t)
	s.Client = fake.NewClientBuilder().WithInterceptorFuncs(interceptor.Funcs{
		Update: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.UpdateOption) error {
			if conflicts > 0 {
				conflicts--
				return apierrors.NewConflict(schema.GroupResource{Resource: "secrets"}, object.GetName(), nil)
			}
			return c.Update(ctx, object, options...)
		},
	}).Build()
	a := s.replica()
	if err := a.Void(t.Context(), beginning, "uid/1"); err != nil {
		t.Fatal(err)
	}
	s.voids(beginning, a)
	conflicts = 1000
	if err := a.Void(t.Context(), beginning.Add(time.Second), "uid/2"); err == nil {
		t.Error("nothing was written, and it says nothing")
	}
	s.voids(beginning, a)
	if a.Seen() != "uid/1" {
		t.Errorf("the mark is %q", a.Seen())
	}
}
