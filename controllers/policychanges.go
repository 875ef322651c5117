// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/policy"
)

// policyChanges is a source that brings undecided actions back to the queue
// when policy changes, and holds the workers until policy has been read.
type policyChanges struct {
	store   *policy.Store
	feed    *policy.Feed
	actions client.Reader // the cache of undecided actions
}

var _ source.SyncingSource = (*policyChanges)(nil)

// Start returns at once and goes on until ctx ends.
func (p *policyChanges) Start(ctx context.Context, queue workqueue.TypedRateLimitingInterface[ctrl.Request]) error {
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-p.store.Changes().Signal():
			}
			for p.enqueue(ctx, queue) != nil {
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

// WaitForSync holds the workers: waiting is never denial, so nothing is
// decided before all policy is known.
func (p *policyChanges) WaitForSync(ctx context.Context) error { return p.feed.WaitForSync(ctx) }

// enqueue brings back what the changes may concern, at the cost of one look at
// the undecided actions of each namespace. It fails while the cache cannot be
// read, and then nothing has been taken.
func (p *policyChanges) enqueue(ctx context.Context, queue workqueue.TypedRateLimitingInterface[ctrl.Request]) error {
	scopes := p.store.Changes().Take()
	changed := map[policy.Scope]bool{}
	namespaces := map[string]bool{}
	for _, scope := range scopes {
		changed[scope], namespaces[scope.Namespace] = true, true
	}
	for namespace := range namespaces {
		var undecided v1alpha1.AgentActionList
		err := p.actions.List(ctx, &undecided, client.InNamespace(namespace), client.UnsafeDisableDeepCopy)
		if err != nil {
			p.store.Changes().GiveBack(scopes)
			return fmt.Errorf("list undecided actions in the cache: %w", err)
		}
		for i := range undecided.Items {
			action := &undecided.Items[i]
			agent := string(action.Spec.AgentRef.Name)
			request := ctrl.Request{NamespacedName: client.ObjectKeyFromObject(action)}
			switch {
			case changed[policy.Scope{Namespace: namespace, Agent: agent}]:
				addFirst(queue, request)
			case changed[policy.Scope{Namespace: namespace}]:
				queue.Add(request)
			}
		}
	}
	return nil
}

// addFirst puts a request before those that wait already: a suspended agent's
// pending actions do not stand in line behind a crowd of new ones.
func addFirst(queue workqueue.TypedRateLimitingInterface[ctrl.Request], request ctrl.Request) {
	byPriority, ok := queue.(priorityqueue.PriorityQueue[ctrl.Request])
	if !ok {
		queue.Add(request)
		return
	}
	const first = 100 // new actions have 0, those found at the start -100
	byPriority.AddWithOpts(priorityqueue.AddOpts{Priority: ptr.To(first)}, request)
}
