// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
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
// most Interval later, and never before, nor before they are Keep old, nor
// while subscriptions have yet to hear of them. It reads history page by page, so that
// memory does not grow with it, and no more often than Interval, for where
// actions come and go all the time there is always one that expires. It is a
// manager.Runnable of the leader. Nothing is deleted without its record.
type Collector struct {
	// Client deletes.
	Client client.Client
	// Live reads decided actions, which the cache does not hold.
	Live client.Reader
	// Audit keeps the record of a deletion before it is made.
	Audit audit.Recorder
	// Clock tells the time.
	Clock clock.Clock
	// Interval is the time between two looks.
	Interval time.Duration
	// Keep is the age before which nothing is deleted; see KeepAtLeast.
	Keep time.Duration

	// recorded are the records of deletions whose fate is not known, by the UID of
	// the action; of the one goroutine that collects.
	recorded map[types.UID]audit.Record
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
	still := map[types.UID]audit.Record{} // what is not there any more is forgotten
	next := ""
	for {
		var page v1alpha1.AgentActionList // a new one each, for decoding keeps what it does not find
		err := c.Live.List(ctx, &page, client.MatchingFieldsSelector{Selector: decidedActions()},
			client.Limit(collectPage), client.Continue(next))
		if err != nil {
			return errors.Join(append(errs, fmt.Errorf("list decided actions: %w", err))...)
		}
		expired := c.expired(page.Items)
		if err := c.record(ctx, expired, still); err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, action := range expired {
			if err := c.remove(ctx, action, still); err != nil {
				errs = append(errs, err)
			}
		}
		if next = page.Continue; next == "" {
			c.recorded = still
			return errors.Join(errs...)
		}
	}
}

// expired are those of some actions that may be deleted.
func (c *Collector) expired(actions []v1alpha1.AgentAction) []*v1alpha1.AgentAction {
	var expired []*v1alpha1.AgentAction
	for i := range actions {
		if now := c.Clock.Now(); !now.Before(c.expiry(&actions[i])) && !untold(&actions[i], now) {
			expired = append(expired, &actions[i])
		}
	}
	return expired
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

// record makes the records of what is to be deleted, together, but for those of
// attempts whose fate is not known, and notes them in still. Where such a one has
// not come true, because the action has changed since, that is recorded, too.
func (c *Collector) record(ctx context.Context, expired []*v1alpha1.AgentAction, still map[types.UID]audit.Record) error {
	now := c.Clock.Now()
	var records []audit.Record
	for _, action := range expired {
		made, tried := c.recorded[action.UID]
		if !tried || made.ResourceVersion != action.ResourceVersion {
			if tried {
				records = append(records, notApplied(made, now, errChanged))
			}
			made = collection(action, now)
			records = append(records, made)
		}
		still[action.UID] = made
	}
	if len(records) == 0 {
		return nil
	}
	if err := c.Audit.Append(ctx, records...); err != nil {
		return fmt.Errorf("nothing is deleted without its record: %w", err)
	}
	if c.recorded == nil {
		c.recorded = map[types.UID]audit.Record{}
	}
	maps.Copy(c.recorded, still) // for an attempt that is cut off before its end
	return nil
}

// errChanged is why a deletion that was recorded is not made any more.
var errChanged = errors.New("it was written to since")

// collection is the record of a deletion. The requester is as it was vouched for
// when the action was decided: the schema has kept it since.
func collection(action *v1alpha1.AgentAction, now time.Time) audit.Record {
	status := &action.Status
	r := audit.Record{
		Time: now, Event: audit.EventCollected, Namespace: action.Namespace, Name: action.Name,
		UID: string(action.UID), ResourceVersion: action.ResourceVersion,
		Agent: string(action.Spec.AgentRef.Name), ActionType: action.Spec.ActionType, Resource: action.Spec.Resource,
		Decision: status.Decision, Reason: status.Reason, Message: "its ttlAfterDecision is over",
		SpecDigest: status.SpecDigest, PolicyRevision: status.PolicyRevision,
	}
	if action.Spec.Requester != nil && status.Reason != v1alpha1.ReasonNotAdmitted {
		r.Requester = action.Spec.Requester.Username
	}
	return r
}

// remove deletes exactly the object that was read, of which there is a record in
// recorded. One that has changed since, because its outcome was reported, has its
// turn at the next look; its record is taken back.
func (c *Collector) remove(ctx context.Context, action *v1alpha1.AgentAction, recorded map[types.UID]audit.Record) error {
	err := c.Client.Delete(ctx, action, client.Preconditions{
		UID: &action.UID, ResourceVersion: &action.ResourceVersion,
	})
	switch {
	case err == nil:
		c.settle(action.UID, recorded)
		return nil
	case apierrors.IsNotFound(err), apierrors.IsConflict(err):
		if err := c.Audit.Append(ctx, notApplied(recorded[action.UID], c.Clock.Now(), err)); err != nil {
			return fmt.Errorf("take a record back: %w", err)
		}
		c.settle(action.UID, recorded)
		return nil
	default:
		return fmt.Errorf("delete %s: %w", client.ObjectKeyFromObject(action), err)
	}
}

// settle forgets a record of which it is known what became of it.
func (c *Collector) settle(uid types.UID, recorded map[types.UID]audit.Record) {
	delete(recorded, uid)
	delete(c.recorded, uid)
}
