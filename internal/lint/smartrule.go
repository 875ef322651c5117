// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/risk"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// SmartRule refuses a rule that does not compile, or whose expressions could
// cost too much, and otherwise warns of one that has no effect. One that is
// disabled is only refused.
func (w *World) SmartRule(rule *rules.Rule) ([]Finding, field.ErrorList) {
	if errs := fieldErrors(rule.Err()); len(errs) > 0 {
		return nil, errs
	}
	if rule.Mode() == v1alpha1.RuleDisabled {
		return nil, nil
	}
	var f findings
	w.rule(&f, rule)
	w.shadowed(&f, rule)
	w.shadows(&f, rule)
	return f, nil
}

// rule warns of what shows in the rule and what it refers to.
func (w *World) rule(f *findings, rule *rules.Rule) {
	w.ruleReferences(f, rule)
	ruleNeverMatches(f, rule, w.Now)
	ruleHasNoEffect(f, rule)
}

// ruleReferences warns of workflows that are not there yet, in whatever order
// objects are applied.
func (w *World) ruleReferences(f *findings, rule *rules.Rule) {
	for _, r := range referencesOf(rule) {
		found := w.workflow(f, r.path, rule.Key().Namespace, r.ref)
		if found != nil && found.AutoApprove() {
			f.add(ApprovesItself, r.path, "ApprovalWorkflow %s approves by itself, which is no answer where a human has to agree; "+
				"until it has stages, one person who holds the verb approve has to", found.Key())
		}
	}
}

// reference is a field that may name a workflow.
type reference struct {
	path string
	ref  *v1alpha1.WorkflowReference
}

func referencesOf(rule *rules.Rule) []reference {
	return []reference{
		{"spec.workflowRef", rule.Spec().WorkflowRef},
		{"spec.exceptionWorkflowRef", rule.Spec().ExceptionWorkflowRef},
	}
}

// ruleNeverMatches warns of a rule that no action can match any more.
func ruleNeverMatches(f *findings, rule *rules.Rule, now time.Time) {
	const all = "so the rule has no effect"
	spec := rule.Spec()
	if rule.Ended(now) {
		f.add(Ended, "spec.notAfter", "it passed at %s, so the rule has no effect any more", spec.NotAfter.UTC().Format(time.RFC3339))
	}
	if name := rule.NeverTrue(); name != "" {
		f.add(NeverTrue, "spec.conditions", "condition %s is never true, so the rule has no effect", name)
	}
	f.uselessActionTypes("spec.match.actionTypes", spec.Match.ActionTypes, all)
	f.uselessAgents("spec.match.agents", spec.Match.Agents, all)
	f.blank("spec.match.resources", spec.Match.Resources, "so the rule covers only what may touch any resource")
}

// ruleHasNoEffect warns of an effect that is none where the rule stands.
func ruleHasNoEffect(f *findings, rule *rules.Rule) {
	const path = "spec.riskAdjustment"
	spec := rule.Spec()
	if spec.Effect != v1alpha1.EffectAdjustRisk {
		return
	}
	delta, err := risk.ParseDelta(spec.RiskAdjustment)
	switch {
	case err != nil: // refused before
	case delta == 0:
		f.add(NoEffect, path, "%s changes no score", spec.RiskAdjustment)
	case delta < 0 && !rule.Global():
		f.add(NoEffect, path, "%s has no effect, for a rule of a namespace cannot lower a score; rules of namespace %s can",
			spec.RiskAdjustment, v1alpha1.GlobalNamespace)
	}
}

// shadowed warns of a rule that decides nothing because of another.
func (w *World) shadowed(f *findings, rule *rules.Rule) {
	if by := rule.ShadowOf(w.rulesOf(v1alpha1.GlobalNamespace, rule.Key().Namespace), w.Now); by != nil {
		f.add(Shadowed, "spec.match", "SmartRule %s %s all that this rule covers, so this rule never decides", by.Key(), shadowVerb(by))
	}
}

// shadows warns of a rule because of which others decide nothing.
func (w *World) shadows(f *findings, rule *rules.Rule) {
	below := w.rulesOf(rule.Key().Namespace)
	if rule.Global() {
		below = w.rulesOf(slices.Sorted(maps.Keys(w.Snapshot.Namespaces))...)
	}
	first, count := rule.Shadowed(below, w.Now)
	switch {
	case count == 1:
		f.add(Shadows, "spec.match", "this rule %s all that SmartRule %s covers, so that one never decides", shadowVerb(rule), first.Key())
	case count > 1:
		f.add(Shadows, "spec.match", "this rule %s all that SmartRule %s and %d more cover, so those never decide", shadowVerb(rule), first.Key(), count-1)
	}
}

// shadowVerb is what a rule does to all that another covers.
func shadowVerb(by *rules.Rule) string {
	if by.Spec().Effect == v1alpha1.EffectDeny {
		return "denies"
	}
	return "requires approval for"
}
