// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// +kubebuilder:rbac:groups=governance.ascendowkai.com,resources=agents,verbs=get;list;watch
// +kubebuilder:rbac:groups=governance.ascendowkai.com,resources=agents/status,verbs=patch

// AgentReconciler says in its Ready condition whether an agent may act, after
// the kill switch has made that true. The counters of its status are the
// AgentTally's.
type AgentReconciler struct {
	Client client.Client
	// KillSwitch withdraws approvals of agents that may not act any more.
	KillSwitch *KillSwitch
	// Guard says whether admission is enforced; nil: nobody looks.
	Guard *AdmissionGuard
	// Outbox tells subscriptions that an agent was stopped; nil tells nobody.
	Outbox *Outbox
}

var _ reconcile.ObjectReconciler[*v1alpha1.Agent] = (*AgentReconciler)(nil)

// agentWorkers is how many agents are looked at at once, so that one with a
// long history does not keep the kill switch from the others.
const agentWorkers = 4

// SetupWithManager registers the reconciler. An agent is looked at again when
// the workflow it refers to comes or goes, when one of its actions is decided
// although it may not act, and when the guard of admission finds a change.
func (r *AgentReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Agent{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.ApprovalWorkflow{}, handler.EnqueueRequestsFromMapFunc(r.referringTo), builder.WithPredicates(comesOrGoes)).
		Watches(&v1alpha1.AgentAction{}, lateDecisions(r.Client)).
		Watches(&v1alpha1.Agent{}, r.KillSwitch.forgetDeleted()).
		WatchesRawSource(r.Guard.changes(r.Client)).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: agentWorkers,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[ctrl.Request](firstRetry, lastRetry),
		}).
		Complete(reconcile.AsReconciler(r.Client, r))
}

// Reconcile does what the agent's state asks for, then writes its Ready
// condition: where that says Suspended or Retired, the approvals are withdrawn.
func (r *AgentReconciler) Reconcile(ctx context.Context, agent *v1alpha1.Agent) (ctrl.Result, error) {
	if err := r.KillSwitch.Enforce(ctx, agent); err != nil {
		_, unsaid := r.say(ctx, agent, notReady(v1alpha1.ReasonWithdrawing,
			"new and pending actions are denied; not all approvals are withdrawn yet, which is tried again: the operator's log says why"))
		return ctrl.Result{}, errors.Join(err, unsaid)
	}
	said, err := r.readiness(ctx, agent)
	if err != nil {
		return ctrl.Result{}, err
	}
	return r.say(ctx, agent, said)
}

// say writes the Ready condition, and with it what there is to tell subscriptions:
// an agent is stopped for them when its approvals are withdrawn, and once.
func (r *AgentReconciler) say(ctx context.Context, agent *v1alpha1.Agent, said readiness) (ctrl.Result, error) {
	was := apimeta.FindStatusCondition(agent.Status.Conditions, v1alpha1.ConditionReady).DeepCopy()
	result, err := writeReadiness(ctx, r.Client, agent, func(o *v1alpha1.Agent) standing {
		return standing{&o.Status.Conditions, &o.Status.ObservedGeneration}
	}, said, func(o *v1alpha1.Agent) { r.Outbox.stopped(o, was, said) })
	if err == nil && result.RequeueAfter == 0 {
		r.Outbox.tell(agent)
	}
	return result, err
}

func (r *AgentReconciler) readiness(ctx context.Context, agent *v1alpha1.Agent) (readiness, error) {
	spec := &agent.Spec
	switch spec.State {
	case v1alpha1.AgentSuspended:
		return notReady(v1alpha1.ReasonSuspended, "new and pending actions are denied until spec.state is Active; approvals whose outcome was not reported are withdrawn"), nil
	case v1alpha1.AgentRetired:
		return notReady(v1alpha1.ReasonRetired, "new and pending actions are denied; approvals whose outcome was not reported are withdrawn"), nil
	case v1alpha1.AgentActive:
	default:
		return notReady(v1alpha1.ReasonAgentStateUnknown, fmt.Sprintf("spec.state: %q is not known, so all actions are denied", spec.State)), nil
	}
	if gaps := r.Guard.Gaps(); gaps != "" {
		return notReady(v1alpha1.ReasonAdmissionNotEnforced, gaps), nil
	}
	if ref := spec.WorkflowRef; ref != nil {
		switch found, err := findWorkflow(ctx, r.Client, agent.Namespace, string(ref.Name)); {
		case err != nil:
			return readiness{}, err
		case found == nil:
			return missingWorkflow("spec.workflowRef", string(ref.Name), agent.Namespace), nil
		}
	}
	return ready("the agent may act"), nil
}

// referringTo finds the agents that refer to a workflow by its name.
func (r *AgentReconciler) referringTo(ctx context.Context, workflow client.Object) []ctrl.Request {
	var list v1alpha1.AgentList
	if err := r.Client.List(ctx, &list, within(workflow.GetNamespace()), client.UnsafeDisableDeepCopy); err != nil {
		return nil // only a cache that is shutting down fails to list
	}
	var found []ctrl.Request
	for i := range list.Items {
		if ref := list.Items[i].Spec.WorkflowRef; ref != nil && string(ref.Name) == workflow.GetName() {
			found = append(found, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return found
}
