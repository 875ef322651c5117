// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// +kubebuilder:rbac:groups=governance.ascendowkai.com,resources=webhooksubscriptions,verbs=get;list;watch
// +kubebuilder:rbac:groups=governance.ascendowkai.com,resources=webhooksubscriptions/status,verbs=patch

// WebhookSubscriptionReconciler checks what a subscription refers to. This
// version keeps subscriptions and sends nothing, and the Ready condition says so.
type WebhookSubscriptionReconciler struct {
	Client client.Client
}

var _ reconcile.ObjectReconciler[*v1alpha1.WebhookSubscription] = (*WebhookSubscriptionReconciler)(nil)

// SetupWithManager registers the reconciler. A subscription is looked at again
// when the agent it refers to comes or goes.
func (r *WebhookSubscriptionReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.WebhookSubscription{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Agent{}, handler.EnqueueRequestsFromMapFunc(r.referringTo), builder.WithPredicates(comesOrGoes)).
		Complete(reconcile.AsReconciler(r.Client, r))
}

// Reconcile writes the subscription's Ready condition.
func (r *WebhookSubscriptionReconciler) Reconcile(ctx context.Context, subscription *v1alpha1.WebhookSubscription) (ctrl.Result, error) {
	said, err := r.readiness(ctx, subscription)
	if err != nil {
		return ctrl.Result{}, err
	}
	return writeReadiness(ctx, r.Client, subscription, func(o *v1alpha1.WebhookSubscription) standing {
		return standing{&o.Status.Conditions, &o.Status.ObservedGeneration}
	}, said)
}

func (r *WebhookSubscriptionReconciler) readiness(ctx context.Context, subscription *v1alpha1.WebhookSubscription) (readiness, error) {
	if ref := subscription.Spec.AgentRef; ref != nil {
		key := types.NamespacedName{Namespace: subscription.Namespace, Name: string(ref.Name)}
		err := r.Client.Get(ctx, key, &v1alpha1.Agent{})
		if apierrors.IsNotFound(err) {
			return notReady(v1alpha1.ReasonReferenceNotFound, fmt.Sprintf("spec.agentRef: there is no Agent %s", key)), nil
		}
		if err != nil {
			return readiness{}, fmt.Errorf("look for agent %s: %w", key, err)
		}
	}
	return notReady(v1alpha1.ReasonNotUsed, "the subscription is kept, but this version of the operator sends no notifications yet"), nil
}

// referringTo finds the subscriptions to one agent.
func (r *WebhookSubscriptionReconciler) referringTo(ctx context.Context, agent client.Object) []ctrl.Request {
	var list v1alpha1.WebhookSubscriptionList
	if err := r.Client.List(ctx, &list, client.InNamespace(agent.GetNamespace()), client.UnsafeDisableDeepCopy); err != nil {
		return nil // only a cache that is shutting down fails to list
	}
	var found []ctrl.Request
	for i := range list.Items {
		if ref := list.Items[i].Spec.AgentRef; ref != nil && string(ref.Name) == agent.GetName() {
			found = append(found, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return found
}
