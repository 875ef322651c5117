// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/policy"
)

// +kubebuilder:rbac:groups=governance.ascendowkai.com,resources=approvalworkflows,verbs=get;list;watch
// +kubebuilder:rbac:groups=governance.ascendowkai.com,resources=approvalworkflows/status,verbs=patch

// ApprovalWorkflowReconciler says in its Ready condition whether a workflow works.
type ApprovalWorkflowReconciler struct {
	Client client.Client
	Policy *policy.Store
}

var _ reconcile.ObjectReconciler[*v1alpha1.ApprovalWorkflow] = (*ApprovalWorkflowReconciler)(nil)

// SetupWithManager registers the reconciler.
func (r *ApprovalWorkflowReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.ApprovalWorkflow{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Complete(reconcile.AsReconciler(r.Client, r))
}

// Reconcile writes the workflow's Ready condition.
func (r *ApprovalWorkflowReconciler) Reconcile(ctx context.Context, workflow *v1alpha1.ApprovalWorkflow) (ctrl.Result, error) {
	compiled, known := r.Policy.Workflow(workflow)
	if !known {
		return ctrl.Result{RequeueAfter: watchLag}, nil
	}
	return writeReadiness(ctx, r.Client, workflow, func(o *v1alpha1.ApprovalWorkflow) standing {
		return standing{&o.Status.Conditions, &o.Status.ObservedGeneration}
	}, workflowReadiness(workflow, compiled))
}

func workflowReadiness(workflow *v1alpha1.ApprovalWorkflow, compiled *approval.Workflow) readiness {
	if err := compiled.Err(); err != nil {
		return notReady(v1alpha1.ReasonCompileFailed,
			fmt.Sprintf("the workflow asks a human in every case, until this is corrected: %v", err))
	}
	if workflow.Spec.Selector == nil {
		return ready("the workflow applies where a rule or an agent refers to it")
	}
	return ready("the workflow applies to what its selector covers")
}
