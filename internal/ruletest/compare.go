// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
)

// Difference is one thing that was expected and did not come.
type Difference struct {
	// Field of expect, such as decision or matched.
	Field string `json:"field"`
	// Want is what was expected, in words where the field is a list.
	Want string `json:"want"`
	// Got is what came in its place; "none" where nothing did.
	Got string `json:"got"`
}

const none = "none"

// differences are what an outcome lacks of what is expected, in the order of the
// fields of expect. passed are the workflows of the outcome: see workflowsOf.
func (e *expectation) differences(got *decision.Outcome, passed []key) []Difference {
	c := comparison{}
	risk, approval := got.Risk, got.Approval
	if risk == nil {
		risk = &v1alpha1.RiskStatus{}
	}
	if approval == nil {
		approval = &v1alpha1.ApprovalStatus{}
	}
	c.same("decision", string(e.decision), string(got.Decision))
	c.same("reason", e.reason, got.Reason)
	c.same("score", e.score, string(risk.Score))
	c.same("level", string(e.level), string(risk.Level))
	c.same("vector", e.vector, risk.CVSSVector)
	c.same("base", e.base, string(risk.CVSSBaseScore))
	if e.rule != nil {
		c.same("rule", e.rule.key.String(), deciding(got))
	}
	c.same("message", e.message, got.Message)
	for _, part := range e.contains {
		if !strings.Contains(got.Message, part) {
			c.add("messageContains", part, got.Message)
		}
	}
	if e.stages != nil {
		c.same("stages", strconv.Itoa(*e.stages), strconv.Itoa(int(approval.StageCount)))
	}
	c.same("stage", e.stage, approval.Stage)
	if e.approvers != nil {
		c.sameSet("approvers", e.approvers, approval.PendingApprovers)
	}
	if e.workflows != nil {
		c.sameSet("workflows", keyStrings(e.workflows), stringsOf(passed))
	}
	c.rules(e, got)
	return c.found
}

type comparison struct{ found []Difference }

func (c *comparison) add(field, want, got string) {
	if got == "" {
		got = none
	}
	c.found = append(c.found, Difference{field, want, got})
}

// same compares where anything is expected.
func (c *comparison) same(field, want, got string) {
	if want != "" && want != got {
		c.add(field, want, got)
	}
}

// sameSet compares lists, whose order says nothing.
func (c *comparison) sameSet(field string, want, got []string) {
	want, got = sorted(want), sorted(got)
	if !slices.Equal(want, got) {
		c.add(field, strings.Join(want, ", "), strings.Join(got, ", "))
	}
}

// rules compares which rules matched, and nearly.
func (c *comparison) rules(e *expectation, got *decision.Outcome) {
	near := map[key]string{}
	for _, n := range got.NearRules {
		near[keyOf(n.RuleReference)] = n.Condition
	}
	matched := matchedKeys(got)
	state := func(k key) string {
		condition, isNear := near[k]
		switch {
		case slices.Contains(matched, k):
			return "it matched"
		case isNear:
			return "it did not match: condition " + condition + " is false"
		default:
			return "it did not match: it does not cover the action, or was not asked"
		}
	}
	for _, n := range e.matched {
		if !slices.Contains(matched, n.key) {
			c.add("matched", n.key.String(), state(n.key))
		}
	}
	for _, n := range e.not {
		if slices.Contains(matched, n.key) {
			c.add("not", n.key.String(), state(n.key))
		}
	}
	for _, n := range e.nearly {
		condition, isNear := near[n.key]
		want := n.key.String()
		if n.condition != "" {
			want += ", condition " + n.condition
		}
		if !isNear || n.condition != "" && n.condition != condition {
			c.add("nearly", want, state(n.key))
		}
	}
}

// deciding is the rule that made the decision, as namespace/name; empty where none did.
func deciding(got *decision.Outcome) string {
	if got.DecidingRule == nil {
		return ""
	}
	return keyOf(*got.DecidingRule).String()
}

func keyOf(ref v1alpha1.RuleReference) key { return key{string(ref.Namespace), string(ref.Name)} }

func matchedKeys(got *decision.Outcome) []key {
	out := make([]key, len(got.MatchedRules))
	for i, m := range got.MatchedRules {
		out[i] = keyOf(m.RuleReference)
	}
	return out
}

func keyStrings(names []name) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = n.key.String()
	}
	return out
}

func stringsOf(keys []key) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = k.String()
	}
	return out
}

// sorted returns the words in order, each once.
func sorted(words []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(words)))
}
