// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// +kubebuilder:rbac:groups=governance.ascendowkai.com,resources=agentactions,verbs=get;list;watch;patch

// OutcomeNotifier brings outcomes that were reported, and that admission has
// noted by a label, into the outbox: the entry into status first, then the label
// goes. It watches actions that have the label, and only their metadata, so that
// memory does not follow history. A label that nobody waits for any more goes at
// once. It is a manager.Runnable of the leader.
type OutcomeNotifier struct {
	// Outbox takes what is to be told.
	Outbox *Outbox
	// NewCache makes the cache of actions that have the label.
	NewCache func() (cache.Cache, error)

	queue workqueue.TypedRateLimitingInterface[types.NamespacedName]
}

// outcomeWorkers is how many actions are written to at once.
const outcomeWorkers = 4

// LabelledActions makes the cache that an OutcomeNotifier needs.
func LabelledActions(mgr ctrl.Manager) func() (cache.Cache, error) {
	return func() (cache.Cache, error) {
		noted, err := labels.NewRequirement(v1alpha1.OutcomeNotificationLabel, selection.Exists, nil)
		if err != nil {
			return nil, err
		}
		return cache.New(mgr.GetConfig(), cache.Options{
			HTTPClient:       mgr.GetHTTPClient(),
			Scheme:           mgr.GetScheme(),
			Mapper:           mgr.GetRESTMapper(),
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject:         map[client.Object]cache.ByObject{actionMetadata(): {Label: labels.NewSelector().Add(*noted)}},
		})
	}
}

func actionMetadata() *metav1.PartialObjectMetadata {
	metadata := &metav1.PartialObjectMetadata{}
	metadata.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kindAction))
	return metadata
}

// NeedLeaderElection is true: it writes status.
func (n *OutcomeNotifier) NeedLeaderElection() bool { return true }

// Start works until ctx ends.
func (n *OutcomeNotifier) Start(ctx context.Context) error {
	n.queue = workqueue.NewTypedRateLimitingQueue(
		workqueue.NewTypedItemExponentialFailureRateLimiter[types.NamespacedName](firstRetry, lastRetry))
	defer n.queue.ShutDown()
	if err := n.Outbox.Subscriptions.WaitForSync(ctx); err != nil {
		return nil // it was told to stop before it began
	}
	noted, err := n.NewCache()
	if err != nil {
		return fmt.Errorf("watch reported outcomes: %w", err)
	}
	informer, err := noted.GetInformer(ctx, actionMetadata(), cache.BlockUntilSynced(false))
	if err != nil {
		return fmt.Errorf("watch reported outcomes: %w", err)
	}
	add := func(object any) {
		if o, is := object.(client.Object); is {
			n.queue.Add(client.ObjectKeyFromObject(o))
		}
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{AddFunc: add, UpdateFunc: func(_, object any) { add(object) }})
	if err != nil {
		return fmt.Errorf("watch reported outcomes: %w", err)
	}
	for range outcomeWorkers {
		go func() {
			for n.next(ctx) {
			}
		}()
	}
	return noted.Start(ctx)
}

func (n *OutcomeNotifier) next(ctx context.Context) bool {
	key, over := n.queue.Get()
	if over {
		return false
	}
	defer n.queue.Done(key)
	err := n.take(ctx, key)
	if err == nil {
		n.queue.Forget(key)
		return true
	}
	if ctx.Err() == nil && !apierrors.IsConflict(err) {
		log.FromContext(ctx).Error(err, "Cannot tell subscriptions of an outcome yet; trying again", "namespace", key.Namespace, "name", key.Name)
	}
	n.queue.AddRateLimited(key)
	return true
}

// take brings the outcome of one action into the outbox.
func (n *OutcomeNotifier) take(ctx context.Context, key types.NamespacedName) error {
	var live v1alpha1.AgentAction
	if err := n.Outbox.Live.Get(ctx, key, &live); err != nil {
		return client.IgnoreNotFound(err)
	}
	if _, noted := live.Labels[v1alpha1.OutcomeNotificationLabel]; !noted || !live.DeletionTimestamp.IsZero() {
		return nil
	}
	action := &live
	if live.Spec.Outcome != nil {
		var err error
		if action, err = n.Outbox.outcome(ctx, &live); err != nil {
			return client.IgnoreNotFound(err)
		}
	}
	return client.IgnoreNotFound(n.unlabel(ctx, action))
}

// unlabel takes the label off the action as it was read.
func (n *OutcomeNotifier) unlabel(ctx context.Context, action *v1alpha1.AgentAction) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": action.UID, "resourceVersion": action.ResourceVersion,
		"labels": map[string]any{v1alpha1.OutcomeNotificationLabel: nil},
	}})
	if err != nil {
		return fmt.Errorf("write the patch: %w", err)
	}
	metadata := actionMetadata()
	metadata.Namespace, metadata.Name = action.Namespace, action.Name
	if err := n.Outbox.Client.Patch(ctx, metadata, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return fmt.Errorf("take the label %s off: %w", v1alpha1.OutcomeNotificationLabel, err)
	}
	return nil
}

// outcome adds to the status of an action that its outcome was reported, where a
// subscription wants to hear of it, and returns the action as it is then. An
// outcome is reported once, so that its event has the same id however often this
// is tried.
func (o *Outbox) outcome(ctx context.Context, action *v1alpha1.AgentAction) (*v1alpha1.AgentAction, error) {
	what := happening{event: v1alpha1.EventActionExecuted, reason: string(action.Spec.Outcome.Result), message: action.Spec.Outcome.Message}
	if action.Spec.Outcome.Result != v1alpha1.OutcomeSucceeded {
		what.event = v1alpha1.EventActionFailed
	}
	to := o.Subscriptions.Matching(action.Namespace, string(action.Spec.AgentRef.Name), what.event)
	entry := entryOf(action.UID, what, reportedAt(action, o.Clock.Now()), to)
	entry.ID = eventID(action.UID, what.event, "once")
	if len(to) == 0 {
		return action, nil
	}
	if find(action.Status.Notifications, entry.ID) != nil { // the answer to the write was lost
		o.deliver(actionKey(action), action.Status.Notifications)
		return action, nil
	}
	next := action.DeepCopy()
	entries, dropped := newest(append(next.Status.Notifications, entry), maxNotifications)
	for _, old := range next.Status.Notifications[:dropped] {
		o.drop(actionKey(action), old, fmt.Sprintf("more than %d notifications of the action were waiting", maxNotifications))
	}
	next.Status.Notifications = entries
	next.Status.Notification = notificationState(action.Status.Notification, entries, dropped > 0)
	if err := o.write(ctx, next); err != nil {
		return nil, err
	}
	o.deliver(actionKey(next), next.Status.Notifications)
	return next, nil
}

// reportedAt is when the API server stored the outcome, which it notes for the
// field itself; now where it does not say.
func reportedAt(action *v1alpha1.AgentAction, now time.Time) time.Time {
	var at time.Time
	for _, entry := range action.ManagedFields {
		if entry.Subresource != "" || entry.FieldsV1 == nil || entry.Time == nil || !entry.Time.After(at) {
			continue
		}
		var fields struct {
			Spec map[string]json.RawMessage `json:"f:spec"`
		}
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			continue
		}
		if _, has := fields.Spec["f:outcome"]; has {
			at = entry.Time.Time
		}
	}
	if at.IsZero() || at.After(now) {
		return now
	}
	return at
}
