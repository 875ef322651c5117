// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"slices"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Cause is the part of policy that makes the difference.
type Cause struct {
	// Kind is Rule, Workflow, Agent or RiskModel.
	Kind CauseKind `json:"kind"`
	// Name as NAMESPACE/NAME. Empty where only the kind is known, and for the RiskModel.
	Name string `json:"name,omitempty"`
	// Field of an Agent.
	Field string `json:"field,omitempty"`
}

// String returns the cause in one line, as it was given: not safe for a terminal.
func (c Cause) String() string {
	text := string(c.Kind)
	if c.Name != "" {
		text += " " + c.Name
	}
	if c.Field != "" {
		text += " (" + c.Field + ")"
	}
	return text
}

// CauseKind is a kind of object, as in its kind.
type CauseKind string

// The causes.
const (
	CauseRule      CauseKind = "SmartRule"
	CauseWorkflow  CauseKind = "ApprovalWorkflow"
	CauseAgent     CauseKind = "Agent"
	CauseRiskModel CauseKind = "RiskModel"
)

// cause says what makes the difference. Where policy got stricter it is what
// the new verdict is given for; where it got laxer, what the old one was given for
// and is no longer. Where that is the score, it is what changed the score.
func (t *table) cause(before, after *side, direction Direction) Cause {
	switch direction {
	case Tightened:
		if given, found := t.given(after, before); found {
			return given
		}
		// An Allow that is gone, so that others are asked.
		if gone := t.without(before, after, v1alpha1.EffectAllow); gone != "" {
			return Cause{Kind: CauseRule, Name: gone}
		}
	case Loosened:
		if given, found := t.given(before, after); found {
			return given
		}
		if allows := t.without(after, before, v1alpha1.EffectAllow); allows != "" {
			return Cause{Kind: CauseRule, Name: allows}
		}
	case OtherApprovers:
		for _, sides := range [][2]*side{{after, before}, {before, after}} {
			if asks := t.without(sides[0], sides[1], v1alpha1.EffectRequireApproval); asks != "" {
				return Cause{Kind: CauseRule, Name: asks}
			}
		}
	}
	if before.score >= 0 && after.score >= 0 && before.score != after.score {
		return t.scored(before, after)
	}
	return Cause{Kind: CauseWorkflow, Name: t.workflow(before, after)}
}

// given is what the stricter verdict is given for, where that is a rule or the
// Agent; the laxer one is compared with it.
func (t *table) given(stricter, laxer *side) (Cause, bool) {
	switch reason := t.text(stricter.reason); reason {
	case v1alpha1.ReasonRuleDenied:
		return Cause{Kind: CauseRule, Name: t.first(stricter, laxer, v1alpha1.EffectDeny)}, true
	case v1alpha1.ReasonExceptionRequested:
		return Cause{Kind: CauseRule, Name: t.first(stricter, laxer, v1alpha1.EffectDeny)}, true
	case v1alpha1.ReasonRiskTooHigh:
		if laxer.score >= 0 && laxer.score != stricter.score {
			return Cause{}, false // what changed the score
		}
		return Cause{Kind: CauseAgent, Field: "maxRiskScore"}, true
	case v1alpha1.ReasonScoringFailed:
		return Cause{Kind: CauseRiskModel}, true
	case v1alpha1.ReasonResourceUnknown:
		return Cause{Kind: CauseAgent, Field: "blockedResources"}, true
	case v1alpha1.ReasonNotASubject, v1alpha1.ReasonAgentNotFound, v1alpha1.ReasonAgentSuspended, v1alpha1.ReasonAgentRetired,
		v1alpha1.ReasonAgentStateUnknown, v1alpha1.ReasonActionTypeNotAllowed, v1alpha1.ReasonResourceNotAllowed, v1alpha1.ReasonResourceBlocked:
		return Cause{Kind: CauseAgent, Field: agentFields[reason]}, true
	}
	if stricter.decision != v1alpha1.DecisionPending {
		return Cause{}, false
	}
	if asks := t.without(stricter, laxer, v1alpha1.EffectRequireApproval); asks != "" {
		return Cause{Kind: CauseRule, Name: asks}, true
	}
	if rule := t.text(stricter.deciding); rule != "" {
		return Cause{Kind: CauseRule, Name: rule}, true
	}
	return Cause{}, false
}

// agentFields is what of an Agent denies, by reason.
var agentFields = map[string]string{
	v1alpha1.ReasonNotASubject:          "subjects",
	v1alpha1.ReasonAgentNotFound:        "not found",
	v1alpha1.ReasonAgentSuspended:       "state",
	v1alpha1.ReasonAgentRetired:         "state",
	v1alpha1.ReasonAgentStateUnknown:    "state",
	v1alpha1.ReasonActionTypeNotAllowed: "allowedActionTypes",
	v1alpha1.ReasonResourceNotAllowed:   "allowedResources",
	v1alpha1.ReasonResourceBlocked:      "blockedResources",
}

// first is the deciding rule, or where that is not known the first with the
// effect, best one that the other side does not have.
func (t *table) first(of, other *side, effect v1alpha1.RuleEffect) string {
	if rule := t.text(of.deciding); rule != "" {
		return rule
	}
	if rule := t.without(of, other, effect); rule != "" {
		return rule
	}
	if all := t.enforced(of, effect); len(all) > 0 {
		return all[0]
	}
	return ""
}

// without is the first enforced rule with the effect that the other side does not have.
func (t *table) without(of, other *side, effect v1alpha1.RuleEffect) string {
	others := t.enforced(other, effect)
	for _, rule := range t.enforced(of, effect) {
		if !slices.Contains(others, rule) {
			return rule
		}
	}
	return ""
}

// enforced are the names of the enforced rules that matched with an effect.
func (t *table) enforced(of *side, effect v1alpha1.RuleEffect) []string {
	var names []string
	for _, rule := range t.list(of.rules) {
		if name, is := strings.CutSuffix(rule, " "+string(effect)+" "+string(v1alpha1.RuleEnforce)); is {
			names = append(names, name)
		}
	}
	return names
}

// scored is what changed the score: a rule that adjusts it, the Agent's
// environment, or the risk model.
func (t *table) scored(before, after *side) Cause {
	for _, sides := range [][2]*side{{after, before}, {before, after}} {
		if rule := t.without(sides[0], sides[1], v1alpha1.EffectAdjustRisk); rule != "" {
			return Cause{Kind: CauseRule, Name: rule}
		}
	}
	was, is := t.list(before.factors), t.list(after.factors)
	if len(was) == 0 || len(is) == 0 {
		return Cause{Kind: CauseRiskModel}
	}
	for _, factor := range append(missing(is, was), missing(was, is)...) {
		source, rest, _ := strings.Cut(factor, " ")
		words := strings.Fields(rest)
		switch v1alpha1.FactorSource(source) {
		case v1alpha1.SourceRule:
			if len(words) > 1 {
				return Cause{Kind: CauseRule, Name: words[1]}
			}
		case v1alpha1.SourceAgent:
			return Cause{Kind: CauseAgent, Field: "environment"}
		case v1alpha1.SourceClaimed, v1alpha1.SourceCatalog, v1alpha1.SourceModel:
		}
	}
	return Cause{Kind: CauseRiskModel}
}

// missing are the words of a that b does not have.
func missing(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(word string) bool { return slices.Contains(b, word) })
}

// workflow is the first that only one side has, best the new one, or the first
// of all.
func (t *table) workflow(before, after *side) string {
	was, is := t.list(before.workflows), t.list(after.workflows)
	for _, names := range [][]string{missing(is, was), missing(was, is), is, was} {
		if len(names) > 0 {
			return names[0]
		}
	}
	return ""
}
