// SPDX-License-Identifier: Apache-2.0

package ratelimit

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// asks lets in what asks, tick by tick: two bits of the pattern say how many ask
// at a tick. It returns how many were let in at each.
func asks(pattern uint32, ticks int, limit, width int64) []int64 {
	var w window
	admitted := make([]int64, ticks)
	for tick := range admitted {
		now := int64(tick)
		w.advance(now, now, width)
		for range pattern >> (2 * tick) & 3 {
			if w.admits(limit, now, width) {
				w.current++
				admitted[tick]++
			}
		}
	}
	return admitted
}

func sum(counts []int64) int64 {
	var total int64
	for _, c := range counts {
		total += c
	}
	return total
}

// Every way to ask in three short periods, held against the exact log.
func TestNoWindowHasMoreThanTwiceTheLimitLessOne(t *testing.T) {
	t.Parallel()
	const width, ticks = 3, 9
	for limit := int64(1); limit <= 3; limit++ {
		var mostInWindow, mostInPeriod int64
		for pattern := range uint32(1) << (2 * ticks) {
			admitted := asks(pattern, ticks, limit, width)
			for begin := 0; begin+width <= ticks; begin++ {
				in := sum(admitted[begin : begin+width])
				mostInWindow = max(mostInWindow, in)
				if begin%width == 0 {
					mostInPeriod = max(mostInPeriod, in)
				}
			}
		}
		if mostInWindow > 2*limit-1 || mostInPeriod != limit {
			t.Errorf("limit %d: %d in a window, %d in a period of the clock", limit, mostInWindow, mostInPeriod)
		}
	}
}

// drawnWindow is any window, however it came about, and a time and a width.
func drawnWindow(r *rapid.T) (w window, now, width int64) {
	width = rapid.SampledFrom(widths[:]).Draw(r, "width")
	w = window{
		start:    rapid.Int64Range(2, 20000).Draw(r, "period") * width,
		current:  rapid.Int64Range(0, 1e8).Draw(r, "current"),
		previous: rapid.Int64Range(0, 1e8).Draw(r, "previous"),
	}
	return w, w.start + rapid.Int64Range(0, width-1).Draw(r, "phase"), width
}

func TestWeightNeverRisesByTimeAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		w, now, width := drawnWindow(r)
		before := w.weight(now, width)
		later := now + rapid.Int64Range(0, 3*width).Draw(r, "passed")
		w.advance(later, now, width)
		if after := w.weight(later, width); after > before {
			r.Fatalf("%d, and %d later", before, after)
		}
		if later-now >= 2*width && !w.empty() {
			r.Fatalf("two periods on it still has %+v", w)
		}
	})
}

func TestWaitIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		w, now, width := drawnWindow(r)
		limit := rapid.Int64Range(1, 2e8).Draw(r, "limit")
		if w.admits(limit, now, width) {
			return
		}
		wait := w.wait(limit, now, width)
		if wait <= 0 || wait > 2*width {
			r.Fatalf("wait %d", wait)
		}
		early, in := w, w
		early.advance(now+wait-1, now, width)
		in.advance(now+wait, now, width)
		if early.admits(limit, now+wait-1, width) || !in.admits(limit, now+wait, width) {
			r.Fatalf("%+v: %d is not when the limit of %d first lets one in", w, wait, limit)
		}
	})
}

func TestClockSetBackWeighsNoLessAndIsNoLongerThanAPeriod(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		w, last, width := drawnWindow(r)
		before := w.weight(last, width)
		now := max(last-rapid.Int64Range(0, 3*width).Draw(r, "back"), 0)
		start := w.start
		w.advance(now, last, width)
		if after := w.weight(now, width); after < before {
			r.Fatalf("%d, and set back %d", before, after)
		}
		rebased := w.start < start
		// A limit of 2 or more that was just reached opens within a period.
		if before < 2 || !rebased || w.weight(now, width) > before+1 {
			return
		}
		w.advance(now+width, now, width)
		if !w.admits(before, now+width, width) {
			r.Fatalf("after a period: %+v, %d of %d", w, w.weight(now+width, width), before)
		}
	})
}

func TestNanosStayWithinBounds(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{{}, time.Unix(math.MinInt64, 0), time.Unix(math.MaxInt64, 0), time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if got := nanos(at); got < 0 || got > latest {
			t.Errorf("%s: %d", at, got)
		}
	}
	if at := time.Date(2026, 5, 1, 12, 0, 0, 7, time.UTC); nanos(at) != at.UnixNano() {
		t.Error("an ordinary time is exact")
	}
}

func TestNamesAreBoundedAndForgotten(t *testing.T) {
	t.Parallel()
	var n names
	now := int64(time.Hour)
	n.age(now)
	for name := range uint64(10 * NamesKept) {
		n.keep(name, false)
		if kept := len(n.young) + len(n.old); kept > 2*NamesKept {
			t.Fatalf("%d names are kept", kept)
		}
		if first := name - min(name, NamesKept-1); !known(&n, first) {
			t.Fatalf("name %d is forgotten after %d others", first, name-first)
		}
	}
	last := uint64(10*NamesKept - 1)
	n.age(now + int64(Remembered) - 1)
	n.keep(last+1, true)
	n.age(now + 2*int64(Remembered) - 1)
	if known(&n, last) || !known(&n, last+1) {
		t.Error("each is known for a minute, and the first has had two")
	}
	n.age(now - int64(time.Hour)) // and on
	n.age(now + int64(time.Hour))
	if len(n.young)+len(n.old) != 0 {
		t.Errorf("%d names are left", len(n.young)+len(n.old))
	}
}

func known(n *names, name uint64) bool {
	_, known := n.find(name)
	return known
}
