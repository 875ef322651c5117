// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// NamespaceObject is what rules may read of the action's namespace.
type NamespaceObject struct {
	Name        string
	Labels      map[string]string
	Annotations map[string]string
}

// Input is what rules are evaluated against. It is not changed. A nil Agent
// counts as one without labels, a nil Namespace as one without labels.
type Input struct {
	Request *request.Request
	Agent   *v1alpha1.Agent
	// Assessment is the score before any adjustment.
	Assessment *risk.Assessment
	Namespace  *NamespaceObject
	// Now is the time of evaluation, for the rules' windows. The variable
	// `now` of expressions is the time of submission.
	Now time.Time
}

// Match is a rule that matched. Rules in mode Audit match without effect: see
// Rule.Mode.
type Match struct {
	Rule *Rule
	// Effect the rule has: its own, or RequireApproval where an error asks a human.
	Effect v1alpha1.RuleEffect
	// Adjustment of the score, with effect AdjustRisk.
	Adjustment risk.Delta
	// Reason the rule gives to whoever submitted the action, on one line and
	// fit to be shown, at most 1024 characters. Empty where the rule gives none,
	// its reasonExpression failed, or an error asks a human.
	Reason string
	// Err is what kept the rule from being compiled or evaluated.
	Err error
	// Note says what was remarkable, at most 512 characters on one line.
	Note string
}

// Enforced says whether the match has effect: rules in mode Audit are recorded only.
func (m Match) Enforced() bool { return m.Rule.mode == v1alpha1.RuleEnforce }

// SortMatches sorts matches of several passes in the order of Compare, and returns them.
func SortMatches(matches []Match) []Match {
	slices.SortStableFunc(matches, func(a, b Match) int { return Compare(a.Rule, b.Rule) })
	return matches
}

// SortNear sorts near misses of several passes in the order of Compare, and returns them.
func SortNear(near []Near) []Near {
	slices.SortStableFunc(near, func(a, b Near) int { return Compare(a.Rule, b.Rule) })
	return near
}

// Near is a rule that covered the action, with a condition that was false.
type Near struct {
	Rule *Rule
	// Condition is the name of the first condition that was false.
	Condition string
}

// Result is what came of one pass over the rules.
type Result struct {
	// Matched rules in the order of Compare.
	Matched []Match
	// Near misses in the order of Compare.
	Near []Near
	// Evaluated is the number of rules looked at after the index was asked. One
	// that was found by several of its patterns counts as often.
	Evaluated int
	// NextChange is when the next rule that covers the action begins or ceases
	// to have effect, after Input.Now; zero when none does.
	NextChange time.Time
}

// FactsOf returns what selectors are held against.
func FactsOf(req *request.Request, agent *v1alpha1.Agent, assessment *risk.Assessment) match.Facts {
	facts := match.Facts{
		ActionType:            req.ActionType,
		Agent:                 match.Fold(req.Agent),
		Environments:          assessment.Environments,
		Classifications:       assessment.Classifications,
		ClassificationUnknown: assessment.ClassificationUnknown,
		Resources:             req.Resources,
		ResourceUnknown:       req.ResourceUnknown,
	}
	if agent != nil {
		facts.AgentLabels = agent.Labels
	}
	return facts
}
