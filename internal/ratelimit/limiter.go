// SPDX-License-Identifier: Apache-2.0

// Package ratelimit holds agents to the rateLimit of their spec: values and a
// mutex, without I/O. The time comes in as an argument.
package ratelimit

import (
	"hash/maphash"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// The periods of a limit, as Refusal names them.
const (
	Minute = "minute"
	Hour   = "hour"
	Day    = "day"
)

// periods is the number of limits an agent has.
const periods = 3

var (
	periodNames = [periods]string{Minute, Hour, Day}
	fieldNames  = map[string]string{Minute: "perMinute", Hour: "perHour", Day: "perDay"}
	widths      = [periods]int64{int64(time.Minute), int64(time.Hour), int64(24 * time.Hour)}
)

// Refusal says which limit is reached.
type Refusal struct {
	// Period of the limit: Minute, Hour or Day.
	Period string
	// Limit is the number of submissions in a Period.
	Limit int32
	// RetryAfter is the time until one more would be let in if nothing else were
	// submitted: whole seconds, rounded up, from 1 s to the Period. It is the
	// Period where even that is too early, and where the limit is 0.
	RetryAfter time.Duration
}

// Field is the path of the limit in the Agent, such as spec.rateLimit.perMinute.
func (r Refusal) Field() string { return "spec.rateLimit." + fieldNames[r.Period] }

// Limiter counts the submissions of each agent and says when there are too many.
//
// It is a sliding window counter. For each of minute, hour and day of the clock,
// UTC, it counts the submissions in the current period and in the one before.
// The previous count weighs by the share of that period that a window which
// ends now still covers; a submission is let in where the sum, with it, does not
// exceed the limit. With a limit of L, L ≥ 1, this guarantees, while the clock
// is not changed:
//
//   - at most L are let in within each period of the clock;
//   - at most 2L−1 in any window as long as the period. So many come only when
//     L come in one burst at the end of a period and L−1 more in one at the end
//     of the next;
//   - one more is let in whenever the current and the previous period together
//     have fewer than L. An agent that always asks for more gets L in the first
//     period and at least L−1 in each further one; with L = 1, one in two.
//
// Where the clock is set back, nothing more is let in than before, and what is
// counted leaves within the next two periods, most of it in the first, as it
// would have if it had been submitted evenly over the period before. A clock
// that jumps forward lets periods pass.
//
// An agent takes about 200 bytes, and the hashes of at most 2·NamesKept names.
// A Limiter is safe for concurrent use.
type Limiter struct {
	seed maphash.Seed

	mu     sync.Mutex
	agents map[types.NamespacedName]*state
}

// state is what is known of one agent.
type state struct {
	windows [periods]window
	// last is the latest time known.
	last int64
	// seeded says that windows continue what the agent's status says.
	seeded bool
	names  names
}

// New returns a Limiter that knows no agent.
func New() *Limiter {
	return &Limiter{seed: maphash.MakeSeed(), agents: map[types.NamespacedName]*state{}}
}

// Admit says whether an agent may submit an action now, and counts it if so. A
// nil limit, or a nil field of it, does not limit; 0 refuses all. Of several
// limits that are reached the Refusal names the one that lasts longest, and one
// of 0 before all others. What is refused does not count.
//
// A name that was let in within the last minute, and that no watch has brought
// yet, is let in again without being counted again, for that is a retry.
func (l *Limiter) Admit(agent types.NamespacedName, action string, limit *v1alpha1.RateLimit, now time.Time) (Refusal, bool) {
	name := maphash.String(l.seed, action)
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.agents[agent]
	if s == nil {
		s = l.add(agent)
	}
	at := s.advance(now)
	limits := limitsOf(limit)
	if refusal, ok := closed(limits); !ok {
		return refusal, false
	}
	if seen, known := s.names.find(name); known && !seen {
		return Refusal{}, true
	}
	if refusal, ok := s.admits(limits, at); !ok {
		return refusal, false
	}
	s.count(name, false)
	return Refusal{}, true
}

// Observe counts an action that the watch has brought, once a name, unless
// Admit has counted it. at is when it came, by the clock that Admit's now is of.
// Actions of agents that neither Seed nor Admit has named do not count.
func (l *Limiter) Observe(agent types.NamespacedName, action string, at time.Time) {
	name := maphash.String(l.seed, action)
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.agents[agent]
	if s == nil {
		return
	}
	s.advance(at)
	switch seen, known := s.names.find(name); {
	case !known:
		s.count(name, true)
	case !seen:
		s.names.keep(name, true)
	}
}

// Forget drops what is known of an agent that is gone.
func (l *Limiter) Forget(agent types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.agents, agent)
}

func (l *Limiter) add(agent types.NamespacedName) *state {
	s := &state{}
	l.agents[agent] = s
	return s
}

// advance moves the windows to the periods of a time, which it returns in
// nanoseconds.
func (s *state) advance(now time.Time) int64 {
	at := nanos(now)
	for i := range s.windows {
		s.windows[i].advance(at, s.last, widths[i])
	}
	if at > s.last || at < s.last-clockSlack {
		s.last = at
	}
	s.names.age(at)
	return at
}

func (s *state) count(name uint64, seen bool) {
	for i := range s.windows {
		s.windows[i].current++
	}
	s.names.keep(name, seen)
}

// limitsOf are the limits of minute, hour and day.
func limitsOf(limit *v1alpha1.RateLimit) [periods]*int32 {
	if limit == nil {
		return [periods]*int32{}
	}
	return [periods]*int32{limit.PerMinute, limit.PerHour, limit.PerDay}
}

// closed refuses where a limit lets nothing in, ever.
func closed(limits [periods]*int32) (Refusal, bool) {
	for i, limit := range limits {
		if limit != nil && *limit <= 0 {
			return Refusal{Period: periodNames[i], Limit: *limit, RetryAfter: time.Duration(widths[i])}, false
		}
	}
	return Refusal{}, true
}

// admits refuses where one more would exceed a limit, all of which are at least 1.
func (s *state) admits(limits [periods]*int32, at int64) (Refusal, bool) {
	var longest Refusal
	for i, limit := range limits {
		if limit == nil || s.windows[i].admits(int64(*limit), at, widths[i]) {
			continue
		}
		wait := retryAfter(s.windows[i].wait(int64(*limit), at, widths[i]), widths[i])
		if wait >= longest.RetryAfter {
			longest = Refusal{Period: periodNames[i], Limit: *limit, RetryAfter: wait}
		}
	}
	return longest, longest.RetryAfter == 0
}

func retryAfter(wait, width int64) time.Duration {
	const second = int64(time.Second)
	return time.Duration(min(max((wait+second-1)/second*second, second), width))
}
