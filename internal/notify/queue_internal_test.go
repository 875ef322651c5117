// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// answers are receivers that take a second, and then answer as they are told.
type answers struct{ err error }

// Send implements Poster.
func (a *answers) Send(context.Context, Target, Event) Result {
	time.Sleep(time.Second)
	return Result{Err: a.err, Gone: errors.Is(a.err, ErrGone)}
}

// Of a subscription that was deleted the queue remembers nothing, whether its
// receiver was well or not, and whether something was under way or not.
func TestDeletedSubscriptionsAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hook, gone := types.NamespacedName{Namespace: "shop", Name: "hook"}, false
		receiver := &answers{}
		q := &Queue{
			Sender: receiver,
			Resolve: func(context.Context, types.NamespacedName) (Target, error) {
				if gone {
					return Target{}, ErrObsolete
				}
				return Target{}, nil
			},
			Load: func(context.Context, Delivery) (Event, error) { return Event{}, nil },
			Done: func(context.Context, Delivery, Outcome) error { return nil },
		}
		ctx, stop := context.WithCancel(t.Context())
		go func() { _ = q.Start(ctx) }()
		add := func(event string) { q.Add(Delivery{Target: hook, EventID: event, First: time.Now()}) }
		remembers := func() int {
			synctest.Wait()
			q.mu.Lock()
			defer q.mu.Unlock()
			return len(q.lanes)
		}
		for _, err := range []error{nil, errors.New("refused"), ErrGone} {
			for _, early := range []bool{true, false} {
				receiver.err, gone = err, false
				add("first")
				add("second")
				if !early {
					time.Sleep(time.Minute)
				}
				time.Sleep(time.Second / 2)
				if n := remembers(); n > 1 || (early && n == 0) {
					t.Errorf("%v, early %t: %d lanes", err, early, n)
				}
				gone = true
				q.Wake(hook)
				time.Sleep(2 * time.Minute)
				if n := remembers(); n != 0 || q.Len() != 0 {
					t.Errorf("%v, early %t: %d lanes and %d deliveries after the subscription went", err, early, n, q.Len())
				}
			}
		}
		stop()
		synctest.Wait()
	})
}
