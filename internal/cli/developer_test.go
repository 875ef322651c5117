// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// workshop is a cluster as a developer of agents sees it. The zero value lets
// them do everything, and its operator never looks at an action.
type workshop struct {
	objects []client.Object
	// operator changes what is created or patched, as soon as it is.
	operator func(*v1alpha1.AgentAction)
	// later is what happens to act-ghi789, one after the other, to whoever watches.
	later []func(*v1alpha1.AgentAction)
	// tested is how the receiver of a subscription answers a sample; nil: the
	// operator sends none.
	tested *v1alpha1.SubscriptionTest
	// refuse fails a request; nil lets it pass.
	refuse func(verb, kind string) error

	store client.WithWatch
}

// refuses is a workshop's refuse for single requests, given as "verb kind".
func refuses(requests ...string) func(verb, kind string) error {
	return func(verb, kind string) error {
		if !slices.Contains(requests, verb+" "+kind) {
			return nil
		}
		return apierrors.NewForbidden(schema.GroupResource{Resource: kind}, "", errors.New("user alice cannot "+verb+" it"))
	}
}

func (w *workshop) check(verb string, object runtime.Object) error {
	if w.refuse == nil {
		return nil
	}
	kind := fmt.Sprintf("%T", object)
	return w.refuse(verb, kind[strings.LastIndexByte(kind, '.')+1:])
}

// dial makes the client of the program under test.
func (w *workshop) dial(t *testing.T) func(*rest.Config) (client.WithWatch, error) {
	t.Helper()
	kinds, err := session.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	byName := func(object client.Object) []string { return []string{object.GetName()} }
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "ascend-agent-submitter"}}
	w.store = fake.NewClientBuilder().WithScheme(kinds).WithObjects(append(w.objects, role)...).
		WithStatusSubresource(&v1alpha1.AgentAction{}, &v1alpha1.Agent{}, &v1alpha1.WebhookSubscription{}).
		WithIndex(&v1alpha1.WebhookSubscription{}, metav1.ObjectNameField, byName).
		WithIndex(&v1alpha1.AgentAction{}, metav1.ObjectNameField, byName).
		WithIndex(&v1alpha1.Agent{}, metav1.ObjectNameField, byName).
		WithIndex(&v1alpha1.AgentAction{}, actions.FieldAgentName, index(func(a *v1alpha1.AgentAction) string { return string(a.Spec.AgentRef.Name) })).
		WithIndex(&v1alpha1.AgentAction{}, actions.FieldDecision, index(func(a *v1alpha1.AgentAction) string { return string(a.Status.Decision) })).
		Build()
	return func(*rest.Config) (client.WithWatch, error) {
		return interceptor.NewClient(w.store, interceptor.Funcs{
			Create: w.create, Patch: w.patch, Watch: w.watch, Get: w.get, List: w.list, SubResourceCreate: w.token,
		}), nil
	}
}

func (w *workshop) get(ctx context.Context, store client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	if err := w.check("get", object); err != nil {
		return err
	}
	return store.Get(ctx, key, object, options...)
}

func (w *workshop) list(ctx context.Context, store client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
	if err := w.check("list", list); err != nil {
		return err
	}
	return store.List(ctx, list, options...)
}

func (w *workshop) create(ctx context.Context, store client.WithWatch, object client.Object, options ...client.CreateOption) error {
	switch object := object.(type) {
	case *authenticationv1.SelfSubjectReview:
		object.Status.UserInfo = alice
		return nil
	case *authorizationv1.SelfSubjectAccessReview:
		asked := object.Spec.ResourceAttributes
		object.Status.Allowed = w.refuse == nil || w.refuse(asked.Verb, asked.Resource) == nil
		return nil
	}
	if err := w.check("create", object); err != nil {
		return err
	}
	action, isAction := object.(*v1alpha1.AgentAction)
	if isAction {
		if action.Name == "" {
			action.Name = action.GenerateName + "ghi789"
		}
		action.UID, action.Generation, action.CreationTimestamp = types.UID("uid-"+action.Name), 1, metav1.NewTime(testNow)
	}
	if err := store.Create(ctx, object, options...); err != nil || !isAction {
		return err
	}
	if dry := (&client.CreateOptions{}).ApplyOptions(options).DryRun; len(dry) > 0 {
		return nil
	}
	return w.operate(ctx, client.ObjectKeyFromObject(action), w.operator)
}

func (w *workshop) patch(ctx context.Context, store client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
	if err := w.check("patch", object); err != nil {
		return err
	}
	if err := store.Patch(ctx, object, patch, options...); err != nil {
		return err
	}
	if dry := (&client.PatchOptions{}).ApplyOptions(options).DryRun; len(dry) > 0 {
		return nil
	}
	switch object.(type) {
	case *v1alpha1.AgentAction:
		return w.operate(ctx, client.ObjectKeyFromObject(object), w.operator)
	case *v1alpha1.WebhookSubscription:
		return w.sample(ctx, client.ObjectKeyFromObject(object))
	}
	return nil
}

// sample lets the operator send the sample that was asked for.
func (w *workshop) sample(ctx context.Context, key client.ObjectKey) error {
	subscription := &v1alpha1.WebhookSubscription{}
	if err := w.store.Get(ctx, key, subscription); err != nil || w.tested == nil {
		return err
	}
	test := *w.tested
	test.ID, test.Time = subscription.Annotations[v1alpha1.TestAnnotation], *micro(testNow)
	subscription.Status.LastTest = &test
	return w.store.Status().Update(ctx, subscription)
}

// operate lets somebody write the status of an action; of one that is changed
// to nothing, they delete it.
func (w *workshop) operate(ctx context.Context, key client.ObjectKey, change func(*v1alpha1.AgentAction)) error {
	if change == nil {
		return nil
	}
	action := &v1alpha1.AgentAction{}
	if err := w.store.Get(ctx, key, action); err != nil {
		return err
	}
	change(action)
	if action.Name == "" {
		action.Namespace, action.Name = key.Namespace, key.Name
		return w.store.Delete(ctx, action)
	}
	return w.store.Status().Update(ctx, action)
}

func (w *workshop) watch(ctx context.Context, store client.WithWatch, list client.ObjectList, options ...client.ListOption) (watch.Interface, error) {
	if err := w.check("watch", list); err != nil {
		for _, change := range w.later {
			if err := w.operate(ctx, client.ObjectKey{Namespace: "default", Name: "act-ghi789"}, change); err != nil {
				return nil, err
			}
		}
		return nil, err
	}
	changes, err := store.Watch(ctx, list, options...)
	if err != nil {
		return nil, err
	}
	for _, change := range w.later {
		if err := w.operate(ctx, client.ObjectKey{Namespace: "default", Name: "act-ghi789"}, change); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// token makes a token for a ServiceAccount that is there.
func (w *workshop) token(ctx context.Context, store client.Client, _ string, object, request client.Object, _ ...client.SubResourceCreateOption) error {
	if err := w.check("create", request); err != nil {
		return err
	}
	if err := store.Get(ctx, client.ObjectKeyFromObject(object), &corev1.ServiceAccount{}); err != nil {
		return err
	}
	made, is := request.(*authenticationv1.TokenRequest)
	if !is {
		return fmt.Errorf("%T is no TokenRequest", request)
	}
	made.Status = authenticationv1.TokenRequestStatus{Token: "key-of-" + object.GetName(),
		ExpirationTimestamp: metav1.NewTime(testNow.Add(time.Duration(*made.Spec.ExpirationSeconds) * time.Second))}
	return nil
}

// The operator's answers.
func asApproved(a *v1alpha1.AgentAction) {
	decided(a, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, "2.1", v1alpha1.RiskLevelLow)
	a.Status.Message = "Risk 2.1 (Low) is approved by workflow risk-low"
	a.Status.DecidedAt, a.Status.ValidUntil = micro(testNow), micro(testNow.Add(time.Hour))
}

func asPending(a *v1alpha1.AgentAction) { a.Status = pending().Status }

func asDenied(a *v1alpha1.AgentAction) {
	decided(a, v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied, "8.8", v1alpha1.RiskLevelHigh)
	a.Status.Message = "Bulk delete operations require manager approval"
	a.Status.DecidingRule = &v1alpha1.RuleReference{Namespace: "ascend-system", Name: "rule-no-bulk-delete", DisplayName: "Block Bulk Deletions"}
}

func asTimedOut(a *v1alpha1.AgentAction) {
	asPending(a)
	a.Status.Decision, a.Status.Reason, a.Status.Message = v1alpha1.DecisionTimedOut, v1alpha1.ReasonApprovalTimeout, "Nobody decided within 4 h"
}

func asCancelled(a *v1alpha1.AgentAction) {
	asPending(a)
	a.Status.Decision, a.Status.Reason, a.Status.Message = v1alpha1.DecisionCancelled, v1alpha1.ReasonCancelledByRequester, "Its requester has withdrawn it"
}

func asDeleted(a *v1alpha1.AgentAction) { a.Name = "" }
