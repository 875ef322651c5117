// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// rights answers SubjectAccessReviews: what is in it is allowed, as "verb
// resource", everything where it is nil.
type rights struct {
	client.Writer
	allowed []string
	err     error
}

func (r *rights) Create(_ context.Context, object client.Object, _ ...client.CreateOption) error {
	review, is := object.(*authorizationv1.SubjectAccessReview)
	if !is {
		return fmt.Errorf("%T is no SubjectAccessReview", object)
	}
	asked := review.Spec.ResourceAttributes
	review.Status.Allowed = r.allowed == nil
	for _, a := range r.allowed {
		review.Status.Allowed = review.Status.Allowed || a == asked.Verb+" "+asked.Resource && asked.Namespace == "shop"
	}
	return r.err
}

// wanted is a namespace with as many subscriptions.
type wanted struct{ count int }

func (w wanted) Subscribed(string, string, v1alpha1.EventType) bool { return true }
func (w wanted) Count(string) int                                   { return w.count }

// writing is the context of a request of somebody who may see everything.
func writing(ctx context.Context, operation admissionv1.Operation) context.Context {
	return admission.NewContextWithRequest(ctx, admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
		Operation: operation, Namespace: "shop", Name: "mine", UserInfo: authenticationv1.UserInfo{Username: "dora"},
	}})
}

func validatorOf(w *world) *validator[*v1alpha1.WebhookSubscription] {
	return webhookSubscriptions(w.options, w.refs, &authority{reviews: &rights{}})
}

const toEverything = `{url: "https://hooks.example.com/", events: [action.denied, agent.suspended]}`

func TestSubscriptionIsOnlyForWhoMaySeeWhatItTells(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		rights rights
		spec   string
		want   []string
	}{
		"who may see all":     {rights{allowed: []string{"list agentactions", "list agents"}}, toEverything, nil},
		"who may see actions": {rights{allowed: []string{"list agentactions"}}, `{url: "https://hooks.example.com/", events: [action.denied]}`, nil},
		"who may not see agents": {rights{allowed: []string{"list agentactions"}}, toEverything,
			[]string{"spec.events: Forbidden: dora may not list agents in namespace shop", "kubectl create rolebinding ascend-see-agents -n shop --role=ascend-see-agents --user=dora"}},
		"who may see nothing": {rights{allowed: []string{}}, `{url: "https://hooks.example.com/", events: [action.denied]}`,
			[]string{"dora may not list agentactions", "kubectl create role ascend-see-agentactions -n shop --verb=get,list,watch --resource=agentactions.governance.ascendowkai.com"}},
		"nobody can tell": {rights{err: errors.New("down")}, toEverything, []string{"Internal error: nobody can tell now whether you may see them", "down"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := webhookSubscriptions(w.options, w.refs, &authority{reviews: &c.rights})
			_, err := v.ValidateCreate(writing(t.Context(), admissionv1.Create), written[v1alpha1.WebhookSubscription](t, "shop/mine", c.spec))
			if (err == nil) != (c.want == nil) {
				t.Fatalf("got %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
}

func TestSubscriptionOfNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := validatorOf(w).ValidateCreate(t.Context(), written[v1alpha1.WebhookSubscription](t, "shop/mine", toEverything))
	if err == nil || !strings.Contains(err.Error(), "nobody knows who writes it") {
		t.Errorf("got %v", err)
	}
}

func TestSubscriptionsOfANamespaceAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	object := written[v1alpha1.WebhookSubscription](t, "shop/mine", toEverything)
	for count, operation := range map[int]admissionv1.Operation{
		v1alpha1.MaxSubscriptions - 1: admissionv1.Create, v1alpha1.MaxSubscriptions: admissionv1.Update, v1alpha1.MaxSubscriptions + 1: admissionv1.Update,
	} {
		w.options.Subscriptions = wanted{count}
		if _, err := validatorOf(w).ValidateCreate(writing(t.Context(), operation), object); err != nil {
			t.Errorf("with %d: %v", count, err)
		}
	}
	w.options.Subscriptions = wanted{v1alpha1.MaxSubscriptions}
	_, err := validatorOf(w).ValidateCreate(writing(t.Context(), admissionv1.Create), object)
	if err == nil || !strings.Contains(err.Error(), "namespace shop has 64 subscriptions") {
		t.Errorf("one more than there may be: %v", err)
	}
}
