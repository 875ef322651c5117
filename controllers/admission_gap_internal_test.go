// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// watched is a guard with the cluster and the memory it looks at.
type watched struct {
	*AdmissionGuard
	*testing.T
	clock *clocktesting.FakeClock
	live  *unstructured.Unstructured
	err   error // of the API server
	reads int

	forgetful
	voided []time.Time
	lost   error // of the memory
}

func (w *watched) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	w.reads++
	if w.err != nil {
		return w.err
	}
	if w.live == nil {
		return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
	}
	if object, ok := into.(*unstructured.Unstructured); ok {
		w.live.DeepCopyInto(object)
	}
	return nil
}

func (*watched) List(context.Context, client.ObjectList, ...client.ListOption) error {
	return errors.ErrUnsupported
}

func (w *watched) Append(context.Context, ...audit.Record) error { return nil }

func (w *watched) Load(context.Context) error { return w.lost }

func (w *watched) Remember(ctx context.Context, seen string) error {
	return errors.Join(w.lost, w.forgetful.Remember(ctx, seen))
}

func (w *watched) Void(ctx context.Context, before time.Time, seen string) error {
	if w.lost != nil {
		return w.lost
	}
	w.voided = append(w.voided, before)
	return w.forgetful.Void(ctx, before, seen)
}

var gapNoon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{T: t, clock: clocktesting.NewFakeClock(gapNoon)}
	w.AdmissionGuard = NewAdmissionGuard(&unstructured.Unstructured{Object: decodeYAML(t, shippedWebhooks)})
	w.AdmissionGuard.Live, w.Memory, w.AdmissionGuard.Clock, w.Audit = w, w, w.clock, w
	w.put("one", 1, "", "")
	return w
}

// put is the configuration as somebody has left it.
func (w *watched) put(uid types.UID, generation int64, old, changed string) {
	w.Helper()
	w.live = &unstructured.Unstructured{Object: decodeYAML(w.T, strings.Replace(shippedWebhooks, old, changed, 1))}
	w.live.SetUID(uid)
	w.live.SetGeneration(generation)
}

// says looks, for an approval, and wants a gap that is described by some words;
// empty: none.
func (w *watched) says(words string) {
	w.Helper()
	switch got, err := w.Look(w.Context()); {
	case err != nil:
		w.Errorf("cannot tell: %v", err)
	case words == "" && got != "" || !strings.Contains(got, words):
		w.Errorf("says %q, want %q", got, words)
	}
}

// voids wants so many voidings, the last of which is for verdicts before a moment.
func (w *watched) voids(times int, last time.Time) {
	w.Helper()
	if len(w.voided) != times || times > 0 && !w.voided[times-1].Equal(last) {
		w.Errorf("voids %v, want %d, the last before %v", w.voided, times, last)
	}
}

const settling = "no verdict counts that was given before 2026-01-02T12:0"

func TestAGapVoidsWhenItEnds(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	w.says("")
	w.look(t.Context())
	w.live = nil
	w.says("it is missing")
	reads := w.reads
	w.says("it is missing")
	if w.reads != reads {
		t.Error("reads again and again while it knows better")
	}
	w.put("two", 1, "", "")
	w.says("it is missing") // the guard itself finds the end
	w.voids(0, time.Time{})

	w.clock.Step(time.Minute)
	w.look(t.Context())
	w.voids(1, gapNoon.Add(time.Minute+Settle))
	w.says(settling)
	if !strings.Contains(w.Gaps(), settling) {
		t.Errorf("reports %q before it has settled", w.Gaps())
	}
	w.clock.Step(Settle - time.Millisecond)
	w.look(t.Context())
	w.says(settling)
	w.clock.Step(time.Millisecond)
	w.says("")
	w.look(t.Context())
	w.voids(1, gapNoon.Add(time.Minute+Settle))
	if w.Gaps() != "" {
		t.Errorf("reports %q", w.Gaps())
	}
}

func TestWhatIsAGap(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		between func(*watched) // two looks
		voids   bool
	}{
		"nothing":                 {func(*watched) {}, false},
		"another caBundle":        {func(w *watched) { w.put("one", 2, "Y2E=", "Y2I=") }, false},
		"caBundle twice":          {func(w *watched) { w.put("one", 2, "Y2E=", "Y2I="); w.says(""); w.put("one", 3, "Y2E=", "Y2I=") }, false},
		"weakened and back":       {func(w *watched) { w.put("one", 3, "", "") }, true},
		"deleted and created":     {func(w *watched) { w.put("two", 1, "", "") }, true},
		"created with generation": {func(w *watched) { w.put("two", 2, "", "") }, true},
		"restored from a backup":  {func(w *watched) { w.put("one", 0, "", "") }, true},
		"weakened, seen, and mended": {func(w *watched) {
			w.put("one", 2, "failurePolicy: Fail", "failurePolicy: Ignore")
			w.says("failurePolicy is Ignore")
			w.put("one", 3, "", "")
			w.look(w.Context())
		}, true},
		"redirected": {func(w *watched) {
			w.put("one", 2, "path: /mutate", "path: /evil")
			w.says("somebody else is asked")
			w.put("one", 3, "", "")
			w.look(w.Context())
		}, true},
		"not readable for a while": {func(w *watched) {
			w.err = apierrors.NewForbidden(schema.GroupResource{}, "guarded", nil)
			w.says("may not read it")
			w.err = nil
			w.look(w.Context())
		}, false},
		"shut": {func(w *watched) { w.put("one", 2, ", caBundle: Y2E=", "") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWatched(t)
			w.look(t.Context())
			test.between(w)
			if !test.voids {
				w.says("")
				w.voids(0, time.Time{})
				return
			}
			w.says(settling)
			w.voids(1, gapNoon.Add(Settle))
			select {
			case <-w.AdmissionGuard.voided:
			default:
				t.Error("nobody is woken")
			}
			// What happens while it settles counts, too.
			w.clock.Step(time.Second)
			w.put("three", 1, "", "")
			w.look(t.Context())
			w.voids(2, gapNoon.Add(Settle+time.Second))
		})
	}
}

// A process that starts knows from the memory what was found before.
func TestAGapWhileNobodyLooked(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		seen, says string
		voids      int
	}{{"", "", 0}, {"one/1", "", 0}, {"one/0", "", 0}, {"two/1", settling, 1}, {"one/7", settling, 1}, {"nonsense", settling, 1}} {
		w := newWatched(t)
		w.seen = test.seen
		w.says(test.says)
		w.voids(test.voids, gapNoon.Add(Settle))
		if w.seen != "one/1" {
			t.Errorf("%s: remembers %s", test.seen, w.seen)
		}
	}
}

func TestNothingIsApprovedWhileNobodyKnows(t *testing.T) {
	t.Parallel()
	away := errors.New("connection refused")
	w := newWatched(t)
	w.err = away
	if _, err := w.Look(t.Context()); !errors.Is(err, away) {
		t.Errorf("the API server is away: %v", err)
	}
	w.err, w.lost = nil, away
	if _, err := w.Look(t.Context()); !errors.Is(err, away) {
		t.Errorf("the memory cannot be read: %v", err)
	}
	w.lost = nil
	w.says("")

	// A gap stays open until what was given before is void for good.
	w.put("two", 1, "", "")
	w.lost = away
	if _, err := w.Look(t.Context()); !errors.Is(err, away) {
		t.Errorf("the memory cannot be written: %v", err)
	}
	w.says("deleted and created again, unseen (one/1 then, two/1 now)")
	w.look(t.Context())
	w.says("unseen")
	w.lost = nil
	w.look(t.Context())
	w.says(settling)
	w.voids(1, gapNoon.Add(Settle))
}

func TestWithoutAMutatingConfigurationNothingHasGaps(t *testing.T) {
	t.Parallel()
	none := (*AdmissionGuard)(nil)
	policies := NewAdmissionGuard(&unstructured.Unstructured{Object: decodeYAML(t, shippedPolicy)})
	for _, guard := range []*AdmissionGuard{none, policies} {
		if gap, err := guard.Look(t.Context()); gap != "" || err != nil {
			t.Errorf("%q, %v", gap, err)
		}
	}
}

func TestWithoutLast(t *testing.T) {
	t.Parallel()
	at := func(seconds int, approver string) v1alpha1.Approval {
		moment := metav1.NewMicroTime(gapNoon.Add(time.Duration(seconds) * time.Second))
		return v1alpha1.Approval{Approver: approver, Time: &moment}
	}
	given := []v1alpha1.Approval{at(2, "b"), {Approver: "never"}, at(3, "c"), at(1, "a")}
	want := []string{"never", "c", "b", "a", ""}
	for _, gone := range want {
		next := withoutLast(given)
		for _, a := range next {
			if a.Approver == gone {
				t.Errorf("%s is still there", gone)
			}
		}
		if gone != "" && len(next) != len(given)-1 {
			t.Errorf("%d of %d are left", len(next), len(given))
		}
		given = next
	}
}
