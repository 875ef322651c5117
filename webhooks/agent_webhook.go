// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/lint"
)

// agents refuses an Agent that cannot be read, and warns of one that nobody
// can use, or everybody.
func agents(refs *references) *validator[*v1alpha1.Agent] {
	return &validator[*v1alpha1.Agent]{
		kind: "Agent",
		spec: func(agent *v1alpha1.Agent) any { return &agent.Spec },
		check: func(ctx context.Context, agent *v1alpha1.Agent) ([]lint.Finding, field.ErrorList) {
			return refs.world(ctx).Agent(agent)
		},
	}
}
