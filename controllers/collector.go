// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/seal"
)

// DefaultTTL is how long a decided action is kept where it does not say; the
// schema has the same default.
const DefaultTTL = 720 * time.Hour

// collectPage bounds how many decided actions are in memory at once. Until
// admission bounds what can be stored, one may have 1.5 MB.
const collectPage = 25

// KeepAtLeast is the least age at which an action is collected. The seal of a
// requester is bound to namespace, name and request, for there is no uid yet at
// admission, and holds where admittedAt and creationTimestamp are within
// seal.AdmissionWindow. Were the name free sooner, whoever has read the action
// could submit it again in the requester's name while the webhooks are away.
// Twice the window, for admittedAt may be as much later than creationTimestamp.
const KeepAtLeast = 2 * seal.AdmissionWindow

// Collector deletes decided actions when their ttlAfterDecision is over, or at
// most Interval later, and never before, nor before they are Keep old. It reads history page by page, so that
// memory does not grow with it, and no more often than Interval, for where
// actions come and go all the time there is always one that expires. It is a
// manager.Runnable of the leader.
type Collector struct {
	// Client deletes.
	Client client.Client
	// Live reads decided actions, which the cache does not hold.
	Live client.Reader
	// Clock tells the time.
	Clock clock.Clock
	// Interval is the time between two looks.
	Interval time.Duration
	// Keep is the age before which nothing is deleted; see KeepAtLeast.
	Keep time.Duration
}

// NeedLeaderElection is true: one replica is enough to clean up.
func (c *Collector) NeedLeaderElection() bool { return true }

// Start collects until ctx ends.
func (c *Collector) Start(ctx context.Context) error {
	for {
		if err := c.collect(ctx); err != nil && ctx.Err() == nil {
			log.FromContext(ctx).Error(err, "Cannot collect decided actions; trying again later", "after", c.Interval)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-c.Clock.After(c.Interval):
		}
	}
}

// decidedActions selects what has a final decision.
func decidedActions() fields.Selector {
	return fields.AndSelectors(
		fields.OneTermNotEqualSelector("status.decision", string(v1alpha1.DecisionNone)),
		fields.OneTermNotEqualSelector("status.decision", string(v1alpha1.DecisionPending)),
	)
}

// UndecidedActions selects what the controller's cache holds: actions without
// a final decision.
func UndecidedActions() fields.Selector {
	var terms []fields.Selector
	for _, final := range []v1alpha1.Decision{
		v1alpha1.DecisionApproved, v1alpha1.DecisionDenied, v1alpha1.DecisionTimedOut, v1alpha1.DecisionCancelled,
	} {
		terms = append(terms, fields.OneTermNotEqualSelector("status.decision", string(final)))
	}
	return fields.AndSelectors(terms...)
}

// collect deletes what has expired.
func (c *Collector) collect(ctx context.Context) error {
	var errs []error
	next := ""
	for {
		var page v1alpha1.AgentActionList // a new one each, for decoding keeps what it does not find
		err := c.Live.List(ctx, &page, client.MatchingFieldsSelector{Selector: decidedActions()},
			client.Limit(collectPage), client.Continue(next))
		if err != nil {
			return errors.Join(append(errs, fmt.Errorf("list decided actions: %w", err))...)
		}
		for i := range page.Items {
			if c.Clock.Now().Before(c.expiry(&page.Items[i])) {
				continue
			}
			if err := c.remove(ctx, &page.Items[i]); err != nil {
				errs = append(errs, err)
			}
		}
		if next = page.Continue; next == "" {
			return errors.Join(errs...)
		}
	}
}

// expiry is when an action may be deleted.
func (c *Collector) expiry(action *v1alpha1.AgentAction) time.Time {
	ttl, decided := DefaultTTL, action.CreationTimestamp.Time
	if action.Spec.TTLAfterDecision != nil {
		ttl = action.Spec.TTLAfterDecision.Duration
	}
	if action.Status.DecidedAt != nil {
		decided = action.Status.DecidedAt.Time
	}
	over, kept := decided.Add(ttl), action.CreationTimestamp.Add(c.Keep)
	if over.Before(kept) {
		return kept
	}
	return over
}

// remove deletes exactly the object that was read. One that has changed since,
// because its outcome was reported, has its turn at the next look.
func (c *Collector) remove(ctx context.Context, action *v1alpha1.AgentAction) error {
	err := c.Client.Delete(ctx, action, client.Preconditions{
		UID: &action.UID, ResourceVersion: &action.ResourceVersion,
	})
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return fmt.Errorf("delete %s: %w", client.ObjectKeyFromObject(action), err)
}
