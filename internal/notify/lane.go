// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"container/heap"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// entry is a delivery in a queue.
type entry struct {
	Delivery

	due     time.Time
	place   int // in the heap of its lane; -1 while it is in flight
	tries   int
	last    Result
	lastTry time.Time
	outcome *Outcome // the end that Done has yet to hear of
	faults  int      // of Load or Done in a row
	added   bool     // again, since it is in flight
	lane    *lane
}

// lane is what waits for one subscription. A lane is proven while its receiver
// takes what it is sent; one that has yet to show that, or has failed, gets one
// delivery at a time.
type lane struct {
	name     types.NamespacedName
	entries  map[string]*entry // by event, also those in flight
	waiting  waiting
	inFlight int

	proven    bool
	failures  int       // tries in a row that failed
	since     time.Time // of the first of them
	lastError string
	notBefore time.Time
	gone      bool // the receiver answered 410
	epoch     int  // how often it was woken: a try from before says nothing of now

	wakeAt time.Time // when it sleeps
	place  int       // in the heap of sleeping lanes; -1 when it is not there
	queued bool      // in one of the rings of lanes that can send
}

// Deliveries in flight: of one lane, of all that are proven, and of all others.
// Receivers that hang can hold the places of others of their kind alone, and
// those of one namespace half of them; see ring.room.
const (
	laneFlight     = 4
	provenFlight   = 96
	unprovenFlight = 32
)

func newLane(name types.NamespacedName) *lane {
	return &lane{name: name, entries: map[string]*entry{}, place: -1}
}

func (l *lane) tripped() bool { return l.failures >= failuresToTrip }

// flight is how many deliveries may be in flight.
func (l *lane) flight() int {
	if l.proven {
		return laneFlight
	}
	return 1
}

// readyAt is when the lane can send next; false when it has nothing to send, or
// has as much in flight as it may.
func (l *lane) readyAt() (time.Time, bool) {
	if len(l.waiting) == 0 || l.inFlight >= l.flight() {
		return time.Time{}, false
	}
	if due := l.waiting[0].due; due.After(l.notBefore) {
		return due, true
	}
	return l.notBefore, true
}

func (l *lane) push(e *entry) { heap.Push(&l.waiting, e) }

func (l *lane) pop() *entry {
	e, _ := heap.Pop(&l.waiting).(*entry) // it holds nothing else
	return e
}

// hurry makes due what waits.
func (l *lane) hurry(now time.Time, which func(*entry) bool) {
	for _, e := range l.waiting {
		if e.due.After(now) && which(e) {
			e.due = now
		}
	}
	heap.Init(&l.waiting)
}

// succeeded notes that the receiver took a delivery. After a spell in which it
// was taken for dead, those that failed in it need not wait any longer.
func (l *lane) succeeded(now time.Time) {
	if l.tripped() {
		since := l.since
		l.hurry(now, func(e *entry) bool { return e.tries > 0 && !e.lastTry.Before(since) })
	}
	l.proven, l.failures, l.lastError, l.notBefore = true, 0, "", time.Time{}
}

// failed notes that it did not.
func (l *lane) failed(now time.Time, result Result, until time.Time) {
	if l.failures == 0 {
		l.since = now
	}
	l.failures++
	l.lastError = result.Err.Error()
	if l.tripped() {
		l.proven = false
	}
	for _, rest := range []time.Time{now.Add(pause(l.failures)), until} {
		if rest.After(l.notBefore) {
			l.notBefore = rest
		}
	}
}

// waiting is a heap: those first that are due first, then the older event.
type waiting []*entry

func (w waiting) Len() int { return len(w) }

func (w waiting) Less(i, j int) bool {
	a, b := w[i], w[j]
	switch {
	case !a.due.Equal(b.due):
		return a.due.Before(b.due)
	case !a.First.Equal(b.First):
		return a.First.Before(b.First)
	default:
		return a.EventID < b.EventID
	}
}

func (w waiting) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].place, w[j].place = i, j
}

// Push implements heap.Interface.
func (w *waiting) Push(x any) {
	e, _ := x.(*entry) // it holds nothing else
	e.place = len(*w)
	*w = append(*w, e)
}

// Pop implements heap.Interface.
func (w *waiting) Pop() any {
	old := *w
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*w = old[:len(old)-1]
	e.place = -1
	return e
}
