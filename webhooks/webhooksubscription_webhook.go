// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/lint"
)

// webhookSubscriptions refuses a URL that nothing may be sent to, and warns of
// an agent that is not there.
func webhookSubscriptions(refs *references) *validator[*v1alpha1.WebhookSubscription] {
	return &validator[*v1alpha1.WebhookSubscription]{
		kind: "WebhookSubscription",
		spec: func(subscription *v1alpha1.WebhookSubscription) any { return &subscription.Spec },
		check: func(ctx context.Context, subscription *v1alpha1.WebhookSubscription) ([]lint.Finding, field.ErrorList) {
			return refs.world(ctx).WebhookSubscription(subscription)
		},
	}
}
