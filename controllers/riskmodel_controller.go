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
	"github.com/ow-kai/ascend-operator/internal/policy"
)

// +kubebuilder:rbac:groups=governance.ascendowkai.com,resources=riskmodels,verbs=get;list;watch
// +kubebuilder:rbac:groups=governance.ascendowkai.com,resources=riskmodels/status,verbs=patch

// RiskModelReconciler says in its Ready condition whether a model works.
type RiskModelReconciler struct {
	Client client.Client
	Policy *policy.Store
}

var _ reconcile.ObjectReconciler[*v1alpha1.RiskModel] = (*RiskModelReconciler)(nil)

// SetupWithManager registers the reconciler.
func (r *RiskModelReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.RiskModel{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Complete(reconcile.AsReconciler(r.Client, r))
}

// Reconcile writes the model's Ready condition.
func (r *RiskModelReconciler) Reconcile(ctx context.Context, model *v1alpha1.RiskModel) (ctrl.Result, error) {
	said := notReady(v1alpha1.ReasonNotUsed, fmt.Sprintf("only the RiskModel named %q is used", v1alpha1.DefaultRiskModelName))
	if model.Name == v1alpha1.DefaultRiskModelName {
		state, known := r.Policy.Model(model)
		if !known {
			return ctrl.Result{RequeueAfter: watchLag}, nil
		}
		said = modelReadiness(state)
	}
	return writeReadiness(ctx, r.Client, model, func(o *v1alpha1.RiskModel) standing {
		return standing{&o.Status.Conditions, &o.Status.ObservedGeneration}
	}, said)
}

func modelReadiness(state *policy.ModelState) readiness {
	if state.Err != nil {
		return notReady(v1alpha1.ReasonCompileFailed,
			fmt.Sprintf("what these entries would score is scored 9.5 or more and left to a human, until they are corrected: %v", state.Err))
	}
	return ready("the model scores every action")
}
