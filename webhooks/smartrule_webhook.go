// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/policy"
	"github.com/ow-kai/ascend-operator/internal/risk"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// smartRuleChecks refuse a rule that does not compile, or whose expressions
// could cost too much, and warn of one that has no effect.
type smartRuleChecks struct {
	policy *policy.Store
	refs   *references
	clock  clock.PassiveClock
}

func smartRules(o Options, refs *references) *validator[*v1alpha1.SmartRule] {
	c := &smartRuleChecks{policy: o.Policy, refs: refs, clock: o.Clock}
	return &validator[*v1alpha1.SmartRule]{
		kind:  "SmartRule",
		spec:  func(rule *v1alpha1.SmartRule) any { return &rule.Spec },
		check: c.check,
	}
}

func (c *smartRuleChecks) check(ctx context.Context, rule *v1alpha1.SmartRule) (admission.Warnings, field.ErrorList) {
	compiled := c.policy.Compile(rule)
	if errs := fieldErrors(compiled.Err()); len(errs) > 0 {
		return nil, errs
	}
	if compiled.Mode() == v1alpha1.RuleDisabled {
		return nil, nil
	}
	now := c.clock.Now()
	var w warnings
	c.references(ctx, rule, &w)
	ruleNeverMatches(compiled, now, &w)
	ruleHasNoEffect(compiled, &w)
	c.shadows(compiled, now, &w)
	return admission.Warnings(w), nil
}

// references warns of workflows that are not there yet, in whatever order
// objects are applied.
func (c *smartRuleChecks) references(ctx context.Context, rule *v1alpha1.SmartRule, w *warnings) {
	for _, r := range []struct {
		path string
		ref  *v1alpha1.WorkflowReference
	}{
		{"spec.workflowRef", rule.Spec.WorkflowRef},
		{"spec.exceptionWorkflowRef", rule.Spec.ExceptionWorkflowRef},
	} {
		if r.ref == nil {
			continue
		}
		missing, found := c.refs.missingWorkflow(ctx, rule.Namespace, string(r.ref.Name))
		w.addIf(r.path, missing)
		if found != nil && found.AutoApprove() {
			w.add(r.path, "ApprovalWorkflow %s approves by itself, which is no answer where a human has to agree; "+
				"until it has stages, one person who holds the verb approve has to", found.Key())
		}
	}
}

// ruleNeverMatches warns of a rule that no action can match any more.
func ruleNeverMatches(rule *rules.Rule, now time.Time, w *warnings) {
	const all = "so the rule has no effect"
	spec := rule.Spec()
	if rule.Ended(now) {
		w.add("spec.notAfter", "it passed at %s, so the rule has no effect any more", spec.NotAfter.UTC().Format(time.RFC3339))
	}
	if name := rule.NeverTrue(); name != "" {
		w.add("spec.conditions", "condition %s is never true, so the rule has no effect", name)
	}
	w.uselessActionTypes("spec.match.actionTypes", spec.Match.ActionTypes, all)
	w.uselessAgents("spec.match.agents", spec.Match.Agents, all)
	w.blank("spec.match.resources", spec.Match.Resources, "so the rule covers only what may touch any resource")
}

// ruleHasNoEffect warns of an effect that is none where the rule stands.
func ruleHasNoEffect(rule *rules.Rule, w *warnings) {
	spec := rule.Spec()
	if spec.Effect != v1alpha1.EffectAdjustRisk {
		return
	}
	delta, err := risk.ParseDelta(spec.RiskAdjustment)
	switch {
	case err != nil: // refused before
	case delta == 0:
		w.add("spec.riskAdjustment", "%s changes no score", spec.RiskAdjustment)
	case delta < 0 && !rule.Global():
		w.add("spec.riskAdjustment", "%s has no effect, for a rule of a namespace cannot lower a score; rules of namespace %s can",
			spec.RiskAdjustment, v1alpha1.GlobalNamespace)
	}
}

// shadows warns of a rule that decides nothing because of another, and of one
// because of which others decide nothing.
func (c *smartRuleChecks) shadows(rule *rules.Rule, now time.Time, w *warnings) {
	snapshot := c.policy.Snapshot()
	above := rulesOf(snapshot, v1alpha1.GlobalNamespace, rule.Key().Namespace)
	if by := rule.ShadowOf(above, now); by != nil {
		w.add("spec.match", "SmartRule %s %s all that this rule covers, so this rule never decides", by.Key(), shadowVerb(by))
	}
	below := rulesOf(snapshot, rule.Key().Namespace)
	if rule.Global() {
		below = rulesOf(snapshot, slices.Sorted(maps.Keys(snapshot.Namespaces))...)
	}
	first, count := rule.Shadowed(below, now)
	switch {
	case count == 1:
		w.add("spec.match", "this rule %s all that SmartRule %s covers, so that one never decides", shadowVerb(rule), first.Key())
	case count > 1:
		w.add("spec.match", "this rule %s all that SmartRule %s and %d more cover, so those never decide", shadowVerb(rule), first.Key(), count-1)
	}
}

// shadowVerb is what a rule does to all that another covers.
func shadowVerb(by *rules.Rule) string {
	if by.Spec().Effect == v1alpha1.EffectDeny {
		return "denies"
	}
	return "requires approval for"
}

// rulesOf are the rules of the namespaces, each namespace once.
func rulesOf(snapshot *decision.Snapshot, namespaces ...string) iter.Seq[*rules.Rule] {
	return func(yield func(*rules.Rule) bool) {
		for _, namespace := range slices.Compact(namespaces) {
			for rule := range snapshot.Namespace(namespace).Rules.Rules() {
				if !yield(rule) {
					return
				}
			}
		}
	}
}
