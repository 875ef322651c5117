// SPDX-License-Identifier: Apache-2.0

package ratelimit_test

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/ratelimit"
)

var (
	agent = types.NamespacedName{Namespace: "shop", Name: "agent"}
	// midnight begins a period of each kind.
	midnight = time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
)

func limit(minute, hour, day int32) *v1alpha1.RateLimit {
	return &v1alpha1.RateLimit{PerMinute: &minute, PerHour: &hour, PerDay: &day}
}

// unlimited stands for a limit that is not reached.
const unlimited = math.MaxInt32

// submitter submits actions of ever new names.
type submitter struct {
	*ratelimit.Limiter
	submitted int
}

func newSubmitter() *submitter { return &submitter{Limiter: ratelimit.New()} }

// one submits one action.
func (s *submitter) one(limit *v1alpha1.RateLimit, at time.Time) (ratelimit.Refusal, bool) {
	s.submitted++
	return s.Admit(agent, fmt.Sprintf("act-%d", s.submitted), limit, at)
}

// burst submits n actions at once and returns how many are let in.
func (s *submitter) burst(n int, limit *v1alpha1.RateLimit, at time.Time) int {
	admitted := 0
	for range n {
		if _, ok := s.one(limit, at); ok {
			admitted++
		}
	}
	return admitted
}

func TestRefusalNamesPeriodLimitAndTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		limit *v1alpha1.RateLimit
		// before are let in, at midnight plus since.
		before int
		since  time.Duration
		at     time.Duration
		want   ratelimit.Refusal
		field  string
	}{
		"the minute": {limit(10, 100, 1000), 10, 0, 12 * time.Second,
			ratelimit.Refusal{Period: ratelimit.Minute, Limit: 10, RetryAfter: 54 * time.Second}, "spec.rateLimit.perMinute"},
		"a part of a second": {limit(7, 100, 1000), 7, 0, 61 * time.Second, // 7 s 571 ms
			ratelimit.Refusal{Period: ratelimit.Minute, Limit: 7, RetryAfter: 8 * time.Second}, "spec.rateLimit.perMinute"},
		"at least a second": {limit(1000, 10000, 10000), 1000, 0, time.Minute,
			ratelimit.Refusal{Period: ratelimit.Minute, Limit: 1000, RetryAfter: time.Second}, "spec.rateLimit.perMinute"},
		"at most the period": {limit(1, 100, 1000), 1, 0, time.Second, // 119 s
			ratelimit.Refusal{Period: ratelimit.Minute, Limit: 1, RetryAfter: time.Minute}, "spec.rateLimit.perMinute"},
		"the hour": {limit(100, 50, 1000), 50, 0, 30 * time.Minute,
			ratelimit.Refusal{Period: ratelimit.Hour, Limit: 50, RetryAfter: 31*time.Minute + 12*time.Second}, "spec.rateLimit.perHour"},
		"the day": {limit(100, 100, 24), 24, 0, 23 * time.Hour,
			ratelimit.Refusal{Period: ratelimit.Day, Limit: 24, RetryAfter: 2 * time.Hour}, "spec.rateLimit.perDay"},
		"the longest of three": {limit(5, 5, 5), 5, 0, 0,
			ratelimit.Refusal{Period: ratelimit.Day, Limit: 5, RetryAfter: 24 * time.Hour}, "spec.rateLimit.perDay"},
		"none at all": {limit(0, 100, 1000), 0, 0, 12 * time.Second,
			ratelimit.Refusal{Period: ratelimit.Minute, Limit: 0, RetryAfter: time.Minute}, "spec.rateLimit.perMinute"},
		"none at all before another that is reached": {limit(0, 0, 0), 0, 0, 0,
			ratelimit.Refusal{Period: ratelimit.Minute, Limit: 0, RetryAfter: time.Minute}, "spec.rateLimit.perMinute"},
		"none a day": {limit(unlimited, unlimited, 0), 0, 0, 0,
			ratelimit.Refusal{Period: ratelimit.Day, Limit: 0, RetryAfter: 24 * time.Hour}, "spec.rateLimit.perDay"},
		"less than none": {limit(-1, 100, 100), 0, 0, 0,
			ratelimit.Refusal{Period: ratelimit.Minute, Limit: -1, RetryAfter: time.Minute}, "spec.rateLimit.perMinute"},
		"a limit that was lowered": {limit(2, unlimited, unlimited), 500, 0, 0,
			ratelimit.Refusal{Period: ratelimit.Minute, Limit: 2, RetryAfter: time.Minute}, "spec.rateLimit.perMinute"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSubmitter()
			if got := s.burst(c.before, nil, midnight.Add(c.since)); got != c.before {
				t.Fatalf("%d of %d let in", got, c.before)
			}
			got, ok := s.one(c.limit, midnight.Add(c.at))
			if ok || got != c.want || got.Field() != c.field {
				t.Errorf("%+v %s, let in %t, want %+v", got, got.Field(), ok, c.want)
			}
		})
	}
}

func TestWithoutALimitAllIsLetInAndCounted(t *testing.T) {
	t.Parallel()
	perHour := int32(1500)
	s := newSubmitter()
	for _, limit := range []*v1alpha1.RateLimit{nil, {}, {PerHour: &perHour}} {
		if got := s.burst(500, limit, midnight); got != 500 {
			t.Errorf("%d of 500 let in", got)
		}
	}
	if got, ok := s.one(&v1alpha1.RateLimit{PerHour: &perHour}, midnight); ok {
		t.Errorf("let in beyond what was counted without a limit: %+v", got)
	}
}

func TestWhatIsRefusedDoesNotCount(t *testing.T) {
	t.Parallel()
	s := newSubmitter()
	if got := s.burst(1000, limit(10, 20, 20), midnight); got != 10 {
		t.Fatalf("%d let in", got)
	}
	if got := s.burst(1000, limit(10, 20, 20), midnight.Add(2*time.Minute)); got != 10 {
		t.Errorf("%d let in two minutes later", got)
	}
	if got := s.Submissions(agent, midnight.Add(2*time.Minute)).Day.Current; got != 20 {
		t.Errorf("%d count", got)
	}
}

// The most that can be had: a burst at the end of a period, and one at the end
// of the next.
func TestTwoBurstsReachTwiceTheLimitLessOneAndNoMore(t *testing.T) {
	t.Parallel()
	for _, l := range []int{1, 2, 3, 100} {
		s := newSubmitter()
		only := limit(int32(l), unlimited, unlimited)
		first := midnight.Add(time.Minute - 1)
		second := first.Add(time.Minute - 1)
		if got := s.burst(1000, only, first); got != l {
			t.Errorf("limit %d: %d let in", l, got)
		}
		if got := s.burst(1000, only, second); got != l-1 {
			t.Errorf("limit %d: %d more let in, want %d", l, got, l-1)
		}
	}
}

func TestOneThatAlwaysAsksGetsTheLimitLessOne(t *testing.T) {
	t.Parallel()
	for _, l := range []int{2, 10, 60} {
		s := newSubmitter()
		only := limit(int32(l), unlimited, unlimited)
		for minute := range 20 {
			admitted := 0
			for tick := range 600 {
				if _, ok := s.one(only, midnight.Add(time.Duration(minute)*time.Minute+time.Duration(tick)*100*time.Millisecond)); ok {
					admitted++
				}
			}
			if admitted > l || admitted < l-1 || (minute == 0 && admitted != l) {
				t.Errorf("limit %d: %d in minute %d", l, admitted, minute)
			}
		}
	}
	s := newSubmitter()
	admitted := 0
	for tick := range 20 * 60 {
		if _, ok := s.one(limit(1, unlimited, unlimited), midnight.Add(time.Duration(tick)*time.Second)); ok {
			admitted++
		}
	}
	if admitted != 10 {
		t.Errorf("limit 1: %d in 20 minutes", admitted)
	}
}

func TestAgentsDoNotShareALimit(t *testing.T) {
	t.Parallel()
	l := ratelimit.New()
	for _, other := range []types.NamespacedName{agent, {Namespace: "shop", Name: "other"}, {Namespace: "other", Name: "agent"}} {
		if _, ok := l.Admit(other, "act", limit(1, 1, 1), midnight); !ok {
			t.Errorf("%s was refused", other)
		}
	}
}

func TestEachNameCountsOnce(t *testing.T) {
	t.Parallel()
	const A, O = "admit", "observe"
	for name, c := range map[string]struct {
		calls []string
		want  int64
	}{
		"the watch brings what was let in here":   {[]string{A, O}, 1},
		"the watch brings it twice":               {[]string{A, O, O}, 1},
		"let in elsewhere":                        {[]string{O}, 1},
		"let in elsewhere, and brought twice":     {[]string{O, O}, 1},
		"a retry before it is stored":             {[]string{A, A, O}, 1},
		"a name used again counts again":          {[]string{A, O, A, O}, 2},
		"a name used again that others let in":    {[]string{O, A, O}, 2},
		"and is a retry again until it is stored": {[]string{A, O, A, A, O}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := ratelimit.New()
			l.Seed(agent, v1alpha1.SubmissionCounts{}, midnight)
			for i, call := range c.calls {
				at := midnight.Add(time.Duration(i) * time.Second)
				if call == O {
					l.Observe(agent, "act", at)
				} else if _, ok := l.Admit(agent, "act", limit(2, 2, 2), at); !ok {
					t.Fatal("refused")
				}
			}
			if got := l.Submissions(agent, midnight.Add(time.Minute-1)).Minute.Current; got != c.want {
				t.Errorf("counted %d, want %d", got, c.want)
			}
		})
	}
}

func TestARetryIsNotRefusedUnlessTheLimitIsNowNone(t *testing.T) {
	t.Parallel()
	l := ratelimit.New()
	for range 3 {
		if _, ok := l.Admit(agent, "act", limit(1, 1, 1), midnight); !ok {
			t.Error("the retry of what was counted is refused")
		}
	}
	if _, ok := l.Admit(agent, "act", limit(1, 0, 1), midnight); ok {
		t.Error("let in under a limit of 0")
	}
	if _, ok := l.Admit(agent, "act", limit(1, 1, 1), midnight.Add(2*ratelimit.Remembered)); ok {
		t.Error("the name is known for good")
	}
}

func TestWhatOthersLetInCounts(t *testing.T) {
	t.Parallel()
	l := ratelimit.New()
	l.Seed(agent, v1alpha1.SubmissionCounts{}, midnight)
	for i := range 10 {
		l.Observe(agent, fmt.Sprintf("theirs-%d", i), midnight)
	}
	if refusal, ok := l.Admit(agent, "ours", limit(10, 100, 100), midnight); ok || refusal.Limit != 10 {
		t.Errorf("let in, %+v", refusal)
	}
}

func TestUnknownAgentsTakeNoMemory(t *testing.T) {
	t.Parallel()
	l := ratelimit.New()
	l.Observe(agent, "act", midnight)
	if got := l.Submissions(agent, midnight); got != (v1alpha1.SubmissionCounts{}) {
		t.Errorf("counted %+v", got)
	}
	l.Admit(agent, "act", nil, midnight)
	l.Forget(agent)
	l.Observe(agent, "act-2", midnight)
	if got, changed := l.Unwritten(agent, v1alpha1.SubmissionCounts{}, midnight); got != (v1alpha1.SubmissionCounts{}) || changed {
		t.Errorf("kept %+v", got)
	}
}

func TestAClockThatChangesNeverOpensTheGate(t *testing.T) {
	t.Parallel()
	const l = 10
	for _, start := range []time.Duration{0, time.Second, 30 * time.Second, time.Minute - 1, 59*time.Minute + 59*time.Second, 24*time.Hour - 1} {
		for _, back := range []time.Duration{1, time.Second, time.Minute - 1, time.Minute, 90 * time.Second, time.Hour, 25 * time.Hour, 400 * 24 * time.Hour, 50 * 365 * 24 * time.Hour} {
			s := newSubmitter()
			at := midnight.Add(start)
			s.burst(l, limit(l, unlimited, unlimited), at)
			at = at.Add(-back)
			if got := s.burst(100, limit(l, unlimited, unlimited), at); got != 0 {
				t.Errorf("%d more let in when the clock went from %s back by %s", got, start, back)
			}
			// Within the minute of slack the clock catches up; then, as after any
			// burst, it takes a period and a tenth.
			if _, ok := s.one(limit(l, unlimited, unlimited), at.Add(time.Minute+66*time.Second)); !ok {
				t.Errorf("still refused two minutes after the clock went from %s back by %s", start, back)
			}
		}
	}
}

func TestOddTimesDoNotPanic(t *testing.T) {
	t.Parallel()
	odd := []time.Time{{}, time.Unix(math.MinInt64, 0), time.Unix(math.MaxInt64, 0), midnight, time.Unix(0, 0), time.Unix(0, math.MaxInt64), time.Unix(-1, 0)}
	s := newSubmitter()
	for _, a := range odd {
		for _, b := range odd {
			s.one(limit(5, 5, 5), a)
			s.Observe(agent, "theirs", b)
			start := metav1.NewTime(a)
			count := v1alpha1.SubmissionCount{Start: &start, Current: math.MaxInt64, Previous: math.MinInt64}
			s.Seed(types.NamespacedName{Name: a.String() + b.String()}, v1alpha1.SubmissionCounts{Minute: count, Hour: count, Day: count}, b)
			s.Unwritten(agent, v1alpha1.SubmissionCounts{Minute: count, Hour: count, Day: count}, b)
		}
	}
}

func TestManyAtOnceGetExactlyTheLimit(t *testing.T) {
	t.Parallel()
	const goroutines, each, l = 16, 500, 1000
	s := ratelimit.New()
	s.Seed(agent, v1alpha1.SubmissionCounts{}, midnight)
	var admitted atomic.Int64
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() {
			for i := range each {
				name := fmt.Sprintf("act-%d-%d", g, i)
				if _, ok := s.Admit(agent, name, limit(l, unlimited, unlimited), midnight.Add(time.Duration(i))); ok {
					admitted.Add(1)
					group.Go(func() { s.Observe(agent, name, midnight.Add(time.Second)) })
				}
				s.Seed(agent, s.Submissions(agent, midnight), midnight)
			}
		})
	}
	group.Wait()
	if got := admitted.Load(); got != l {
		t.Errorf("%d let in", got)
	}
	if got := s.Submissions(agent, midnight.Add(2*time.Second)).Minute.Current; got != l {
		t.Errorf("%d counted", got)
	}
}
