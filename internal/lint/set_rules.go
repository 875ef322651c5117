// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/risk"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// contradiction warns of conditions that are never true of what the rule covers.
func (s *survey) contradiction(f *findings, rule *rules.Rule) {
	const path = "spec.conditions"
	switch names := rule.NeverTrueTogether(); len(names) {
	case 0:
	case 1:
		f.add(NeverTrue, path, "condition %s is true of no score and action type that the rule covers, so the rule has no effect", names[0])
	default:
		f.add(NeverTrue, path, "conditions %s are never true together, so the rule has no effect", strings.Join(names, ", "))
	}
}

// elsewhere tells of a workflow that is missing where it is named, and exists
// in another namespace.
func (s *survey) elsewhere(f *findings, path, namespace string, ref *v1alpha1.WorkflowReference) {
	if ref == nil {
		return
	}
	if found, known := s.lookup().Workflow(namespace, string(ref.Name)); found != nil || !known {
		return
	}
	for _, other := range s.namespaces {
		if s.Snapshot.Namespace(other).Workflows.Get(string(ref.Name)) == nil {
			continue
		}
		f.addAs(Info, Elsewhere, path, "there is an ApprovalWorkflow %s in namespace %s, which only rules and agents of namespace %s can name",
			ref.Name, other, other)
		return
	}
}

// repeated warns of a rule that asks for nothing that another one, reported
// before it, does not ask for.
func (s *survey) repeated(f *findings, rule *rules.Rule) {
	spec := rule.Spec()
	what := "allows"
	switch spec.Effect {
	case v1alpha1.EffectAllow:
	case v1alpha1.EffectRequireApproval:
		what = "requires the same approval for"
	case v1alpha1.EffectDeny, v1alpha1.EffectAdjustRisk:
		return // the one is shadowed, the other adds up
	default:
		return // refused
	}
	above := s.rulesOf(v1alpha1.GlobalNamespace, rule.Key().Namespace)
	by := rule.Repeats(above, s.Now, func(other *rules.Rule) bool {
		return s.answer(other) == s.answer(rule)
	})
	if by != nil {
		f.add(Redundant, "spec.match", "SmartRule %s %s all that this rule covers, so this rule changes nothing", by.Key(), what)
	}
}

// answer is what the workflowRef of a rule means: nil where there is none.
func (s *survey) answer(rule *rules.Rule) any {
	ref := rule.Spec().WorkflowRef
	if ref == nil {
		return nil
	}
	if found, _ := Within(s.Snapshot).Workflow(rule.Key().Namespace, string(ref.Name)); found != nil {
		return found
	}
	return approval.Key{Namespace: rule.Key().Namespace, Name: string(ref.Name)}
}

// ruleWithoutAgent warns of a rule for which there is no agent that could ask
// for anything it covers.
func (s *survey) ruleWithoutAgent(f *findings, rule *rules.Rule) {
	agents := s.agentsOf(rule.Key().Namespace)
	covered := scopeOf(rule)
	if len(agents) == 0 || covered == nil {
		return
	}
	why, common := covered.nobody(agents)
	if why == noObstacle {
		return
	}
	path, message := "spec.match", "no agent %s can ask for anything that this rule covers"
	if common {
		path, message = whyNobody(why)
	}
	f.add(NoAgent, path, message+", so the rule has no effect", s.where(rule.Key().Namespace, len(agents)))
}

// where says which agents were looked at.
func (s *survey) where(namespace string, count int) string {
	where := "of namespace " + namespace
	if namespace == v1alpha1.GlobalNamespace {
		where = "of any namespace"
	}
	return fmt.Sprintf("%s (there are %d)", where, count)
}

// whyNobody says why a scope covers no action of any agent, with the field.
func whyNobody(why obstacle) (path, message string) {
	switch why {
	case byAgent:
		return "spec.match.agents", "they select no agent %s"
	case byType:
		return "spec.match.actionTypes", "none of them is allowed to any agent %s by its allowedActionTypes"
	case byEnvironment:
		return "spec.match.environments", "no agent %s works in one of them"
	case byResource:
		return "spec.match.resources", "no agent %s may name one of them, by its allowedResources and blockedResources"
	case byScore:
		return "spec.match.minRiskScore", "it is above the maxRiskScore of every agent %s, which denies such actions"
	case noObstacle:
	}
	return "spec.match", "it covers no action of any agent %s"
}

// scopeOf is what a rule covers, as far as agents are bounded by it; nil where
// that cannot be read.
func scopeOf(rule *rules.Rule) *scope {
	m := &rule.Spec().Match
	selected, err := match.NewAgent(m.Agents)
	if err != nil {
		return nil
	}
	out := &scope{
		agent: selected, types: match.NewGlobs(m.ActionTypes), resources: match.NewGlobs(m.Resources),
		places: folded(m.Environments), sure: relaxes(rule),
	}
	if rule.Spec().Effect == v1alpha1.EffectAllow {
		// Above the limit it allows nothing; where scoring failed, a human decides.
		out.least, _ = risk.ParseScore(m.MinRiskScore) // none is 0.0; what cannot be read does not compile
	}
	return out
}

// allowsInVain warns of an Allow that spares nothing: a global workflow applies
// to all that it covers, and there is no other. One with conditions may still
// ask a human, where they fail.
func (s *survey) allowsInVain(f *findings, rule *rules.Rule) {
	spec := rule.Spec()
	if spec.Effect != v1alpha1.EffectAllow || rule.Mode() != v1alpha1.RuleEnforce || len(spec.Conditions) > 0 || s.hasLocalChoice(rule.Key().Namespace) {
		return
	}
	least, _ := risk.ParseScore(spec.Match.MinRiskScore) // as in scopeOf
	for score := least; score <= risk.MaxScore; score++ {
		if !s.globalApplies(rule, score) {
			return
		}
	}
	severity, where := Warning, "in namespace "+rule.Key().Namespace
	if rule.Global() {
		severity, where = Info, "in any namespace"
	}
	f.addAs(severity, NoEffect, "spec.effect", "it allows nothing by itself: a global workflow applies to all that this rule covers, "+
		"and an Allow spares only a workflow of the namespace, of which none is chosen %s", where)
}

// hasLocalChoice says whether a workflow may be chosen beside the global ones,
// for an action that rules of that namespace see.
func (s *survey) hasLocalChoice(namespace string) bool {
	for _, name := range s.namespaces {
		if namespace != v1alpha1.GlobalNamespace && name != namespace {
			continue
		}
		ns := s.Snapshot.Namespace(name)
		for _, a := range ns.Agents {
			if a.Object().Spec.WorkflowRef != nil {
				return true
			}
		}
		if name == v1alpha1.GlobalNamespace {
			continue // its own choice is the global one
		}
		for w := range ns.Workflows.All() {
			if w.Spec().Selector != nil {
				return true
			}
		}
	}
	return false
}

// globalApplies says whether a global workflow covers for certain whatever an
// Allow covers at that score.
func (s *survey) globalApplies(rule *rules.Rule, score risk.Score) bool {
	m := &rule.Spec().Match
	for w := range s.Snapshot.Namespace(v1alpha1.GlobalNamespace).Workflows.All() {
		if w.CoversScore(score) && w.Err() == nil && allWithin(folded(m.Environments), folded(w.Spec().Selector.Environments)) &&
			containsMatch(w.Spec().Selector, m.ActionTypes, m.Agents) {
			return true
		}
	}
	return false
}

// containsMatch says whether a selector certainly covers these action types of
// these agents.
func containsMatch(selector *v1alpha1.WorkflowSelector, types []v1alpha1.Glob, agents *v1alpha1.AgentMatch) bool {
	mine, err := match.NewAgent(selector.Agents)
	theirs, theirsErr := match.NewAgent(agents)
	return err == nil && theirsErr == nil && mine.Contains(theirs) &&
		match.NewGlobs(selector.ActionTypes).Contains(match.NewGlobs(types))
}
