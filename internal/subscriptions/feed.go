// SPDX-License-Identifier: Apache-2.0

package subscriptions

import (
	"context"
	"fmt"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Feed keeps a registry up to date, without a queue in between. It is for every
// replica: all of them serve admission.
type Feed struct {
	*Registry
	registration toolscache.ResourceEventHandlerRegistration
}

// NewFeed connects a new registry to the cache.
func NewFeed(ctx context.Context, from cache.Cache) (*Feed, error) {
	f := &Feed{Registry: &Registry{}}
	informer, err := from.GetInformer(ctx, &v1alpha1.WebhookSubscription{})
	if err != nil {
		return nil, fmt.Errorf("watch subscriptions: %w", err)
	}
	set := func(object any) {
		if o, ok := object.(*v1alpha1.WebhookSubscription); ok {
			f.Set(o)
		}
	}
	f.registration, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    set,
		UpdateFunc: func(_, object any) { set(object) },
		DeleteFunc: func(object any) {
			if gone, ok := object.(toolscache.DeletedFinalStateUnknown); ok {
				object = gone.Obj
			}
			if o, ok := object.(*v1alpha1.WebhookSubscription); ok {
				f.Remove(o)
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("watch subscriptions: %w", err)
	}
	return f, nil
}

// Synced says whether the registry has every subscription that existed when the
// watch began. Before that, nothing may be decided: nobody would hear of it.
func (f *Feed) Synced() bool { return f.registration.HasSynced() }

// WaitForSync waits until Synced, or the end of ctx, whose error it returns.
func (f *Feed) WaitForSync(ctx context.Context) error {
	if !toolscache.WaitForCacheSync(ctx.Done(), f.Synced) {
		return fmt.Errorf("subscriptions have not been read completely: %w", context.Cause(ctx))
	}
	return nil
}

// Subscribed says whether a subscription wants to hear of an event of that
// agent's actions, or whether that is not known yet.
func (f *Feed) Subscribed(namespace, agent string, event v1alpha1.EventType) bool {
	return !f.Synced() || f.Any(namespace, agent, event)
}
