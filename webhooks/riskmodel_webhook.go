// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/lint"
)

// riskModels refuses a model of which anything cannot be read, and warns of
// entries without effect.
func riskModels() *validator[*v1alpha1.RiskModel] {
	return &validator[*v1alpha1.RiskModel]{
		kind: "RiskModel",
		spec: func(model *v1alpha1.RiskModel) any { return &model.Spec },
		check: func(_ context.Context, model *v1alpha1.RiskModel) ([]lint.Finding, field.ErrorList) {
			return lint.RiskModel(model)
		},
	}
}
