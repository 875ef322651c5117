// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// settleNext does what is to be done about the next action; false once the
// outbox is shut down.
func (o *Outbox) settleNext(ctx context.Context) bool {
	key, over := o.settling.Get()
	if over {
		return false
	}
	defer o.settling.Done(key)
	again, err := o.settle(ctx, key)
	switch {
	case err != nil && ctx.Err() == nil:
		log.FromContext(ctx).Error(err, "Cannot write what subscriptions have heard; trying again", "namespace", key.Namespace, "name", key.Name)
		o.settling.AddRateLimited(key)
	case again > 0:
		o.settling.Forget(key)
		o.settling.AddAfter(key, again)
	default:
		o.settling.Forget(key)
	}
	return true
}

// settle takes what was acknowledged out of an action's status, or has its
// reconciler do that. again is after what time there may be more to do.
func (o *Outbox) settle(ctx context.Context, key types.NamespacedName) (again time.Duration, err error) {
	if !o.acknowledged.waits(key) {
		return 0, nil
	}
	var live v1alpha1.AgentAction
	if err := o.Live.Get(ctx, key, &live); err != nil {
		if apierrors.IsNotFound(err) {
			o.acknowledged.forget(key)
			return 0, nil
		}
		return 0, fmt.Errorf("read the action: %w", err)
	}
	if o.acknowledged.takeDoubt(key, live.UID) {
		o.deliver(actionKey(&live), live.Status.Notifications)
	}
	left, givenUp := without(live.Status.Notifications, o.acknowledged.look(key, live.UID))
	if equality.Semantic.DeepEqual(left, live.Status.Notifications) {
		o.acknowledged.written(key, live.UID, left)
		return 0, nil
	}
	if !live.Status.Decision.IsFinal() {
		o.wake(key)
		return handedOver, nil
	}
	next := live.DeepCopy() // the answer is decoded into it
	next.Status.Notifications = left
	next.Status.Notification = notificationState(live.Status.Notification, left, givenUp)
	err = o.write(ctx, next)
	switch {
	case err == nil:
		o.acknowledged.written(key, live.UID, left)
		return 0, nil
	case apierrors.IsConflict(err):
		return watchLag, nil
	case apierrors.IsNotFound(err):
		o.acknowledged.forget(key)
		return 0, nil
	default:
		return 0, fmt.Errorf("write status: %w", err)
	}
}

// write makes one write of an action's status. It goes on when the operator is
// told to stop: what it says has been delivered.
func (o *Outbox) write(ctx context.Context, action *v1alpha1.AgentAction) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	return o.Client.Status().Update(ctx, action)
}

// wake has the reconciler look at an undecided action.
func (o *Outbox) wake(key types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.reconciler != nil {
		o.reconciler.Add(ctrl.Request{NamespacedName: key})
	}
}

// settleAgent takes what was acknowledged out of an agent's status. The counters
// and the conditions there are other people's: it writes nothing else, and only
// where nothing has changed since it looked.
func (o *Outbox) settleAgent(ctx context.Context, key types.NamespacedName, uid types.UID, what acknowledgement) error {
	for {
		var before v1alpha1.Agent
		if err := o.Live.Get(ctx, key, &before); err != nil {
			return client.IgnoreNotFound(err)
		}
		left, _ := without(before.Status.Notifications, map[acknowledgement]bool{what: true})
		if before.UID != uid || equality.Semantic.DeepEqual(left, before.Status.Notifications) {
			return nil
		}
		agent := before.DeepCopy()
		agent.Status.Notifications = left
		err := o.Client.Status().Patch(ctx, agent, client.MergeFromWithOptions(&before, client.MergeFromWithOptimisticLock{}))
		if err == nil || apierrors.IsNotFound(err) {
			return nil
		}
		if !apierrors.IsConflict(err) {
			return fmt.Errorf("write what subscriptions have heard of agent %s: %w", key, err)
		}
	}
}
