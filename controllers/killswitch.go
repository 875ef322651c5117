// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/actionstatus"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/voucher"
)

// KillSwitch withdraws what an agent that may not act any more was allowed
// before: approvals whose outcome is not yet reported lose their validity. The
// decision itself is final and stays Approved. It looks at the API server, for
// the cache does not hold decided actions, page by page, so that memory does
// not grow with history. It can be asked as often as one likes.
type KillSwitch struct {
	// Client writes the status of actions.
	Client client.Client
	// Live reads decided actions, which the cache does not hold.
	Live client.Reader
	// Voucher says who submitted an action, for the record.
	Voucher voucher.Voucher
	// Audit keeps the record of a withdrawal before it is written.
	Audit audit.Recorder
	// Events tells the story to kubectl describe.
	Events events.EventRecorder
	// Clock tells the time.
	Clock clock.PassiveClock

	mu sync.Mutex
	// stopped is what was done about agents that may not act now.
	stopped map[types.NamespacedName]stopped
	// unsure are records of withdrawals by the action's UID, where the answer
	// to the write has not arrived.
	unsure map[types.UID]audit.Record
}

// stopped is what was done about one agent.
type stopped struct {
	uid       types.UID
	state     v1alpha1.AgentState
	withdrawn int  // approvals
	recorded  bool // the record of the suspension is made
}

// stop says why an agent may not act.
type stop struct {
	ready  string // reason of the agent's Ready condition
	reason string // of what happens to its actions
	was    string // what happened to the agent, in words
	next   string // what the requester can do
}

// stopFor returns false for the one state in which an agent may act.
func stopFor(state v1alpha1.AgentState) (stop, bool) {
	switch state {
	case v1alpha1.AgentActive:
		return stop{}, false
	case v1alpha1.AgentSuspended:
		return stop{v1alpha1.ReasonSuspended, v1alpha1.ReasonAgentSuspended, "was suspended",
			"once the agent is Active again, submit a new action"}, true
	case v1alpha1.AgentRetired:
		return stop{v1alpha1.ReasonRetired, v1alpha1.ReasonAgentRetired, "was retired",
			"submit a new action in the name of an agent that is in use"}, true
	default:
		return stop{v1alpha1.ReasonAgentStateUnknown, v1alpha1.ReasonAgentStateUnknown,
			fmt.Sprintf("was given the state %q, which this operator does not know", state),
			"once the agent is Active again, submit a new action"}, true
	}
}

// Enforce makes spec.state of the agent true for what was approved before. When
// it returns no error, no approval in the agent's name that the API server had
// when it was called is both valid and unreported, unless the agent may act. It
// records the suspension itself once, when the agent's Ready condition does not
// speak of it yet.
func (k *KillSwitch) Enforce(ctx context.Context, agent *v1alpha1.Agent) error {
	why, stopped := stopFor(agent.Spec.State)
	if !stopped {
		k.forget(client.ObjectKeyFromObject(agent))
		return nil
	}
	withdrawn, err := k.sweep(ctx, agent, why)
	so := k.note(agent, withdrawn)
	if err != nil {
		return fmt.Errorf("withdraw the approvals of agent %s: %w", client.ObjectKeyFromObject(agent), err)
	}
	known := apimeta.FindStatusCondition(agent.Status.Conditions, v1alpha1.ConditionReady)
	if so.recorded || (known != nil && known.Reason == why.ready) {
		return nil
	}
	record := audit.Record{
		Time: k.Clock.Now(), Event: v1alpha1.EventAgentSuspended, Kind: "Agent",
		Namespace: agent.Namespace, Name: agent.Name, UID: string(agent.UID), ResourceVersion: agent.ResourceVersion,
		Agent: agent.Name, Reason: why.reason,
		Message: fmt.Sprintf("the agent %s; approvals withdrawn: %d", why.was, so.withdrawn),
	}
	if err := k.Audit.Append(ctx, record); err != nil {
		return fmt.Errorf("record that agent %s %s: %w", client.ObjectKeyFromObject(agent), why.was, err)
	}
	k.recorded(agent)
	return nil
}

// sweep withdraws what it can and returns how many approvals that were.
func (k *KillSwitch) sweep(ctx context.Context, agent *v1alpha1.Agent, why stop) (int, error) {
	approved := fields.AndSelectors(
		fields.OneTermEqualSelector("status.decision", string(v1alpha1.DecisionApproved)),
		fields.OneTermEqualSelector("spec.agentRef.name", agent.Name),
	)
	withdrawn := 0
	var errs []error
	next := ""
	for {
		var page v1alpha1.AgentActionList // a new one each, for decoding keeps what it does not find
		err := k.Live.List(ctx, &page, client.InNamespace(agent.Namespace),
			client.MatchingFieldsSelector{Selector: approved}, client.Limit(collectPage), client.Continue(next))
		if err != nil {
			return withdrawn, errors.Join(append(errs, fmt.Errorf("list approved actions: %w", err))...)
		}
		for i := range page.Items {
			done, err := k.withdraw(ctx, agent, &page.Items[i], why)
			if err != nil {
				errs = append(errs, fmt.Errorf("action %s: %w", page.Items[i].Name, err))
			}
			if done {
				withdrawn++
			}
		}
		if next = page.Continue; next == "" {
			return withdrawn, errors.Join(errs...)
		}
	}
}

// withdraw ends the validity of one approval, the record first. It is false
// where there is nothing to end, because the outcome was reported, also in the
// moment before the write.
func (k *KillSwitch) withdraw(ctx context.Context, agent *v1alpha1.Agent, action *v1alpha1.AgentAction, why stop) (bool, error) {
	for {
		recorded, err := k.settle(ctx, action)
		if err != nil {
			return false, err
		}
		if wasWithdrawn(action) {
			if recorded { // the answer to the write had been lost
				k.report(agent, action)
			}
			return recorded, nil
		}
		now := k.Clock.Now()
		if !actionable(action, now) {
			return false, nil
		}
		change := k.withdrawal(agent, action, why, now)
		record := change.record(audit.EventWithdrawn, now)
		if !recorded {
			if err := k.Audit.Append(ctx, record); err != nil {
				return false, fmt.Errorf("no withdrawal without its record: %w", err)
			}
		}
		err = k.write(ctx, change)
		if err == nil {
			k.report(agent, &v1alpha1.AgentAction{TypeMeta: action.TypeMeta, ObjectMeta: action.ObjectMeta, Status: *change.after})
			return true, nil
		}
		k.doubt(action, record)
		if !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			return false, fmt.Errorf("write status: %w", err)
		}
		if action, err = k.reread(ctx, action); err != nil {
			return false, err
		}
	}
}

// actionable says whether the agent may still act on the approval. One that
// does not say how long it is good is good.
func actionable(action *v1alpha1.AgentAction, now time.Time) bool {
	until := action.Status.ValidUntil
	return action.Status.Decision == v1alpha1.DecisionApproved && action.Spec.Outcome == nil &&
		(until == nil || until.After(now))
}

// wasWithdrawn tells an approval that was withdrawn, whatever the clock says.
func wasWithdrawn(action *v1alpha1.AgentAction) bool {
	if action.Status.Decision != v1alpha1.DecisionApproved {
		return false
	}
	switch action.Status.Reason {
	case v1alpha1.ReasonAgentSuspended, v1alpha1.ReasonAgentRetired, v1alpha1.ReasonAgentStateUnknown:
		return true
	default:
		return false
	}
}

// withdrawal is the change of status that withdraws an approval.
func (k *KillSwitch) withdrawal(agent *v1alpha1.Agent, action *v1alpha1.AgentAction, why stop, now time.Time) transition {
	// The kill switch waits for nobody: what cannot be vouched for now is left
	// out of the record, and what cannot be read stays as far as it was read.
	vouched, _ := k.Voucher.Vouch(action)
	asked, _ := request.Read(action, vouched.Requester, nil)
	status := action.Status.DeepCopy()
	until := microTime(now)
	status.ValidUntil = &until
	status.Reason = why.reason
	status.Message = shorten(fmt.Sprintf("the approval was withdrawn, for agent %s %s before an outcome was reported; %s (it was approved with reason %s: %s)",
		agent.Name, why.was, why.next, action.Status.Reason, action.Status.Message), maxStatusMessage)
	actionstatus.SetConditions(status, action.Generation, now)
	return transition{action: action, request: asked, before: &action.Status, after: status}
}

// maxStatusMessage is the schema's limit of status.message in characters, which
// are no more than bytes.
const maxStatusMessage = 2048

// write makes the one write, which is bound to the version that was looked at.
func (k *KillSwitch) write(ctx context.Context, change transition) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	next := change.action.DeepCopy() // the answer is decoded into it
	next.Status = *change.after
	return k.Client.Status().Update(ctx, next)
}

// reread returns the action as the API server has it now: an empty one when it
// is gone, also when another one has its name.
func (k *KillSwitch) reread(ctx context.Context, action *v1alpha1.AgentAction) (*v1alpha1.AgentAction, error) {
	var live v1alpha1.AgentAction
	if err := client.IgnoreNotFound(k.Live.Get(ctx, client.ObjectKeyFromObject(action), &live)); err != nil {
		return nil, fmt.Errorf("look again at what has changed: %w", err)
	}
	if live.UID != action.UID {
		gone := &v1alpha1.AgentAction{}
		gone.UID = action.UID
		return gone, nil
	}
	return &live, nil
}

// report tells the cluster and the metrics of a withdrawal that was written.
func (k *KillSwitch) report(agent *v1alpha1.Agent, action *v1alpha1.AgentAction) {
	withdrawals.WithLabelValues(action.Status.Reason).Inc()
	k.Events.Eventf(action, agent, corev1.EventTypeWarning, action.Status.Reason, "Withdraw", "%s", shorten(action.Status.Message, 1024))
}
