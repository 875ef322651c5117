// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"container/heap"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// board is what a queue knows: which lane can send, which sleeps until when, and
// which ends Done has yet to hear of. The queue's lock guards it.
type board struct {
	lanes      map[types.NamespacedName]*lane
	total      int // of deliveries
	turnedAway map[*lane]bool

	proven, unproven ring
	sleeping         sleeping
	ending           waiting
	endings          int // in flight
}

// ring are lanes that can send, each in its turn, and how many of their
// deliveries are in flight, in all and of each namespace.
type ring struct {
	lanes    []*lane
	inFlight int
	busy     map[string]int
	limit    int
}

func newRing(limit int) ring { return ring{busy: map[string]int{}, limit: limit} }

// room says whether a namespace may have one more in flight: as many as are left
// for the others at most. So one alone has half of the places, two of them two
// thirds, and however many there are whose receivers take their time, some places
// are left for those who are quick.
func (r *ring) room(namespace string) bool { return r.busy[namespace] < r.limit-r.inFlight }

func (r *ring) takeOff(namespace string) {
	r.inFlight++
	r.busy[namespace]++
}

func (r *ring) land(namespace string) {
	r.inFlight--
	r.busy[namespace]--
	if r.busy[namespace] == 0 {
		delete(r.busy, namespace)
	}
}

// endFlight is how many ends are told at once, beside those that follow a try.
const endFlight = 16

// overdue is how long after its last try was due a delivery is given up without
// it, while its receiver is taken for dead and others wait to be tried.
const overdue = 10 * time.Minute

func newBoard() board {
	return board{
		lanes: map[types.NamespacedName]*lane{}, turnedAway: map[*lane]bool{},
		proven: newRing(provenFlight), unproven: newRing(unprovenFlight),
	}
}

func (b *board) lane(name types.NamespacedName) *lane {
	l, has := b.lanes[name]
	if !has {
		l = newLane(name)
		b.lanes[name] = l
	}
	return l
}

func (b *board) ringOf(l *lane) *ring {
	if l.proven {
		return &b.proven
	}
	return &b.unproven
}

// settle puts a lane where it belongs, after anything about it changed.
func (b *board) settle(l *lane, now time.Time) {
	at, ready := l.readyAt()
	switch {
	case ready && !at.After(now):
		b.wakeUp(l)
		if !l.queued {
			l.queued = true
			r := b.ringOf(l)
			r.lanes = append(r.lanes, l)
		}
	case ready:
		l.wakeAt = at
		if l.place < 0 {
			heap.Push(&b.sleeping, l)
		} else {
			heap.Fix(&b.sleeping, l.place)
		}
	default:
		b.wakeUp(l)
	}
}

// wakeUp takes a lane out of those that sleep.
func (b *board) wakeUp(l *lane) {
	if l.place >= 0 {
		heap.Remove(&b.sleeping, l.place)
	}
}

// rise queues the lanes whose time has come.
func (b *board) rise(now time.Time) {
	for len(b.sleeping) > 0 && !b.sleeping[0].wakeAt.After(now) {
		l := b.sleeping[0]
		b.wakeUp(l)
		b.settle(l, now)
	}
}

// next takes what is to be sent next by a ring; nil when there is nothing, or
// no place. The lane goes to the end of the ring, as do those before it whose
// namespaces have no room.
func (b *board) next(r *ring, now time.Time) *entry {
	for range len(r.lanes) {
		l := r.lanes[0]
		r.lanes[0] = nil
		r.lanes = r.lanes[1:]
		if !r.room(l.name.Namespace) {
			r.lanes = append(r.lanes, l)
			continue
		}
		l.queued = false
		b.drop(l, now)
		at, ready := l.readyAt()
		if !ready || at.After(now) || b.ringOf(l) != r {
			b.settle(l, now)
			continue
		}
		e := l.pop()
		l.inFlight++
		r.takeOff(l.name.Namespace)
		b.settle(l, now)
		return e
	}
	return nil
}

// drop gives up what is overdue, while the receiver is taken for dead.
func (b *board) drop(l *lane, now time.Time) {
	for l.tripped() && len(l.waiting) > 0 && now.Sub(l.waiting[0].First) > lastTry+overdue {
		b.giveUp(l.pop(), now, fmt.Sprintf("given up after 24 h without a last try, for the receiver failed %d times in a row; last: %s", l.failures, l.lastError))
	}
}

// giveUp ends a delivery that is not in flight. Done hears of it later.
func (b *board) giveUp(e *entry, now time.Time, why string) {
	e.outcome = &Outcome{Result: OutcomeDead, Time: now, Tries: e.tries, Last: e.last, Error: limited(why), Gone: e.lane.gone}
	b.tellLater(e, now)
}

// tellLater lets Done hear of an end at that time.
func (b *board) tellLater(e *entry, at time.Time) {
	e.due = at
	heap.Push(&b.ending, e)
}

// nextEnd takes an end that Done is to hear of now.
func (b *board) nextEnd(now time.Time) *entry {
	if b.endings >= endFlight || len(b.ending) == 0 || b.ending[0].due.After(now) {
		return nil
	}
	b.endings++
	e, _ := heap.Pop(&b.ending).(*entry) // it holds nothing else
	return e
}

// nextDue is when something is due that is not yet; zero when nothing is. What
// is due and has no place gets one when another has landed.
func (b *board) nextDue() time.Time {
	var at time.Time
	if len(b.sleeping) > 0 {
		at = b.sleeping[0].wakeAt
	}
	if len(b.ending) > 0 && b.endings < endFlight && (at.IsZero() || b.ending[0].due.Before(at)) {
		at = b.ending[0].due
	}
	return at
}

// remove takes out a delivery that has ended.
func (b *board) remove(e *entry) {
	delete(e.lane.entries, e.EventID)
	b.total--
	b.tidy(e.lane)
}

// tidy drops a lane that has nothing, and of which nothing is known.
func (b *board) tidy(l *lane) {
	if len(l.entries) == 0 && !l.proven && !l.gone && l.failures == 0 && !b.turnedAway[l] {
		b.wakeUp(l)
		delete(b.lanes, l.name)
	}
}

// sleeping is a heap of lanes by when they can send next.
type sleeping []*lane

func (s sleeping) Len() int           { return len(s) }
func (s sleeping) Less(i, j int) bool { return s[i].wakeAt.Before(s[j].wakeAt) }
func (s sleeping) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].place, s[j].place = i, j
}

// Push implements heap.Interface.
func (s *sleeping) Push(x any) {
	l, _ := x.(*lane) // it holds nothing else
	l.place = len(*s)
	*s = append(*s, l)
}

// Pop implements heap.Interface.
func (s *sleeping) Pop() any {
	old := *s
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*s = old[:len(old)-1]
	l.place = -1
	return l
}
