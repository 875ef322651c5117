// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"fmt"
	"slices"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/lint"
)

// webhookSubscriptions refuses a URL that nothing may be sent to, and what would
// tell a receiver more than whoever writes it may see; and it warns of an agent
// that is not there.
func webhookSubscriptions(o Options, refs *references, rights *authority) *validator[*v1alpha1.WebhookSubscription] {
	limits := &subscriptionLimits{subscriptions: o.Subscriptions, rights: rights}
	return &validator[*v1alpha1.WebhookSubscription]{
		kind: "WebhookSubscription",
		spec: func(subscription *v1alpha1.WebhookSubscription) any { return &subscription.Spec },
		check: func(ctx context.Context, subscription *v1alpha1.WebhookSubscription) ([]lint.Finding, field.ErrorList) {
			found, errs := refs.world(ctx).WebhookSubscription(subscription)
			if len(errs) > 0 {
				return nil, errs
			}
			return found, limits.check(ctx, subscription)
		},
	}
}

// subscriptionLimits is what a subscription must not do that no schema can see.
type subscriptionLimits struct {
	subscriptions Subscriptions // nil: there are none
	rights        *authority
}

// check refuses too many subscriptions, and one whose writer may not see what it
// tells. A subscription reads every action of its namespace, for good and with
// nobody looking on: to write one is to hand that right to a URL, and nobody hands
// on what they do not have.
func (l *subscriptionLimits) check(ctx context.Context, subscription *v1alpha1.WebhookSubscription) field.ErrorList {
	req, err := admission.RequestFromContext(ctx)
	if err != nil {
		return field.ErrorList{field.InternalError(field.NewPath("spec"), fmt.Errorf("nobody knows who writes it: %w", err))}
	}
	if req.Operation == admissionv1.Create && l.subscriptions != nil && l.subscriptions.Count(req.Namespace) >= v1alpha1.MaxSubscriptions {
		return field.ErrorList{field.Forbidden(field.NewPath("metadata"), fmt.Sprintf(
			"namespace %s has %d subscriptions, and no more than that many hear of an event; have one receiver pass events on, or delete one: kubectl get webhooksubscriptions -n %[1]s",
			req.Namespace, v1alpha1.MaxSubscriptions))}
	}
	resources := []string{actionResource}
	if slices.Contains(subscription.Spec.Events, v1alpha1.EventAgentSuspended) {
		resources = append(resources, agentResource)
	}
	for _, resource := range resources {
		allowed, err := l.rights.may(ctx, &req.UserInfo, "list", resource, req.Namespace, "")
		if err != nil {
			return field.ErrorList{field.InternalError(field.NewPath("spec", "events"), fmt.Errorf("nobody can tell now whether you may see them: %w; try again", err))}
		}
		if !allowed {
			return field.ErrorList{field.Forbidden(field.NewPath("spec", "events"), fmt.Sprintf(
				"%s may not list %s in namespace %s, and a subscription sends what is to be seen of them to its URL. Whoever administers the namespace can grant it:\n"+
					"  kubectl create role ascend-see-%[2]s -n %[3]s --verb=get,list,watch --resource=%[2]s.%[4]s\n"+
					"  kubectl create rolebinding ascend-see-%[2]s -n %[3]s --role=ascend-see-%[2]s %[5]s",
				shown(req.UserInfo.Username), resource, req.Namespace, v1alpha1.GroupVersion.Group, bindingFlag(req.UserInfo.Username, "")))}
		}
	}
	return nil
}
