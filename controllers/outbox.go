// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/ow-kai/ascend-operator/internal/notify"
	"github.com/ow-kai/ascend-operator/internal/subscriptions"
)

// Outbox sees to it that subscriptions hear of what has happened, at least once.
// What is to be told is part of the status write that makes it happen, so that
// neither can be without the other; a queue delivers it; and what is delivered is
// taken out of status again. What a leader leaves behind the next one finds there.
//
// Who writes: while an action is undecided its reconciler alone writes status,
// this too. A second writer would make its writes come too late, and each of
// those a record of a decision that has not come true. So what is acknowledged
// then is remembered, and goes with the reconciler's next write, for which it is
// woken. Of a decided action nobody else but the kill switch writes status, and
// it can wait: those are read anew and written here.
//
// It is a manager.Runnable of the leader. Its methods may be called on nil, which
// tells nobody anything.
type Outbox struct {
	// Client writes.
	Client client.Client
	// Live reads decided actions, which the cache does not hold.
	Live client.Reader
	// Subscriptions say who wants to hear of what.
	Subscriptions *subscriptions.Feed
	// Targets know where deliveries go.
	Targets *Targets
	// Queue delivers.
	Queue *notify.Queue
	// Statistics are told what became of deliveries.
	Statistics *SubscriptionStatistics
	// Clock tells the time.
	Clock clock.PassiveClock
	// SecondLook is how long after its start the outbox is read once more;
	// secondLook when zero.
	SecondLook time.Duration

	once         sync.Once
	acknowledged *acknowledged
	// again is written to when deliveries were turned away, and there is room.
	again chan struct{}
	// settling are the actions about which something is to be written.
	settling workqueue.TypedRateLimitingInterface[types.NamespacedName]

	mu         sync.Mutex
	reconciler workqueue.TypedRateLimitingInterface[ctrl.Request] // of undecided actions
}

const (
	// settlers is how many actions are written to at once.
	settlers = 8
	// handedOver is how long an undecided action has to write what was
	// acknowledged before it is looked at again. It may have been decided, and
	// have left the reconciler, in the same moment.
	handedOver = time.Second
	// secondLook is when the last write of a leader before has landed. One that
	// was on its way, or was stopped and goes on, may land after the outbox was
	// read; and of an action that it decides nobody here hears any more.
	secondLook = time.Minute
	// outboxPage bounds how many actions are in memory at once when the outbox
	// is read; see collectPage.
	outboxPage = collectPage
)

// NeedLeaderElection is true: one replica delivers.
func (o *Outbox) NeedLeaderElection() bool { return true }

func (o *Outbox) init() {
	o.once.Do(func() {
		o.acknowledged = newAcknowledged()
		o.again = make(chan struct{}, 1)
		o.settling = workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[types.NamespacedName](firstRetry, lastRetry))
	})
}

// Start delivers until ctx ends.
func (o *Outbox) Start(ctx context.Context) error {
	o.init()
	if err := o.Subscriptions.WaitForSync(ctx); err != nil {
		return nil //nolint:nilerr // it was told to stop before it began
	}
	var running sync.WaitGroup
	for range settlers {
		running.Go(func() {
			for o.settleNext(ctx) {
			}
		})
	}
	running.Go(func() { o.inherit(ctx) })
	running.Go(func() { o.readAgain(ctx) })
	err := o.Queue.Start(ctx)
	<-ctx.Done()
	o.settling.ShutDown()
	running.Wait()
	return err
}

// source wakes the reconciler of undecided actions for what it has to write, and
// holds its workers until it is known who wants to hear of decisions.
func (o *Outbox) source() source.Source { return &outboxSource{o} }

type outboxSource struct{ outbox *Outbox }

var _ source.SyncingSource = (*outboxSource)(nil)

// Start implements source.Source.
func (s *outboxSource) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[ctrl.Request]) error {
	if s.outbox == nil {
		return nil
	}
	s.outbox.mu.Lock()
	defer s.outbox.mu.Unlock()
	s.outbox.reconciler = queue
	return nil
}

// WaitForSync implements source.SyncingSource.
func (s *outboxSource) WaitForSync(ctx context.Context) error {
	if s.outbox == nil {
		return nil
	}
	return s.outbox.Subscriptions.WaitForSync(ctx)
}

// enlist completes a change of an undecided action by what there is to tell of
// it, and takes out what subscriptions have heard.
func (o *Outbox) enlist(change transition, now time.Time) {
	if o == nil {
		return
	}
	o.init()
	action, after := change.action, change.after
	entries, givenUp := without(change.before.Notifications, o.acknowledged.look(client.ObjectKeyFromObject(action), action.UID))
	for _, what := range change.news() {
		to := o.Subscriptions.Matching(action.Namespace, string(action.Spec.AgentRef.Name), what.event)
		if len(to) > 0 {
			entries = append(slices.Clip(entries), entryOf(action.UID, what, now, to))
		}
	}
	var dropped int
	after.Notifications, dropped = newest(entries, maxNotifications)
	for _, entry := range entries[:dropped] {
		o.drop(actionKey(action), entry, fmt.Sprintf("more than %d notifications of the action were waiting", maxNotifications))
	}
	after.Notification = notificationState(change.before.Notification, after.Notifications, givenUp || dropped > 0)
}

// wrote goes on after the write of a change: what it tells is delivered. Where
// the write has failed, or its answer was lost, the API server is asked what there
// is to deliver.
func (o *Outbox) wrote(change transition, err error) {
	if o == nil {
		return
	}
	action := change.action
	key := client.ObjectKeyFromObject(action)
	if err != nil {
		if len(change.after.Notifications) > 0 {
			o.acknowledged.doubt(key, action.UID)
			o.settling.Add(key)
		}
		return
	}
	o.acknowledged.written(key, action.UID, change.after.Notifications)
	o.deliver(actionKey(action), change.after.Notifications)
	if o.acknowledged.waits(key) {
		o.settling.Add(key)
	}
}
