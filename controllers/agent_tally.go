// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/ratelimit"
)

// FlushInterval is how often, at most, an agent's counters are written.
const FlushInterval = 10 * time.Second

// lastFlush bounds the flush at the end.
const lastFlush = 5 * time.Second

// AgentTally counts what becomes of agents' actions, and writes the counts to
// their status now and then, so that a decision does not cost a write to the
// Agent. Decisions are counted as they are made; what is pending is counted in
// the cache at each flush, so that it is right again after a restart. It is a
// manager.Runnable of the leader.
type AgentTally struct {
	// Client reads agents and undecided actions from the cache, and writes the
	// agents' status.
	Client client.Client
	// Interval between flushes; FlushInterval when zero.
	Interval time.Duration
	// Limiter whose counts of submissions are written, too; none when nil.
	Limiter *ratelimit.Limiter
	// Clock tells the Limiter the time. Required with a Limiter.
	Clock clock.PassiveClock

	mu        sync.Mutex
	unwritten map[types.NamespacedName]agentCount
}

// agentCount is what is not yet written about one agent.
type agentCount struct {
	decided v1alpha1.ActionCounts // Pending is not used here
	last    time.Time
}

func (c agentCount) plus(other agentCount) agentCount {
	c.decided.Approved += other.decided.Approved
	c.decided.Denied += other.decided.Denied
	c.decided.TimedOut += other.decided.TimedOut
	if other.last.After(c.last) {
		c.last = other.last
	}
	return c
}

// Decided notes a final decision. One that withdraws the action has no counter.
func (t *AgentTally) Decided(action *v1alpha1.AgentAction, decision v1alpha1.Decision, at time.Time) {
	one := agentCount{last: at}
	switch decision {
	case v1alpha1.DecisionApproved:
		one.decided.Approved = 1
	case v1alpha1.DecisionDenied:
		one.decided.Denied = 1
	case v1alpha1.DecisionTimedOut:
		one.decided.TimedOut = 1
	case v1alpha1.DecisionNone, v1alpha1.DecisionPending, v1alpha1.DecisionCancelled:
	}
	t.add(agentKey(action), one)
}

func agentKey(action *v1alpha1.AgentAction) types.NamespacedName {
	return types.NamespacedName{Namespace: action.Namespace, Name: string(action.Spec.AgentRef.Name)}
}

func (t *AgentTally) add(agent types.NamespacedName, count agentCount) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.unwritten == nil {
		t.unwritten = map[types.NamespacedName]agentCount{}
	}
	t.unwritten[agent] = t.unwritten[agent].plus(count)
}

// Start flushes until ctx ends, and once more then.
func (t *AgentTally) Start(ctx context.Context) error {
	interval := t.Interval
	if interval == 0 {
		interval = FlushInterval
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := t.flush(ctx); err != nil && ctx.Err() == nil {
				log.FromContext(ctx).Error(err, "Cannot write counters of agents; they are kept for the next try")
			}
		case <-ctx.Done():
			t.flushLast(ctx)
			return nil
		}
	}
}

// flushLast flushes although ctx has ended.
func (t *AgentTally) flushLast(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastFlush)
	defer cancel()
	if err := t.flush(ctx); err != nil {
		log.FromContext(ctx).Error(err, "Cannot write the last counters of agents")
	}
}

// NeedLeaderElection is true: only the replica that decides has something to count.
func (t *AgentTally) NeedLeaderElection() bool { return true }

// flush writes what has changed about agents, a write for each of them. What
// cannot be written is kept; what belongs to no agent is dropped.
func (t *AgentTally) flush(ctx context.Context) error {
	pending, err := t.pending(ctx)
	if err != nil {
		return err
	}
	var agents v1alpha1.AgentList
	if err := t.Client.List(ctx, &agents, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list agents: %w", err)
	}
	unwritten := t.take()
	var errs []error
	for i := range agents.Items {
		agent := &agents.Items[i]
		key := client.ObjectKeyFromObject(agent)
		count := unwritten[key]
		submissions, submitted := t.submissions(agent)
		if count == (agentCount{}) && agent.Status.Actions.Pending == pending[key] && !submitted {
			continue
		}
		if err := t.write(ctx, agent, count, pending[key], submissions); err != nil {
			t.add(key, count)
			if !apierrors.IsConflict(err) { // or the cache is behind, and the next flush will do
				errs = append(errs, fmt.Errorf("agent %s: %w", key, err))
			}
		}
	}
	return errors.Join(errs...)
}

// pending counts the actions that wait for people, by agent.
func (t *AgentTally) pending(ctx context.Context) (map[types.NamespacedName]int64, error) {
	var undecided v1alpha1.AgentActionList
	if err := t.Client.List(ctx, &undecided, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list undecided actions: %w", err)
	}
	pending := map[types.NamespacedName]int64{}
	for i := range undecided.Items {
		if undecided.Items[i].Status.Decision == v1alpha1.DecisionPending {
			pending[agentKey(&undecided.Items[i])]++
		}
	}
	return pending, nil
}

func (t *AgentTally) take() map[types.NamespacedName]agentCount {
	t.mu.Lock()
	defer t.mu.Unlock()
	unwritten := t.unwritten
	t.unwritten = nil
	return unwritten
}

// submissions are the counts that the rate limit is measured by, and whether
// they say more than the status does and the time that has passed.
func (t *AgentTally) submissions(agent *v1alpha1.Agent) (v1alpha1.SubmissionCounts, bool) {
	if t.Limiter == nil {
		return agent.Status.Submissions, false
	}
	counts, changed := t.Limiter.Unwritten(client.ObjectKeyFromObject(agent), agent.Status.Submissions, t.Clock.Now())
	if !changed {
		return agent.Status.Submissions, false
	}
	return counts, true
}

// write adds the counts to an agent's status. It fails when the agent has
// changed since it was read, for a counter must not be added twice.
func (t *AgentTally) write(ctx context.Context, before *v1alpha1.Agent, count agentCount, pending int64, submissions v1alpha1.SubmissionCounts) error {
	agent := before.DeepCopy()
	actions := &agent.Status.Actions
	actions.Approved += count.decided.Approved
	actions.Denied += count.decided.Denied
	actions.TimedOut += count.decided.TimedOut
	actions.Pending = pending
	agent.Status.Submissions = submissions
	if last := microTime(count.last); !count.last.IsZero() && (agent.Status.LastActionTime == nil || agent.Status.LastActionTime.Before(&last)) {
		agent.Status.LastActionTime = &last
	}
	err := t.Client.Status().Patch(ctx, agent, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
