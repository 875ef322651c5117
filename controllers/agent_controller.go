// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// +kubebuilder:rbac:groups=governance.ascendowkai.com,resources=agents,verbs=get;list;watch
// +kubebuilder:rbac:groups=governance.ascendowkai.com,resources=agents/status,verbs=patch

// AgentReconciler says in its Ready condition whether an agent may act. The
// counters of its status are the AgentTally's.
type AgentReconciler struct {
	Client client.Client
}

var _ reconcile.ObjectReconciler[*v1alpha1.Agent] = (*AgentReconciler)(nil)

// SetupWithManager registers the reconciler. An agent is looked at again when
// the workflow it refers to comes or goes.
func (r *AgentReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Agent{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.ApprovalWorkflow{}, handler.EnqueueRequestsFromMapFunc(r.referringTo), builder.WithPredicates(comesOrGoes)).
		Complete(reconcile.AsReconciler(r.Client, r))
}

// Reconcile writes the agent's Ready condition.
func (r *AgentReconciler) Reconcile(ctx context.Context, agent *v1alpha1.Agent) (ctrl.Result, error) {
	said, err := r.readiness(ctx, agent)
	if err != nil {
		return ctrl.Result{}, err
	}
	return writeReadiness(ctx, r.Client, agent, func(o *v1alpha1.Agent) standing {
		return standing{&o.Status.Conditions, &o.Status.ObservedGeneration}
	}, said)
}

func (r *AgentReconciler) readiness(ctx context.Context, agent *v1alpha1.Agent) (readiness, error) {
	spec := &agent.Spec
	switch spec.State {
	case v1alpha1.AgentSuspended:
		return notReady(v1alpha1.ReasonSuspended, "new and pending actions are denied until spec.state is Active"), nil
	case v1alpha1.AgentRetired:
		return notReady(v1alpha1.ReasonRetired, "new and pending actions are denied"), nil
	case v1alpha1.AgentActive:
	default:
		return notReady(v1alpha1.ReasonAgentStateUnknown, fmt.Sprintf("spec.state: %q is not known, so all actions are denied", spec.State)), nil
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
