// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"net/http"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// cluster is a cluster with one user, and an operator of which the test says
// what it does. The zero value lets the user, alice of ascend-approvers, do
// everything; admission stamps her verdicts, and nobody evaluates them.
type cluster struct {
	objects []client.Object
	me      *authenticationv1.UserInfo
	// refusal is what admission says to every verdict; empty: it stamps them.
	refusal string
	// unwatchable: the user may not watch.
	unwatchable bool
	// meanwhile is what others write before the n-th patch of the user.
	meanwhile []func(*v1alpha1.AgentAction)
	// operator evaluates the action after the user wrote to it; nil: never.
	operator func(*v1alpha1.AgentAction)
	// all: the operator evaluates every action that the user wrote to, not only
	// act-ghi789.
	all bool
	// watched is told of every watch that has begun; nil: nobody.
	watched chan struct{}

	patches int
	store   client.WithWatch
}

var alice = authenticationv1.UserInfo{Username: "alice", UID: "uid-alice", Groups: []string{"ascend-approvers", "system:authenticated"}}

func forbidden(verb, resource, name string) error {
	return apierrors.NewForbidden(schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: resource}, name,
		refusalError("User cannot "+verb+" it"))
}

type refusalError string

func (e refusalError) Error() string { return string(e) }

// dial makes the client of the program under test.
func (c *cluster) dial(t *testing.T) func(*rest.Config) (client.WithWatch, error) {
	t.Helper()
	kinds, err := session.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	c.store = fake.NewClientBuilder().WithScheme(kinds).WithObjects(c.objects...).
		WithStatusSubresource(&v1alpha1.AgentAction{}).
		WithIndex(&v1alpha1.AgentAction{}, actions.FieldAgentName, index(func(a *v1alpha1.AgentAction) string { return string(a.Spec.AgentRef.Name) })).
		WithIndex(&v1alpha1.AgentAction{}, actions.FieldDecision, index(func(a *v1alpha1.AgentAction) string { return string(a.Status.Decision) })).
		WithIndex(&v1alpha1.AgentAction{}, "metadata.name", index(func(a *v1alpha1.AgentAction) string { return a.Name })).
		Build()
	return func(*rest.Config) (client.WithWatch, error) {
		return interceptor.NewClient(c.store, interceptor.Funcs{Create: c.create, Patch: c.patch, Watch: c.watch}), nil
	}
}

// index makes a field of actions selectable.
func index(field func(*v1alpha1.AgentAction) string) client.IndexerFunc {
	return func(object client.Object) []string {
		action, ok := object.(*v1alpha1.AgentAction)
		if !ok {
			return nil
		}
		return []string{field(action)}
	}
}

func (c *cluster) create(_ context.Context, _ client.WithWatch, object client.Object, _ ...client.CreateOption) error {
	if review, isReview := object.(*authenticationv1.SelfSubjectReview); isReview {
		review.Status.UserInfo = c.user()
	}
	return nil
}

func (c *cluster) user() authenticationv1.UserInfo {
	if c.me != nil {
		return *c.me
	}
	return alice
}

// patch lets others write first, and counts the generation as an API server does.
func (c *cluster) patch(ctx context.Context, store client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
	key := client.ObjectKeyFromObject(object)
	if c.patches < len(c.meanwhile) {
		if err := c.write(ctx, key, c.meanwhile[c.patches]); err != nil {
			return err
		}
	}
	c.patches++
	if c.refusal != "" {
		return denied(c.refusal)
	}
	if err := store.Patch(ctx, object, patch, options...); err != nil {
		return err
	}
	if dry := (&client.PatchOptions{}).ApplyOptions(options).DryRun; len(dry) > 0 {
		return nil
	}
	if err := c.write(ctx, key, c.stamp); err != nil {
		return err
	}
	if err := store.Get(ctx, key, object); err != nil {
		return err
	}
	object.SetGeneration(object.GetGeneration() + 1)
	return nil
}

// stamp completes the latest verdict, as admission does.
func (c *cluster) stamp(action *v1alpha1.AgentAction) {
	given := &action.Spec.Approvals[len(action.Spec.Approvals)-1]
	given.Approver, given.UID, given.Time = c.user().Username, c.user().UID, micro(testNow)
	if given.Verdict == v1alpha1.VerdictOverride {
		given.Stage = v1alpha1.OverrideStage
		if len(action.Spec.Approvals) > 1 {
			given.Stage += "@2025-12-19T14:02:10.000000Z"
		}
	}
}

// denied is how the API server tells of a refusal by admission.
func denied(message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden,
		Message: `admission webhook "agentactions.governance.ascendowkai.com" denied the request: ` + message,
	}}
}

// watch lets the operator do its work once somebody watches.
func (c *cluster) watch(ctx context.Context, store client.WithWatch, list client.ObjectList, options ...client.ListOption) (watch.Interface, error) {
	if c.unwatchable {
		if err := c.operate(ctx); err != nil {
			return nil, err
		}
		return nil, forbidden("watch", "agentactions", "")
	}
	changes, err := store.Watch(ctx, list, options...)
	if err != nil {
		return nil, err
	}
	if c.watched != nil {
		c.watched <- struct{}{}
	}
	return changes, c.operate(ctx)
}

func (c *cluster) operate(ctx context.Context) error {
	if c.operator == nil {
		return nil
	}
	keys := []client.ObjectKey{{Namespace: "default", Name: "act-ghi789"}}
	if c.all {
		list := &v1alpha1.AgentActionList{}
		if err := c.store.List(ctx, list); err != nil {
			return err
		}
		keys = nil
		for i := range list.Items {
			if action := &list.Items[i]; action.Status.Decision == v1alpha1.DecisionPending && givenBy(action, c.user()) > 0 {
				keys = append(keys, client.ObjectKeyFromObject(action))
			}
		}
	}
	for _, key := range keys {
		if err := c.write(ctx, key, func(action *v1alpha1.AgentAction) {
			c.operator(action)
			action.Status.ObservedGeneration = action.Generation + 1
		}); err != nil {
			return err
		}
	}
	return nil
}

// write changes spec and status of an action as somebody else.
func (c *cluster) write(ctx context.Context, key client.ObjectKey, change func(*v1alpha1.AgentAction)) error {
	action := &v1alpha1.AgentAction{}
	if err := c.store.Get(ctx, key, action); err != nil {
		return err
	}
	change(action)
	status := action.Status
	if err := c.store.Update(ctx, action); err != nil {
		return err
	}
	action.Status = status
	return c.store.Status().Update(ctx, action)
}

// stored reads an action back.
func (c *cluster) stored(t *testing.T, name string) *v1alpha1.AgentAction {
	t.Helper()
	action := &v1alpha1.AgentAction{}
	if err := c.store.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: name}, action); err != nil {
		t.Fatal(err)
	}
	return action
}
