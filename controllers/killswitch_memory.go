// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// sweepLag is how long the next look at an agent's approvals waits after an
// action of a suspended agent was decided, so that a crowd of pending actions
// that are denied makes few looks.
const sweepLag = time.Second

// lateDecisions brings an agent that may not act back to the queue whenever one
// of its actions is decided, whoever decided it: a worker that had begun before
// the suspension, one whose answer was lost, a leader that was paused. The
// cache loses an action once it is decided. Every approval is seen: where the
// agent is still Active here when that happens, the look that its suspension
// starts comes later, and finds the approval; where it is not, this starts one.
func lateDecisions(cache client.Reader) handler.EventHandler {
	return handler.Funcs{DeleteFunc: func(ctx context.Context, gone event.DeleteEvent, queue workqueue.TypedRateLimitingInterface[ctrl.Request]) {
		action, isAction := gone.Object.(*v1alpha1.AgentAction)
		if !isAction {
			return
		}
		var agent v1alpha1.Agent
		if err := cache.Get(ctx, agentKey(action), &agent, client.UnsafeDisableDeepCopy); err != nil {
			return // there is no such agent; a cache fails in no other way
		}
		if _, stopped := stopFor(agent.Spec.State); stopped {
			queue.AddAfter(ctrl.Request{NamespacedName: agentKey(action)}, sweepLag)
		}
	}}
}

// forgetDeleted drops what is known of agents that are deleted.
func (k *KillSwitch) forgetDeleted() handler.EventHandler {
	return handler.Funcs{DeleteFunc: func(_ context.Context, gone event.DeleteEvent, _ workqueue.TypedRateLimitingInterface[ctrl.Request]) {
		k.forget(client.ObjectKeyFromObject(gone.Object))
	}}
}

// note adds to what was done about an agent since it was stopped.
func (k *KillSwitch) note(agent *v1alpha1.Agent, withdrawn int) stopped {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := client.ObjectKeyFromObject(agent)
	so := k.stopped[key]
	if so.uid != agent.UID || so.state != agent.Spec.State {
		so = stopped{uid: agent.UID, state: agent.Spec.State}
	}
	so.withdrawn += withdrawn
	if k.stopped == nil {
		k.stopped = map[types.NamespacedName]stopped{}
	}
	k.stopped[key] = so
	return so
}

// recorded notes that the suspension is in the audit trail.
func (k *KillSwitch) recorded(agent *v1alpha1.Agent) {
	k.mu.Lock()
	defer k.mu.Unlock()
	so := k.stopped[client.ObjectKeyFromObject(agent)]
	so.recorded = true
	k.stopped[client.ObjectKeyFromObject(agent)] = so
}

func (k *KillSwitch) forget(agent types.NamespacedName) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.stopped, agent)
}

// doubt remembers a record of which it is not known whether it came true.
func (k *KillSwitch) doubt(action *v1alpha1.AgentAction, record audit.Record) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.unsure == nil {
		k.unsure = map[types.UID]audit.Record{}
	}
	k.unsure[action.UID] = record
}

// settle finds out whether a record that was in doubt has come true, by the
// action as the API server has it, and takes it back by another one if not. It
// is true when there is a record of the withdrawal that was made, or that is to
// be tried again.
func (k *KillSwitch) settle(ctx context.Context, action *v1alpha1.AgentAction) (bool, error) {
	record, doubted := k.takeDoubt(action)
	if !doubted {
		return false, nil
	}
	now := k.Clock.Now()
	if wasWithdrawn(action) || (record.ResourceVersion == action.ResourceVersion && actionable(action, now)) {
		return true, nil
	}
	back := record
	back.Time = now
	back.Event = audit.EventNotApplied
	back.Message = fmt.Sprintf("%s has not come true, for the action had changed", record.Event)
	if err := k.Audit.Append(ctx, back); err != nil {
		k.doubt(action, record)
		return false, fmt.Errorf("take a record back: %w", err)
	}
	return false, nil
}

func (k *KillSwitch) takeDoubt(action *v1alpha1.AgentAction) (audit.Record, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	record, doubted := k.unsure[action.UID]
	delete(k.unsure, action.UID)
	return record, doubted
}
