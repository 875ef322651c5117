// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Without jitter the tries are at the documented ages.
func TestScheduleIsTheDocumentedOne(t *testing.T) {
	t.Parallel()
	want := []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 16 * time.Hour, 24 * time.Hour}
	var got []time.Duration
	for age, more := nextTry(0, 0.5); more; age, more = nextTry(age, 0.5) {
		got = append(got, age.Round(time.Millisecond))
	}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("try %d at %v, want %v", i+1, got[i], want[i])
		}
	}
}

// Whatever the jitter, and however often the operator starts anew between: each
// try is later than the one before and within a fifth of its step, the last is
// at 24 h, and no step has two.
func TestScheduleHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		random := rapid.Float64Range(0, 0.999999)
		var age time.Duration
		for try := 1; ; try++ {
			next, more := nextTry(age, random.Draw(t, "random"))
			if !more {
				if age < lastTry || try != len(steps) {
					t.Fatalf("given up at %v after %d tries", age, try)
				}
				return
			}
			step := steps[try]
			if next <= age || next > lastTry || next < time.Duration(0.8*float64(step)) || next > time.Duration(1.2*float64(step)) {
				t.Fatalf("try %d at %v after %v, step %v", try, next, age, step)
			}
			age = next
		}
	})
	// From any age, as after a start.
	rapid.Check(t, func(t *rapid.T) {
		age := time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "age"))
		next, more := nextTry(age, rapid.Float64Range(0, 0.999999).Draw(t, "random"))
		if more != (age < lastTry) || (more && (next <= age || next > lastTry)) {
			t.Fatalf("at %v: %v, %v", age, next, more)
		}
		wait := firstTry(age, rapid.Float64Range(0, 0.999999).Draw(t, "spread"))
		if wait < 0 || wait > startSpread || (age < freshness && wait != 0) {
			t.Fatalf("first try of %v after %v", age, wait)
		}
	})
}

func TestPauses(t *testing.T) {
	t.Parallel()
	want := []time.Duration{0, 0, 0, 5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute}
	for failures, wait := range want {
		if got := pause(failures); got != wait {
			t.Errorf("after %d failures %v, want %v", failures, got, wait)
		}
	}
	if pause(1<<40) != time.Minute || backoff(1<<40) != time.Minute || backoff(1) != time.Second {
		t.Errorf("pauses %v, %v, %v", pause(1<<40), backoff(1<<40), backoff(1))
	}
}
