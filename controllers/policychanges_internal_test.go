// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/policy"
)

// undecided is a cache that cannot be read at first.
type undecided struct {
	client.Reader
	failures int
	lists    int
	actions  []v1alpha1.AgentAction
}

func (u *undecided) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	u.lists++
	if u.lists <= u.failures {
		return errors.New("the cache has not started")
	}
	var o client.ListOptions
	o.ApplyOptions(options)
	into, ok := list.(*v1alpha1.AgentActionList)
	if !ok {
		return fmt.Errorf("asked for a %T", list)
	}
	for _, action := range u.actions {
		if o.Namespace == "" || o.Namespace == action.Namespace {
			into.Items = append(into.Items, action)
		}
	}
	return nil
}

func TestPolicyChangesBringBackWhatTheyConcern(t *testing.T) {
	t.Parallel()
	action := func(namespace, name, agent string) v1alpha1.AgentAction {
		a := v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		a.Spec.AgentRef.Name = v1alpha1.ObjectName(agent)
		return a
	}
	all := []v1alpha1.AgentAction{action("a", "1", "x"), action("a", "2", "y"), action("a", "3", "z"), action("b", "4", "x")}
	agentIn := func(namespace, name string) func(*policy.Store) {
		return func(s *policy.Store) {
			s.SetAgent(&v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: "1", Generation: 1}})
		}
	}
	workflowIn := func(namespace string) func(*policy.Store) {
		return func(s *policy.Store) {
			s.SetWorkflow(&v1alpha1.ApprovalWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "w", UID: "1", Generation: 1}})
		}
	}
	for name, test := range map[string]struct {
		edits    []func(*policy.Store)
		failures int
		want     []string
		lists    int
	}{
		"an agent":                  {edits: []func(*policy.Store){agentIn("a", "x")}, want: []string{"1"}, lists: 1},
		"two agents, one look":      {edits: []func(*policy.Store){agentIn("a", "x"), agentIn("a", "y")}, want: []string{"1", "2"}, lists: 1},
		"a namespace":               {edits: []func(*policy.Store){workflowIn("a"), agentIn("a", "x")}, want: []string{"1", "2", "3"}, lists: 1},
		"everything":                {edits: []func(*policy.Store){workflowIn(v1alpha1.GlobalNamespace), agentIn("a", "x")}, want: []string{"1", "2", "3", "4"}, lists: 1},
		"before the cache can read": {edits: []func(*policy.Store){agentIn("a", "x")}, failures: 2, want: []string{"1"}, lists: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, err := policy.NewStore()
			if err != nil {
				t.Fatal(err)
			}
			for _, edit := range test.edits {
				edit(store)
			}
			queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[ctrl.Request]())
			defer queue.ShutDown()
			cache := &undecided{failures: test.failures, actions: all}
			ctx, stop := context.WithTimeout(t.Context(), time.Minute)
			defer stop()
			if err := (&policyChanges{store: store, actions: cache}).Start(ctx, queue); err != nil {
				t.Fatal(err)
			}
			got := map[string]bool{}
			for range test.want {
				request, _ := queue.Get() // waits
				got[request.Name] = true
				queue.Done(request)
			}
			for _, want := range test.want {
				if !got[want] {
					t.Errorf("action %s did not come back: %v", want, got)
				}
			}
			if queue.Len() != 0 || cache.lists != test.lists {
				t.Errorf("%d more came back, after %d looks", queue.Len(), cache.lists)
			}
		})
	}
}
