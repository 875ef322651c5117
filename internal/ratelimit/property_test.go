// SPDX-License-Identifier: Apache-2.0

package ratelimit_test

import (
	"encoding/binary"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ow-kai/ascend-operator/internal/ratelimit"
)

// exact is the log of all that was let in, the oldest first.
type exact []time.Time

// since counts what was let in at or after a time.
func (e exact) since(at time.Time) int {
	count := 0
	for _, admitted := range e {
		if !admitted.Before(at) {
			count++
		}
	}
	return count
}

var widths = map[string]time.Duration{ratelimit.Minute: time.Minute, ratelimit.Hour: time.Hour, ratelimit.Day: 24 * time.Hour}

// Whatever is asked when, held against the exact log.
func TestGuarantees(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		limits := map[string]int32{
			ratelimit.Minute: rapid.Int32Range(1, 5).Draw(r, "minute"),
			ratelimit.Hour:   rapid.Int32Range(1, 10).Draw(r, "hour"),
			ratelimit.Day:    rapid.Int32Range(1, 20).Draw(r, "day"),
		}
		all := limit(limits[ratelimit.Minute], limits[ratelimit.Hour], limits[ratelimit.Day])
		step := rapid.OneOf(
			rapid.Just(time.Duration(0)),
			rapid.Map(rapid.Int64Range(0, int64(time.Minute)), func(n int64) time.Duration { return time.Duration(n) }),
			rapid.Map(rapid.Int64Range(0, 26*60), func(n int64) time.Duration { return time.Duration(n) * time.Minute }),
		)
		s, now := newSubmitter(), midnight
		var log exact
		for range rapid.IntRange(1, 200).Draw(r, "asks") {
			now = now.Add(step.Draw(r, "step"))
			refusal, ok := s.one(all, now)
			if ok {
				log = append(log, now)
			}
			for period, width := range widths {
				l := int(limits[period])
				if in := log.since(now.Truncate(width)); in > l {
					r.Fatalf("%d in the %s of the clock, limit %d", in, period, l)
				}
				if in := log.since(now.Add(1 - width)); in > 2*l-1 {
					r.Fatalf("%d within a %s, limit %d", in, period, l)
				}
			}
			if ok {
				continue
			}
			width, l := widths[refusal.Period], limits[refusal.Period]
			if in := log.since(now.Truncate(width).Add(-width)); in < int(l) {
				r.Fatalf("refused by the %s with %d of %d in two periods", refusal.Period, in, l)
			}
			if after := refusal.RetryAfter; refusal.Limit != l || after < time.Second || after > width || after%time.Second != 0 {
				r.Fatalf("refusal %+v", refusal)
			}
		}
	})
}

// After RetryAfter one more is let in, unless the period cut it short.
func TestRetryAfterIsKept(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		l := rapid.Int32Range(1, 20).Draw(r, "limit")
		all := limit(l, 2*l, 3*l)
		s, now := newSubmitter(), midnight
		for range rapid.IntRange(1, 100).Draw(r, "asks") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(r, "step")))
			refusal, ok := s.one(all, now)
			if ok {
				continue
			}
			at := now.Add(refusal.RetryAfter)
			switch next, ok := s.one(all, at); {
			case ok:
			case refusal.RetryAfter < widths[refusal.Period]:
				r.Fatalf("after %+v comes %+v", refusal, next)
			case at.Add(next.RetryAfter).Sub(now) > 2*widths[next.Period]:
				r.Fatalf("after %+v comes %+v: more than two periods", refusal, next)
			}
			now = at
		}
	})
}

// Any sequence of calls at any times: no panic, no refusal without a reason, and
// counts that never are below zero.
func FuzzLimiter(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte("\x00........\x01........\x02........\x03........\x04........"))
	f.Fuzz(func(t *testing.T, calls []byte) {
		l := ratelimit.New()
		all := limit(3, 5, 8)
		for len(calls) >= 9 {
			call, n := calls[0], int64(binary.LittleEndian.Uint64(calls[1:9]))
			calls = calls[9:]
			at := time.Unix(n/1_000_000_000, n%1_000_000_000)
			if call&8 != 0 {
				at = midnight.Add(time.Duration(n % int64(48*time.Hour)))
			}
			name := strconv.Itoa(int(call >> 4))
			switch call & 7 {
			case 0, 1, 2:
				refusal, ok := l.Admit(agent, name, all, at)
				if ok != (refusal == ratelimit.Refusal{}) {
					t.Fatalf("let in %t with %+v", ok, refusal)
				}
				if width := widths[refusal.Period]; !ok && (refusal.RetryAfter < time.Second || refusal.RetryAfter > width) {
					t.Fatalf("refusal %+v", refusal)
				}
			case 3:
				l.Observe(agent, name, at)
			case 4:
				l.Seed(agent, l.Submissions(agent, at), at)
			case 5:
				seed := count(at, n, -n)
				counts := l.Submissions(agent, at)
				counts.Hour = seed
				l.Seed(agent, counts, at.Add(time.Duration(n)))
			case 6:
				l.Forget(agent)
			default:
				counts, _ := l.Unwritten(agent, l.Submissions(agent, at), at)
				for _, c := range []int64{counts.Minute.Current, counts.Minute.Previous, counts.Hour.Current, counts.Hour.Previous, counts.Day.Current, counts.Day.Previous} {
					if c < 0 {
						t.Fatalf("counts %+v", counts)
					}
				}
			}
		}
	})
}
