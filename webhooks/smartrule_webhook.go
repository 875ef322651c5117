// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/lint"
)

// smartRules refuses a rule that does not compile, or whose expressions could
// cost too much, and warns of one that has no effect.
func smartRules(o Options, refs *references) *validator[*v1alpha1.SmartRule] {
	return &validator[*v1alpha1.SmartRule]{
		kind: "SmartRule",
		spec: func(rule *v1alpha1.SmartRule) any { return &rule.Spec },
		check: func(ctx context.Context, rule *v1alpha1.SmartRule) ([]lint.Finding, field.ErrorList) {
			world := refs.world(ctx)
			world.Now = o.Clock.Now()
			return world.SmartRule(o.Policy.Compile(rule))
		},
	}
}
