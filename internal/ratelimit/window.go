// SPDX-License-Identifier: Apache-2.0

package ratelimit

import (
	"math"
	"math/bits"
	"time"
)

const (
	// clockSlack is how far behind a period's start the time may lie without the
	// clock counting as changed: calls overtake each other, and the clocks of
	// replicas differ. A minute is the shortest period.
	clockSlack = int64(time.Minute)
	// latest time there is, far enough from overflow to add periods to it.
	latest = math.MaxInt64 - 1<<50
	// mostCounted keeps what a status might claim from overflowing.
	mostCounted = 1 << 53
)

// nanos is a time in nanoseconds since 1970, UTC, held within what can be
// reckoned with.
func nanos(t time.Time) int64 {
	switch seconds := t.Unix(); {
	case seconds < 0:
		return 0
	case seconds >= latest/int64(time.Second):
		return latest
	default:
		return t.UnixNano()
	}
}

// window counts submissions in the period of the clock that begins at start,
// and in the one before. Times and widths are nanoseconds; start is a multiple
// of the width.
type window struct {
	start, current, previous int64
}

func (w *window) empty() bool { return w.current == 0 && w.previous == 0 }

// weight is how many submissions the window holds at a time, rounded up: those
// of the current period, and the share of the previous one that would still be
// within the width if they had come evenly. Without submissions it never rises
// as time goes on. Before start it is what it is at start.
func (w *window) weight(now, width int64) int64 {
	left := min(max(w.start+width-now, 0), width)
	return w.current + mulDivUp(w.previous, left, width)
}

// advance moves the window to the period of now. Where now lies before start by
// more than clockSlack, the clock was set back, and what the window held at
// last, the latest time known, is taken as submitted evenly over the width
// before now: it weighs no less than before, and leaves as time goes on.
func (w *window) advance(now, last, width int64) {
	start := now - now%width
	switch {
	case start == w.start:
	case w.empty():
		w.start = start
	case start == w.start+width:
		*w = window{start: start, previous: w.current}
	case start > w.start:
		*w = window{start: start}
	case now < w.start-clockSlack:
		held := w.weight(max(last, w.start), width)
		*w = window{start: start, current: mulDivUp(held, now-start, width), previous: held}
	}
}

// admits says whether one more stays within the limit.
func (w *window) admits(limit, now, width int64) bool {
	return w.weight(now, width) < limit
}

// wait is the time from now until admits, if nothing else is submitted. It is
// for a limit of at least 1 that does not admit now.
func (w *window) wait(limit, now, width int64) int64 {
	if spare := limit - 1 - w.current; spare >= 0 {
		return w.start + width - mulDiv(spare, width, w.previous) - now
	}
	return w.start + 2*width - mulDiv(limit-1, width, w.current) - now
}

// mulDivUp is a*b/c, rounded up, as mulDiv is rounded down.
func mulDivUp(a, b, c int64) int64 {
	quotient, rest := mulDivRest(a, b, c)
	if rest > 0 {
		quotient++
	}
	return quotient
}

// mulDiv is a*b/c, rounded down, where none is below zero, and a or b is at most c.
func mulDiv(a, b, c int64) int64 {
	quotient, _ := mulDivRest(a, b, c)
	return quotient
}

func mulDivRest(a, b, c int64) (quotient, rest int64) {
	high, low := bits.Mul64(uint64(a), uint64(b)) //nolint:gosec // G115: neither is below zero
	q, r := bits.Div64(high, low, uint64(c))      //nolint:gosec // G115: nor is this
	return int64(q), int64(r)                     //nolint:gosec // G115: at most the greater factor, and less than c
}
