// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// RiskModel refuses a model of which anything cannot be read, and otherwise
// warns of entries without effect.
func RiskModel(model *v1alpha1.RiskModel) ([]Finding, field.ErrorList) {
	if _, err := risk.Compile(&model.Spec); err != nil {
		return nil, fieldErrors(err)
	}
	var f findings
	if model.Name != v1alpha1.DefaultRiskModelName {
		f.add(Unused, "metadata.name", "only the RiskModel named %s is used, so this one has no effect", v1alpha1.DefaultRiskModelName)
	}
	for _, s := range risk.Surprises(&model.Spec) {
		f.add(RiskEntry, s.Path, "%s", s.Problem)
	}
	return f, nil
}

// WebhookSubscription refuses a URL that nothing may be sent to, and otherwise
// warns of an agent that is not there.
func (w *World) WebhookSubscription(subscription *v1alpha1.WebhookSubscription) ([]Finding, field.ErrorList) {
	// What a Secret has is checked when it is read.
	if err := w.CheckURL(subscription.Spec.URL, subscription.Namespace); err != nil && subscription.Spec.URLFrom == nil {
		return nil, field.ErrorList{field.Invalid(field.NewPath("spec", "url"), field.OmitValueType{}, err.Error())}
	}
	var f findings
	if ref := subscription.Spec.AgentRef; ref != nil && !w.lookup().HasAgent(subscription.Namespace, string(ref.Name)) {
		f.add(MissingAgent, "spec.agentRef", "there is no Agent %s in namespace %s, so nothing is sent until there is", ref.Name, subscription.Namespace)
	}
	return f, nil
}
