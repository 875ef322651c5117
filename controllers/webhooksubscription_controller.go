// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
	"github.com/ow-kai/ascend-operator/internal/subscriptions"
)

// +kubebuilder:rbac:groups=governance.ascendowkai.com,resources=webhooksubscriptions,verbs=get;list;watch
// +kubebuilder:rbac:groups=governance.ascendowkai.com,resources=webhooksubscriptions/status,verbs=patch

// No marker gives it Secrets: a Role in the namespace of a subscription does,
// for each Secret by its name.

// WebhookSubscriptionReconciler says in the Ready condition whether deliveries
// can be made, has the queue try again what could not, and sends samples.
type WebhookSubscriptionReconciler struct {
	Client client.Client
	// Targets read what a subscription refers to.
	Targets *Targets
	// Queue has the deliveries that wait.
	Queue *notify.Queue
	// Sender sends samples.
	Sender notify.Poster
	// Statistics are told what became of samples.
	Statistics *SubscriptionStatistics
	// Clock tells the time.
	Clock clock.PassiveClock

	samples samples
}

var _ reconcile.ObjectReconciler[*v1alpha1.WebhookSubscription] = (*WebhookSubscriptionReconciler)(nil)

const (
	// subscriptionWorkers is how many subscriptions are looked at at once.
	subscriptionWorkers = 4
	// secretPoll is how soon Secrets that could not be used are looked at again,
	// and secretCheck how often the others: nobody tells the operator of a
	// Secret, for it may watch none.
	secretPoll  = 10 * time.Second
	secretCheck = 5 * time.Minute
)

// SetupWithManager registers the reconciler. A subscription is looked at again
// when the agent it refers to comes or goes.
func (r *WebhookSubscriptionReconciler) SetupWithManager(mgr ctrl.Manager) error {
	changed := predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.WebhookSubscription{}, builder.WithPredicates(changed)).
		Watches(&v1alpha1.Agent{}, handler.EnqueueRequestsFromMapFunc(r.referringTo), builder.WithPredicates(comesOrGoes)).
		Watches(&v1alpha1.WebhookSubscription{}, r.deleted()).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: subscriptionWorkers,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[ctrl.Request](firstRetry, lastRetry),
		}).
		Complete(reconcile.AsReconciler(r.Client, r))
}

// deleted ends what waits for a subscription that is gone: the queue finds that
// out by itself, with each delivery that it tries.
func (r *WebhookSubscriptionReconciler) deleted() handler.EventHandler {
	return handler.Funcs{DeleteFunc: func(_ context.Context, gone event.DeleteEvent, _ workqueue.TypedRateLimitingInterface[ctrl.Request]) {
		key := client.ObjectKeyFromObject(gone.Object)
		r.samples.forget(key)
		r.Targets.Forget(key)
		r.Queue.Wake(key)
	}}
}

// Reconcile sends the sample that somebody asked for, and writes the
// subscription's Ready condition.
func (r *WebhookSubscriptionReconciler) Reconcile(ctx context.Context, subscription *v1alpha1.WebhookSubscription) (ctrl.Result, error) {
	key := client.ObjectKeyFromObject(subscription)
	before := apimeta.FindStatusCondition(subscription.Status.Conditions, v1alpha1.ConditionReady).DeepCopy()
	if before == nil || before.ObservedGeneration != subscription.Generation {
		r.Targets.Forget(key)
		r.Queue.Wake(key)
	}
	r.sampleIfAsked(ctx, subscription)
	said, err := r.readiness(ctx, subscription)
	if err != nil {
		return ctrl.Result{}, err
	}
	result, err := writeReadiness(ctx, r.Client, subscription, func(o *v1alpha1.WebhookSubscription) standing {
		return standing{&o.Status.Conditions, &o.Status.ObservedGeneration}
	}, said)
	if err != nil || result.RequeueAfter > 0 {
		return result, err
	}
	if said.status == metav1.ConditionTrue && before != nil && before.Status != metav1.ConditionTrue {
		r.Targets.Forget(key)
		r.Queue.Wake(key)
	}
	return ctrl.Result{RequeueAfter: r.nextLook(subscription, said)}, nil
}

// nextLook is when to look at a subscription's Secrets again; 0 where it has none.
func (r *WebhookSubscriptionReconciler) nextLook(subscription *v1alpha1.WebhookSubscription, said readiness) time.Duration {
	spec := &subscription.Spec
	switch {
	case spec.SecretRef == nil && spec.URLFrom == nil:
		return 0
	case said.reason == v1alpha1.ReasonSecretNotReadable || said.reason == v1alpha1.ReasonSecretInvalid:
		return secretPoll
	default:
		return secretCheck
	}
}

func (r *WebhookSubscriptionReconciler) readiness(ctx context.Context, subscription *v1alpha1.WebhookSubscription) (readiness, error) {
	if subscriptions.Gone(subscription) {
		gone := goneCondition(subscription.Generation)
		return readiness{gone.Status, gone.Reason, gone.Message}, nil
	}
	if ref := subscription.Spec.AgentRef; ref != nil {
		key := types.NamespacedName{Namespace: subscription.Namespace, Name: string(ref.Name)}
		err := r.Client.Get(ctx, key, &v1alpha1.Agent{})
		if apierrors.IsNotFound(err) {
			return notReady(v1alpha1.ReasonReferenceNotFound, fmt.Sprintf("spec.agentRef: there is no Agent %s, so nothing is sent until there is", key)), nil
		}
		if err != nil {
			return readiness{}, fmt.Errorf("look for agent %s: %w", key, err)
		}
	}
	_, note, err := r.Targets.Look(ctx, subscription)
	if unusable := (*targetError)(nil); errors.As(err, &unusable) {
		return notReady(unusable.reason, unusable.message), nil
	}
	if err != nil {
		return readiness{}, err
	}
	return ready("deliveries can be made" + note), nil
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
