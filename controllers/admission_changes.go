// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// guardChanges is a source that brings every object of a kind in the cache back
// to the queue when the guard of admission gives a sign. Without a guard there
// is none.
type guardChanges struct {
	guard *AdmissionGuard
	sign  <-chan struct{}
	// waits holds the workers until the guard has looked once.
	waits bool
	cache client.Reader
	list  func() client.ObjectList
}

var _ source.SyncingSource = (*guardChanges)(nil)

// changes brings agents back, whose condition tells what the guard finds. They
// wait for its first look, so that no agent is called ready for a moment after
// each start while admission is not enforced.
func (g *AdmissionGuard) changes(cache client.Reader) *guardChanges {
	found := &guardChanges{guard: g, waits: true, cache: cache, list: func() client.ObjectList { return &v1alpha1.AgentList{} }}
	if g != nil {
		found.sign = g.changed
	}
	return found
}

// voids brings undecided actions back, some of whose approvals are void now.
func (g *AdmissionGuard) voids(cache client.Reader) *guardChanges {
	found := &guardChanges{guard: g, cache: cache, list: func() client.ObjectList { return &v1alpha1.AgentActionList{} }}
	if g != nil {
		found.sign = g.voided
	}
	return found
}

// Start returns at once and goes on until ctx ends.
func (c *guardChanges) Start(ctx context.Context, queue workqueue.TypedRateLimitingInterface[ctrl.Request]) error {
	if c.guard == nil {
		return nil
	}
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-c.sign:
			}
			for c.enqueue(ctx, queue) != nil {
				select {
				case <-ctx.Done():
					return
				case <-time.After(watchLag): // the cache has not started yet
				}
			}
		}
	}()
	return nil
}

// WaitForSync holds the workers, where they wait.
func (c *guardChanges) WaitForSync(ctx context.Context) error {
	if c.guard == nil || !c.waits {
		return nil
	}
	select {
	case <-c.guard.looked:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the first look at the configuration of admission: %w", ctx.Err())
	}
}

func (c *guardChanges) enqueue(ctx context.Context, queue workqueue.TypedRateLimitingInterface[ctrl.Request]) error {
	all := c.list()
	if err := c.cache.List(ctx, all, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list %T in the cache: %w", all, err)
	}
	return apimeta.EachListItem(all, func(item runtime.Object) error {
		object, err := apimeta.Accessor(item)
		if err != nil {
			return err
		}
		queue.Add(ctrl.Request{NamespacedName: types.NamespacedName{Namespace: object.GetNamespace(), Name: object.GetName()}})
		return nil
	})
}
