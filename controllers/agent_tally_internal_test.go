// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func agentNamed(name string) *v1alpha1.Agent {
	return &v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
}

func actionOf(agent string, n int, decision v1alpha1.Decision) *v1alpha1.AgentAction {
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprintf("%s-%d", agent, n)}}
	action.Spec.AgentRef.Name = v1alpha1.ObjectName(agent)
	action.Status.Decision = decision
	return action
}

// faults counts the writes of status, and makes them fail while err is set.
type faults struct {
	writes int
	err    error
}

// tallied returns a tally over a store of these objects.
func tallied(t *testing.T, objects ...client.Object) (*AgentTally, *faults) {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	f := &faults{}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(&v1alpha1.Agent{}).
		WithInterceptorFuncs(interceptor.Funcs{SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			if f.err != nil {
				return f.err
			}
			f.writes++
			return c.SubResource(sub).Patch(ctx, o, p, opts...)
		}}).Build()
	return &AgentTally{Client: c}, f
}

func countsOf(t *testing.T, tally *AgentTally, agent string) v1alpha1.AgentStatus {
	t.Helper()
	object := agentNamed(agent)
	if err := tally.Client.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
		t.Fatal(err)
	}
	return object.Status
}

func TestManyDecisionsAreOneWrite(t *testing.T) {
	t.Parallel()
	tally, faults := tallied(t, agentNamed("a"), agentNamed("idle"), actionOf("a", 1, v1alpha1.DecisionPending), actionOf("a", 2, v1alpha1.DecisionNone))
	for i := range 100 {
		tally.Decided(actionOf("a", i, ""), v1alpha1.DecisionApproved, submittedAt.Add(time.Duration(i)*time.Second))
	}
	tally.Decided(actionOf("a", 0, ""), v1alpha1.DecisionDenied, submittedAt)
	tally.Decided(actionOf("a", 0, ""), v1alpha1.DecisionTimedOut, submittedAt)
	tally.Decided(actionOf("a", 0, ""), v1alpha1.DecisionCancelled, submittedAt)
	tally.Decided(actionOf("nobody", 0, ""), v1alpha1.DecisionDenied, submittedAt)
	for range 3 {
		if err := tally.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got := countsOf(t, tally, "a")
	if want := (v1alpha1.ActionCounts{Approved: 100, Denied: 1, TimedOut: 1, Pending: 1}); got.Actions != want {
		t.Errorf("counts %+v, want %+v", got.Actions, want)
	}
	if !got.LastActionTime.Time.Equal(submittedAt.Add(99 * time.Second)) {
		t.Errorf("last action at %s", got.LastActionTime)
	}
	if faults.writes != 1 {
		t.Errorf("%d writes", faults.writes)
	}
	if len(tally.unwritten) != 0 {
		t.Errorf("kept: %v", tally.unwritten)
	}
}

func TestPendingGoesBackToNone(t *testing.T) {
	t.Parallel()
	before := agentNamed("a") // as an operator that was killed has left it
	before.Status.Actions = v1alpha1.ActionCounts{Approved: 5, Pending: 3}
	tally, faults := tallied(t, before)
	if err := tally.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := countsOf(t, tally, "a").Actions; got.Pending != 0 || got.Approved != 5 || faults.writes != 1 {
		t.Errorf("counts %+v after %d writes", got, faults.writes)
	}
}

func TestCountsAreNeitherLostNorAddedTwice(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{
		"conflict": apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("agents").GroupResource(), "a", nil),
		"outage":   apierrors.NewServiceUnavailable("the API server is away"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tally, faults := tallied(t, agentNamed("a"))
			tally.Decided(actionOf("a", 1, ""), v1alpha1.DecisionApproved, submittedAt)
			faults.err = failure
			if err := tally.flush(t.Context()); (err == nil) != (name == "conflict") {
				t.Errorf("a %s gives the error %v", name, err)
			}
			tally.Decided(actionOf("a", 2, ""), v1alpha1.DecisionApproved, submittedAt)
			faults.err = nil
			for range 2 {
				if err := tally.flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if got := countsOf(t, tally, "a").Actions.Approved; got != 2 {
				t.Errorf("%d approved, want 2", got)
			}
		})
	}
}
