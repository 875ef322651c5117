// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
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
	// after any other error it is tried again. Required.
	Load func(ctx context.Context, delivery Delivery) (Event, error)
	// Done hears of the end of a delivery, again and again until it returns nil. Required.
	Done func(ctx context.Context, delivery Delivery, outcome Outcome) error
	// Tried hears of each try at once, what became of it and how long it took; may be nil.
	Tried func(delivery Delivery, result Result, took time.Duration)
	// Drained hears of a subscription some of whose deliveries Add turned away,
	// once there is room for them again: they have to be added again. May be nil.
	Drained func(subscription types.NamespacedName)
	// Limit of deliveries that wait, for each subscription; 0 is 10,000.
	Limit int
	// Grace is how long Start lets those in flight end; 0 is 10 seconds.
	Grace time.Duration
}

// Add puts a delivery in; one that is in already stays as it is. False: the
// subscription has too many already, and Drained tells when there is room.
func (q *Queue) Add(delivery Delivery) bool { return false }

// Start delivers until the context ends, and returns once nothing is in flight.
func (q *Queue) Start(ctx context.Context) error { return nil }

// Wake tries all of a subscription's deliveries now: its spec or its secret changed.
func (q *Queue) Wake(subscription types.NamespacedName) {}

// Forget drops all of a subscription's deliveries: it was deleted.
func (q *Queue) Forget(subscription types.NamespacedName) {}

// Len is how many deliveries wait or are in flight.
func (q *Queue) Len() int { return 0 }
