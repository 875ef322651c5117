// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// subscribed is a cluster in which some want to hear of actions.
func subscribed() []client.Object {
	desk := &v1alpha1.WebhookSubscription{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "audit-desk", Generation: 2}}
	desk.Spec = v1alpha1.WebhookSubscriptionSpec{
		URL: "https://hooks.example.com/ascend", Format: v1alpha1.FormatCloudEvents, AgentRef: &v1alpha1.LocalReference{Name: "tutorial-agent"},
		Events: []v1alpha1.EventType{v1alpha1.EventActionApproved, v1alpha1.EventActionDenied}, SecretRef: &v1alpha1.SecretKeyReference{Name: "hook", Key: "secret"},
	}
	desk.Status = v1alpha1.WebhookSubscriptionStatus{DeliveredTotal: 412, LastDeliveryTime: micro(testNow.Add(-2 * time.Minute)), Conditions: []metav1.Condition{
		{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady, Message: "deliveries can be made", ObservedGeneration: 2}}}
	chat := &v1alpha1.WebhookSubscription{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "chat", Generation: 1}}
	chat.Spec = v1alpha1.WebhookSubscriptionSpec{
		URLFrom: &v1alpha1.SecretKeyReference{Name: "slack", Key: "url"}, Format: v1alpha1.FormatSlack, Events: []v1alpha1.EventType{v1alpha1.EventActionPending},
	}
	chat.Status = v1alpha1.WebhookSubscriptionStatus{FailedTotal: 3, LastError: "the operator may not read Secret slack of namespace shop", Conditions: []metav1.Condition{
		{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonSecretNotReadable, ObservedGeneration: 1,
			Message: "the operator may not read Secret slack of namespace shop. It may with:\n  kubectl create role ascend-secret-slack -n shop"}}}
	fresh := &v1alpha1.WebhookSubscription{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "fresh", Generation: 1}}
	fresh.Spec = v1alpha1.WebhookSubscriptionSpec{URL: "http://collector.shop.svc:8080/", Events: []v1alpha1.EventType{v1alpha1.EventAgentSuspended}}
	return []client.Object{desk, chat, fresh}
}

func TestWebhooks(t *testing.T) {
	for name, c := range map[string]struct {
		argv []string
		in   *workshop
		code int
		want []string
	}{
		"list, wide":        {[]string{"list", "-A", "-o", "wide"}, &workshop{objects: subscribed()}, 0, []string{"LAST ERROR", "action.approved,action.denied", "tutorial-agent"}},
		"list, names":       {[]string{"list", "-o", "name"}, &workshop{objects: subscribed()}, 0, []string{"audit-desk"}},
		"list, none":        {[]string{"list"}, &workshop{}, 0, []string{"No subscriptions in namespace default", "docs/notifications.md"}},
		"list, not allowed": {[]string{"list"}, &workshop{refuse: refuses("list WebhookSubscriptionList")}, 1, []string{"cannot list subscriptions in namespace default"}},
		"test, refused by the receiver": {[]string{"test", "audit-desk"}, &workshop{objects: subscribed(), tested: &v1alpha1.SubscriptionTest{StatusCode: 500, Error: "the receiver answered 500"}}, 1,
			[]string{"audit-desk did not take the sample: the receiver answered 500", "kubectl describe webhooksubscription audit-desk"}},
		"test, without an answer": {[]string{"test", "audit-desk", "--timeout", "1ms"}, &workshop{objects: subscribed()}, 1, []string{"no result of the sample to subscription audit-desk in namespace default within 1ms", "Is the operator running?"}},
		"test, not ready":         {[]string{"test", "chat", "-n", "shop", "--timeout", "300ms"}, &workshop{objects: subscribed()}, 1, []string{"The subscription is not ready: the operator may not read Secret slack", "\n  kubectl create role ascend-secret-slack"}},
		"test, of none":           {[]string{"test", "nothing"}, &workshop{objects: subscribed()}, 1, []string{"there is no subscription nothing in namespace default"}},
		"test, not allowed":       {[]string{"test", "audit-desk"}, &workshop{objects: subscribed(), refuse: refuses("patch WebhookSubscription")}, 1, []string{"cannot ask for a sample to subscription audit-desk"}},
		"test, no time":           {[]string{"test", "audit-desk", "--timeout", "0"}, &workshop{objects: subscribed()}, 2, []string{"--timeout is 0s; it must be more than 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := c.in.at(t, desk{}, append([]string{"ascend", "webhooks"}, c.argv...)...)
			if r.code != c.code {
				t.Errorf("exit code %d", r.code)
			}
			for _, want := range c.want {
				if !strings.Contains(r.out+r.errOut, want) {
					t.Errorf("%q is not in:\n%s%s", want, r.out, r.errOut)
				}
			}
		})
	}
}
