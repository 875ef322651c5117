// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"

	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/ratelimit"
)

// WatchSubmissions tells the limiter what the cache's watches bring: the agents,
// with what their status says of submissions, and each new action, so that what
// another replica has let in counts here, too. It is for every replica, not only
// the leader. Actions that were there when the watch began do not count, for the
// status has them.
func WatchSubmissions(ctx context.Context, from cache.Cache, limiter *ratelimit.Limiter, passive clock.PassiveClock) error {
	s := submissions{limiter: limiter, clock: passive}
	return errors.Join(
		s.handle(ctx, from, &v1alpha1.AgentAction{}, toolscache.ResourceEventHandlerDetailedFuncs{AddFunc: s.submitted}),
		s.handle(ctx, from, &v1alpha1.Agent{}, toolscache.ResourceEventHandlerFuncs{
			AddFunc:    s.agent,
			UpdateFunc: func(_, agent any) { s.agent(agent) },
			DeleteFunc: s.agentGone,
		}),
	)
}

// submissions are the handlers between the cache and the limiter.
type submissions struct {
	limiter *ratelimit.Limiter
	clock   clock.PassiveClock
}

func (s submissions) handle(ctx context.Context, from cache.Cache, kind client.Object, handler toolscache.ResourceEventHandler) error {
	informer, err := from.GetInformer(ctx, kind)
	if err != nil {
		return fmt.Errorf("watch %T: %w", kind, err)
	}
	if _, err := informer.AddEventHandler(handler); err != nil {
		return fmt.Errorf("watch %T: %w", kind, err)
	}
	return nil
}

// submitted counts an action that admission has let in. After a watch was cut
// off it comes late: beyond the time for which the limiter knows names it might
// be counted twice, and the status of the agent tells of it instead.
func (s submissions) submitted(object any, isInInitialList bool) {
	action, ok := object.(*v1alpha1.AgentAction)
	if !ok || isInInitialList || action.Spec.Requester == nil || action.Spec.Requester.Seal == "" {
		return
	}
	if now := s.clock.Now(); now.Sub(action.CreationTimestamp.Time) < ratelimit.Remembered {
		s.limiter.Observe(agentKey(action), action.Name, now)
	}
}

// agent tells what the status says: where to begin, and what the watch has missed.
func (s submissions) agent(object any) {
	if agent, ok := object.(*v1alpha1.Agent); ok {
		s.limiter.Seed(client.ObjectKeyFromObject(agent), agent.Status.Submissions, s.clock.Now())
	}
}

func (s submissions) agentGone(object any) {
	if gone, ok := object.(toolscache.DeletedFinalStateUnknown); ok {
		object = gone.Obj
	}
	if agent, ok := object.(*v1alpha1.Agent); ok {
		s.limiter.Forget(client.ObjectKeyFromObject(agent))
	}
}
