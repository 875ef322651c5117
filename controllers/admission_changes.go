// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// guardChanges is a source that brings every agent back to the queue when the
// guard of admission finds a change. Without a guard there are none.
type guardChanges struct {
	guard  *AdmissionGuard
	agents client.Reader // the cache
}

var _ source.SyncingSource = (*guardChanges)(nil)

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
			case <-c.guard.changed:
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

// WaitForSync holds the workers until the guard has looked once, so that no
// agent is called ready for a moment after each start while admission is not
// enforced.
func (c *guardChanges) WaitForSync(ctx context.Context) error {
	if c.guard == nil {
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
	var agents v1alpha1.AgentList
	if err := c.agents.List(ctx, &agents, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list agents in the cache: %w", err)
	}
	for i := range agents.Items {
		queue.Add(ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&agents.Items[i])})
	}
	return nil
}
