// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"

	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
)

// webhookSubscriptionChecks refuse a URL that nothing may be sent to, and warn
// of an agent that is not there.
type webhookSubscriptionChecks struct{ refs *references }

func webhookSubscriptions(refs *references) *validator[*v1alpha1.WebhookSubscription] {
	c := &webhookSubscriptionChecks{refs: refs}
	return &validator[*v1alpha1.WebhookSubscription]{
		kind:  "WebhookSubscription",
		spec:  func(subscription *v1alpha1.WebhookSubscription) any { return &subscription.Spec },
		check: c.check,
	}
}

func (c *webhookSubscriptionChecks) check(ctx context.Context, subscription *v1alpha1.WebhookSubscription) (admission.Warnings, field.ErrorList) {
	if err := notify.CheckURL(subscription.Spec.URL, subscription.Namespace); err != nil {
		return nil, field.ErrorList{field.Invalid(field.NewPath("spec", "url"), field.OmitValueType{}, err.Error())}
	}
	var w warnings
	if ref := subscription.Spec.AgentRef; ref != nil && !c.refs.hasAgent(ctx, subscription.Namespace, string(ref.Name)) {
		w.add("spec.agentRef", "there is no Agent %s in namespace %s, so nothing is sent until there is", ref.Name, subscription.Namespace)
	}
	return admission.Warnings(w), nil
}
