// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
)

// StatisticsInterval is how often, at most, what became of deliveries is written
// to a subscription. A crash can lose as much.
const StatisticsInterval = 2 * time.Second

// The schema's bounds.
const (
	maxDeadLetters = 16
	maxLastError   = 1024
)

// SubscriptionStatistics writes what became of deliveries to the status of their
// subscriptions, now and then, so that a delivery does not cost a write to one. It
// is a manager.Runnable of the leader.
type SubscriptionStatistics struct {
	// Client reads subscriptions from the cache and writes their status.
	Client client.Client
	// Interval between writes; StatisticsInterval when zero.
	Interval time.Duration
	// Clock tells the time.
	Clock clock.PassiveClock

	mu        sync.Mutex
	unwritten map[types.NamespacedName]*unwritten
}

// unwritten is what is not yet written about one subscription.
type unwritten struct {
	delivered, failed int64
	last              time.Time // of a delivery that succeeded
	said              bool      // that lastError is known
	lastError         string
	dead              []v1alpha1.DeadLetter // newest first
	test              *v1alpha1.SubscriptionTest
	gone              *notify.Result // by which the receiver said that it is gone
}

func (s *SubscriptionStatistics) note(key types.NamespacedName, how func(*unwritten)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unwritten == nil {
		s.unwritten = map[types.NamespacedName]*unwritten{}
	}
	if s.unwritten[key] == nil {
		s.unwritten[key] = &unwritten{}
	}
	how(s.unwritten[key])
}

// Tried notes what became of one try.
func (s *SubscriptionStatistics) Tried(delivery notify.Delivery, result notify.Result, _ time.Duration) {
	if result.Err == nil {
		return // Ended tells
	}
	notifications.WithLabelValues(resultRetried).Inc()
	s.note(delivery.Target, func(u *unwritten) { u.said, u.lastError = true, shorten(result.Err.Error(), maxLastError) })
}

// Ended notes the end of a delivery. entry is what was to be told; it may be nil
// where nobody knows any more.
func (s *SubscriptionStatistics) Ended(delivery notify.Delivery, entry *v1alpha1.PendingNotification, outcome notify.Outcome) {
	target, about := delivery.Target, delivery.Key
	switch outcome.Result {
	case notify.OutcomeDelivered:
		notifications.WithLabelValues(resultDelivered).Inc()
		notificationSeconds.Observe(max(outcome.Time.Sub(delivery.First), 0).Seconds())
		s.note(target, func(u *unwritten) {
			u.delivered++
			u.said, u.lastError = true, ""
			if outcome.Time.After(u.last) {
				u.last = outcome.Time
			}
		})
	case notify.OutcomeDead:
		notifications.WithLabelValues(resultDead).Inc()
		s.note(target, func(u *unwritten) {
			u.failed++
			u.said, u.lastError = true, shorten(outcome.Error, maxLastError)
			if entry != nil {
				letter := v1alpha1.DeadLetter{
					ID: entry.ID, Event: entry.Event, Kind: about.Kind, Name: v1alpha1.ObjectName(about.Name),
					Time: microTime(outcome.Time), Error: shorten(outcome.Error, maxLastError),
				}
				u.dead = append([]v1alpha1.DeadLetter{letter}, u.dead[:min(len(u.dead), maxDeadLetters-1)]...)
			}
		})
	case notify.OutcomeWithdrawn: // there is no subscription to write to
	}
}

// Gone notes that the receiver of a subscription wants nothing any more, as it was
// when it was tried: not what became of it since, nor another one of its name.
func (s *SubscriptionStatistics) Gone(target types.NamespacedName, last notify.Result) {
	s.note(target, func(u *unwritten) { u.gone = &last })
}

// Tested notes what became of a sample.
func (s *SubscriptionStatistics) Tested(target types.NamespacedName, test v1alpha1.SubscriptionTest) {
	s.note(target, func(u *unwritten) { u.test = &test })
}

// NeedLeaderElection is true: the replica that delivers has something to write.
func (s *SubscriptionStatistics) NeedLeaderElection() bool { return true }

// Start writes until ctx ends, and once more then.
func (s *SubscriptionStatistics) Start(ctx context.Context) error {
	ticker := time.NewTicker(cmp.Or(s.Interval, StatisticsInterval))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.flush(ctx)
		case <-ctx.Done():
			s.flushLast(ctx)
			return nil
		}
	}
}

// flushLast writes although ctx has ended.
func (s *SubscriptionStatistics) flushLast(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastFlush)
	defer cancel()
	s.flush(ctx)
}

// flush writes what there is. What cannot be written is kept, but for what
// belongs to no subscription.
func (s *SubscriptionStatistics) flush(ctx context.Context) {
	s.mu.Lock()
	all := s.unwritten
	s.unwritten = nil
	s.mu.Unlock()
	for key, news := range all {
		err := s.write(ctx, key, news)
		if err == nil {
			continue
		}
		s.giveBack(key, news)
		if ctx.Err() == nil && !apierrors.IsConflict(err) { // or the cache is behind, and the next time will do
			log.FromContext(ctx).Error(err, "Cannot write statistics of a subscription; they are kept for the next try", "namespace", key.Namespace, "name", key.Name)
		}
	}
}

// giveBack puts what could not be written before what has come meanwhile.
func (s *SubscriptionStatistics) giveBack(key types.NamespacedName, old *unwritten) {
	s.note(key, func(u *unwritten) {
		u.delivered += old.delivered
		u.failed += old.failed
		if old.last.After(u.last) {
			u.last = old.last
		}
		if !u.said {
			u.said, u.lastError = old.said, old.lastError
		}
		u.dead = append(u.dead, old.dead...)
		u.dead = u.dead[:min(len(u.dead), maxDeadLetters)]
		if u.test == nil {
			u.test = old.test
		}
		if u.gone == nil {
			u.gone = old.gone
		}
	})
}

// write adds what is new to a subscription's status. It fails when that has
// changed since it was read, for a counter must not be added twice.
func (s *SubscriptionStatistics) write(ctx context.Context, key types.NamespacedName, news *unwritten) error {
	var before v1alpha1.WebhookSubscription
	if err := s.Client.Get(ctx, key, &before); err != nil {
		return client.IgnoreNotFound(err)
	}
	subscription := before.DeepCopy()
	news.addTo(subscription)
	if equality.Semantic.DeepEqual(before.Status, subscription.Status) {
		return nil
	}
	patch := client.MergeFromWithOptions(&before, client.MergeFromWithOptimisticLock{})
	if err := s.Client.Status().Patch(ctx, subscription, patch); err != nil {
		return client.IgnoreNotFound(err)
	}
	return nil
}

func (u *unwritten) addTo(subscription *v1alpha1.WebhookSubscription) {
	status := &subscription.Status
	status.DeliveredTotal += u.delivered
	status.FailedTotal += u.failed
	if last := microTime(u.last); !u.last.IsZero() && (status.LastDeliveryTime == nil || status.LastDeliveryTime.Before(&last)) {
		status.LastDeliveryTime = &last
	}
	if u.said {
		status.LastError = u.lastError
	}
	letters := slices.Concat(u.dead, status.DeadLetters)
	status.DeadLetters = letters[:min(len(letters), maxDeadLetters)]
	if u.test != nil {
		status.LastTest = u.test
	}
	if u.gone != nil && u.gone.Generation == subscription.Generation && u.gone.UID == string(subscription.UID) {
		apimeta.SetStatusCondition(&status.Conditions, goneCondition(subscription.Generation))
		status.ObservedGeneration = subscription.Generation
	}
}

// goneCondition says that the receiver of a subscription wants nothing any more.
func goneCondition(generation int64) metav1.Condition {
	return metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, ObservedGeneration: generation,
		Reason: v1alpha1.ReasonReceiverGone, Message: fmt.Sprintf("nothing is sent, and no event waits for it: %v", notify.ErrGone),
	}
}
