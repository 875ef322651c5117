// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"

	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// riskModels refuses a model of which anything cannot be read, and warns of
// entries without effect.
func riskModels() *validator[*v1alpha1.RiskModel] {
	return &validator[*v1alpha1.RiskModel]{
		kind:  "RiskModel",
		spec:  func(model *v1alpha1.RiskModel) any { return &model.Spec },
		check: checkRiskModel,
	}
}

func checkRiskModel(_ context.Context, model *v1alpha1.RiskModel) (admission.Warnings, field.ErrorList) {
	if _, err := risk.Compile(&model.Spec); err != nil {
		return nil, fieldErrors(err)
	}
	var w warnings
	if model.Name != v1alpha1.DefaultRiskModelName {
		w.add("metadata.name", "only the RiskModel named %s is used, so this one has no effect", v1alpha1.DefaultRiskModelName)
	}
	for _, s := range risk.Surprises(&model.Spec) {
		w.add(s.Path, "%s", s.Problem)
	}
	return admission.Warnings(w), nil
}
