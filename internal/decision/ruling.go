// SPDX-License-Identifier: Apache-2.0

package decision

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/risk"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// applyRules runs both phases: every AdjustRisk first, then the others against
// the adjusted score.
func (d *decider) applyRules(ctx context.Context, evaluator *rules.Evaluator) error {
	first, err := evaluator.Adjustments(ctx)
	if err != nil {
		return fmt.Errorf("evaluate AdjustRisk rules: %w", err)
	}
	global, all := adjustments(first.Matched)
	d.globalAssessment = d.assessment.Adjusted(global)
	d.assessment = d.assessment.Adjusted(all)
	d.outcome.Risk = d.assessment.Status()

	second, err := d.effects(ctx, evaluator)
	if err != nil {
		return fmt.Errorf("evaluate rules: %w", err)
	}
	d.matched = rules.SortMatches(append(first.Matched, second.Matched...))
	d.outcome.RulesEvaluated = first.Evaluated + second.Evaluated
	d.outcome.NextCheck = earliest(first.NextChange, second.NextChange)
	d.reportRules(append(first.Near, second.Near...))
	return nil
}

// effects evaluates what is not AdjustRisk. Where the namespace has raised the
// score, global rules that restrict have their effect for the lower one too: a
// namespace cannot lift itself over them.
func (d *decider) effects(ctx context.Context, evaluator *rules.Evaluator) (rules.Result, error) {
	result, err := evaluator.Effects(ctx, d.assessment)
	if err != nil || d.globalAssessment.Score == d.assessment.Score {
		return result, err
	}
	lower, err := evaluator.Effects(ctx, d.globalAssessment)
	if err != nil {
		return rules.Result{}, err
	}
	result.Evaluated += lower.Evaluated
	result.NextChange = earliest(result.NextChange, lower.NextChange)
	for _, m := range lower.Matched {
		same := func(known rules.Match) bool { return known.Rule == m.Rule }
		if m.Rule.Global() && m.Effect != v1alpha1.EffectAllow && !slices.ContainsFunc(result.Matched, same) {
			result.Matched = append(result.Matched, m)
			result.Near = slices.DeleteFunc(result.Near, func(n rules.Near) bool { return n.Rule == m.Rule })
		}
	}
	return result, nil
}

// adjustments are those of enforced rules, of the global ones and of all; what
// asks a human is no adjustment.
func adjustments(matched []rules.Match) (global, all []risk.Adjustment) {
	for _, m := range matched {
		if m.Enforced() && m.Effect == v1alpha1.EffectAdjustRisk {
			adjustment := risk.Adjustment{Rule: m.Rule.Key().String(), Delta: m.Adjustment, Note: m.Note}
			all = append(all, adjustment)
			if m.Rule.Global() {
				global = append(global, adjustment)
			}
		}
	}
	return global, all
}

// reportRules fills in what the outcome says about rules.
func (d *decider) reportRules(near []rules.Near) {
	for _, m := range d.matched {
		d.source("rule", m.Rule.Key().Namespace, m.Rule.Key().Name, m.Rule.Revision())
		if len(d.outcome.MatchedRules) < maxMatchedRules {
			d.outcome.MatchedRules = append(d.outcome.MatchedRules, v1alpha1.MatchedRule{
				RuleReference: m.Rule.Reference(),
				Effect:        m.Effect,
				Mode:          m.Rule.Mode(),
				Note:          clip(m.Note, 512),
			})
		}
	}
	for _, n := range rules.SortNear(near) {
		if len(d.outcome.NearRules) == maxNearRules {
			break
		}
		d.outcome.NearRules = append(d.outcome.NearRules, v1alpha1.NearRule{
			RuleReference: n.Rule.Reference(),
			Effect:        n.Rule.Spec().Effect,
			Condition:     n.Condition,
		})
	}
}

// deniedByRule denies if an enforced Deny matched that is not excepted.
func (d *decider) deniedByRule() bool {
	for _, m := range d.matched {
		if !m.Enforced() || m.Effect != v1alpha1.EffectDeny || d.excepted(m.Rule) {
			continue
		}
		d.deny(v1alpha1.ReasonRuleDenied, ruleReason(m, "denied by rule %q"))
		d.decidedBy(m)
		return true
	}
	return false
}

// excepted says whether the request asks for an exception that the rule can grant.
func (d *decider) excepted(rule *rules.Rule) bool {
	return d.req.Exception != nil &&
		string(d.req.Exception.RuleName) == rule.Key().Name &&
		rule.Spec().ExceptionWorkflowRef != nil
}

func (d *decider) decidedBy(m rules.Match) {
	ref := m.Rule.Reference()
	d.outcome.DecidingRule = &ref
}

// ruleReason is the rule's own reason, or a plain sentence made from format
// and the name that people know the rule by.
func ruleReason(m rules.Match, format string) string {
	if m.Reason != "" {
		return m.Reason
	}
	return fmt.Sprintf(format, m.Rule.Title())
}

// earliest is the earlier of two times, of which the zero one means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
