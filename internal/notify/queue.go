// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

// Poster posts an event to a receiver once. Sender is the one.
type Poster interface {
	Send(ctx context.Context, target Target, event Event) Result
}

// Queue delivers events at least once. It is kept in memory alone: what is
// still to be delivered stands in the objects' status, from where it is added
// again after a start.
//
// Its fields are set before the first call and not changed. Its functions are
// called by many goroutines at once, never with a lock held.
type Queue struct {
	// Sender posts. Required.
	Sender Poster
	// Clock of all waiting; nil is the machine's.
	Clock clock.Clock
	// Random gives numbers from 0 to below 1; nil is math/rand's.
	Random func() float64
	// Resolve gives the receiver with its secrets, anew for each try. ErrObsolete
	// ends the delivery as withdrawn, ErrGone as dead; any other error is a
	// failed try. Required.
	Resolve func(ctx context.Context, subscription types.NamespacedName) (Target, error)
	// Load gives the event, anew for each try. ErrObsolete drops the delivery;
	// after any other error it is tried again soon. Required.
	Load func(ctx context.Context, delivery Delivery) (Event, error)
	// Done hears of the end of a delivery, again and again until it returns nil. Required.
	Done func(ctx context.Context, delivery Delivery, outcome Outcome) error
	// Tried hears of each try at once, what became of it and how long it took; may be nil.
	Tried func(delivery Delivery, result Result, took time.Duration)
	// Drained hears of a subscription some of whose deliveries Add turned away,
	// once there is room for them again: they have to be added again. May be nil.
	Drained func(subscription types.NamespacedName)
	// Limit of deliveries in the queue, for each subscription; 0 is 10,000.
	Limit int
	// TotalLimit of deliveries of all subscriptions; 0 is 50,000. Beyond it each
	// subscription may still have a hundredth of Limit, so that those whose
	// receiver is dead do not keep out the others.
	TotalLimit int
	// Grace is how long Start lets those in flight end; 0 is 10 seconds.
	Grace time.Duration

	once   sync.Once
	wake   chan struct{}
	flight sync.WaitGroup

	mu sync.Mutex // guards all below, and what is in lanes and entries
	board
}

func (q *Queue) init() {
	q.once.Do(func() {
		if q.Clock == nil {
			q.Clock = clock.RealClock{}
		}
		if q.Random == nil {
			q.Random = rand.Float64
		}
		q.Limit, q.TotalLimit, q.Grace = or(q.Limit, 10_000), or(q.TotalLimit, 50_000), or(q.Grace, 10*time.Second)
		q.wake = make(chan struct{}, 1)
		q.board = newBoard()
	})
}

// or is the value, or what stands for none.
func or[T int | time.Duration](value, otherwise T) T {
	if value <= 0 {
		return otherwise
	}
	return value
}

// Add puts a delivery in; one that is in already stays as it is. False: the
// subscription has too many already, and Drained tells when there is room.
func (q *Queue) Add(delivery Delivery) bool {
	q.init()
	now := q.Clock.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lane(delivery.Target)
	if e, has := l.entries[delivery.EventID]; has {
		e.added = true // should Load just now have found it obsolete
		return true
	}
	if len(l.entries) >= q.Limit || (q.total >= q.TotalLimit && len(l.entries) >= q.Limit/100) {
		q.turnedAway[l] = true
		return false
	}
	e := &entry{Delivery: delivery, lane: l, due: now.Add(firstTry(now.Sub(delivery.First), q.Random()))}
	l.entries[delivery.EventID] = e
	q.total++
	if l.gone {
		q.giveUp(e, now, ErrGone.Error())
	} else {
		l.push(e)
	}
	q.settle(l, now)
	q.rouse()
	return true
}

// Wake tries all of a subscription's deliveries now: its spec or its secret
// changed, or it was deleted, as Resolve is to say. Nothing is known of its
// receiver any more.
func (q *Queue) Wake(subscription types.NamespacedName) {
	q.init()
	now := q.Clock.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	l, has := q.lanes[subscription]
	if !has {
		return
	}
	l.epoch++
	l.gone, l.proven, l.failures, l.lastError, l.notBefore = false, false, 0, "", time.Time{}
	l.hurry(now, func(*entry) bool { return true })
	q.settle(l, now)
	q.tidy(l)
	q.rouse()
}

// Len is how many deliveries wait or are in flight.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.total
}

// rouse makes the loop look at the board.
func (q *Queue) rouse() {
	select {
	case q.wake <- struct{}{}:
	default: // it is already told
	}
}

// Start delivers until the context ends. It returns when nothing is in flight
// any more: after Grace what still is gets cut off, and counts as not tried. It
// is called once.
func (q *Queue) Start(ctx context.Context) error {
	q.init()
	working, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	for ctx.Err() == nil {
		q.wait(ctx, q.dispatch(working))
	}
	done := make(chan struct{})
	go func() {
		q.flight.Wait()
		close(done)
	}()
	timer := q.Clock.NewTimer(q.Grace)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C():
		cut()
		<-done
	}
	return nil
}

// wait waits until there is something to do: at that time, or earlier by rouse.
func (q *Queue) wait(ctx context.Context, until time.Time) {
	var due <-chan time.Time
	if !until.IsZero() {
		timer := q.Clock.NewTimer(until.Sub(q.Clock.Now()))
		defer timer.Stop()
		due = timer.C()
	}
	select {
	case <-ctx.Done():
	case <-q.wake:
	case <-due:
	}
}

// dispatch starts all that is due and has a place, and says when the next is due.
func (q *Queue) dispatch(ctx context.Context) time.Time {
	now := q.Clock.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rise(now)
	for _, r := range []*ring{&q.proven, &q.unproven} {
		for e := q.next(r, now); e != nil; e = q.next(r, now) {
			epoch := e.lane.epoch
			e.added = false
			q.flight.Go(func() { q.fly(ctx, e, r, epoch) })
		}
	}
	for e := q.nextEnd(now); e != nil; e = q.nextEnd(now) {
		q.flight.Go(func() { q.conclude(ctx, e) })
	}
	for l := range q.turnedAway {
		if len(l.entries) <= q.Limit/2 && (q.total <= q.TotalLimit/2 || len(l.entries) < q.Limit/100) {
			delete(q.turnedAway, l)
			q.tidy(l)
			if q.Drained != nil {
				q.flight.Go(func() { q.Drained(l.name) })
			}
		}
	}
	return q.nextDue()
}
