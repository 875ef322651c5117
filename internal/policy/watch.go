// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"errors"
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Feed brings the objects of a cache to a store as the watch delivers them,
// without a queue in between, so that a change counts for the next decision.
type Feed struct {
	mu            sync.Mutex
	registrations []toolscache.ResourceEventHandlerRegistration
}

// NewFeed connects the store to the cache: rules, workflows, the risk model,
// agents, and the labels of namespaces.
func NewFeed(ctx context.Context, from cache.Cache, store *Store) (*Feed, error) {
	f := &Feed{}
	namespaces := &metav1.PartialObjectMetadata{}
	namespaces.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "Namespace"})
	return f, errors.Join(
		connect(ctx, f, from, &v1alpha1.SmartRule{}, store.SetRule, store.RemoveRule),
		connect(ctx, f, from, &v1alpha1.ApprovalWorkflow{}, store.SetWorkflow, store.RemoveWorkflow),
		connect(ctx, f, from, &v1alpha1.RiskModel{}, store.SetModel, store.RemoveModel),
		connect(ctx, f, from, &v1alpha1.Agent{}, store.SetAgent, store.RemoveAgent),
		connect(ctx, f, from, namespaces, store.SetNamespace, store.RemoveNamespace),
	)
}

// connect registers handlers for one kind.
func connect[T client.Object](ctx context.Context, f *Feed, from cache.Cache, kind T, set, remove func(T)) error {
	informer, err := from.GetInformer(ctx, kind)
	if err != nil {
		return fmt.Errorf("watch %T: %w", kind, err)
	}
	registration, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) {
			if o, ok := object.(T); ok {
				set(o)
			}
		},
		UpdateFunc: func(_, object any) {
			if o, ok := object.(T); ok {
				set(o)
			}
		},
		DeleteFunc: func(object any) {
			if gone, ok := object.(toolscache.DeletedFinalStateUnknown); ok {
				object = gone.Obj
			}
			if o, ok := object.(T); ok {
				remove(o)
			}
		},
	})
	if err != nil {
		return fmt.Errorf("watch %T: %w", kind, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.registrations = append(f.registrations, registration)
	return nil
}

// Synced says whether the store has every object that existed when the watch
// began. Before that, nothing may be decided.
func (f *Feed) Synced() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.registrations {
		if !r.HasSynced() {
			return false
		}
	}
	return true
}

// WaitForSync waits until Synced, or the end of ctx, whose error it returns.
func (f *Feed) WaitForSync(ctx context.Context) error {
	if !toolscache.WaitForCacheSync(ctx.Done(), f.Synced) {
		return fmt.Errorf("policy has not been read completely: %w", context.Cause(ctx))
	}
	return nil
}
