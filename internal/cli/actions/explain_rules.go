// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// explainRules adds the rules that matched, in the operator's order, and those
// that nearly did.
func explainRules(root *terminal.Node, status *v1alpha1.AgentActionStatus, b *background) {
	if len(status.MatchedRules) == 0 && len(status.NearRules) == 0 {
		if status.Decision != v1alpha1.DecisionNone {
			root.Add("rules: none matched")
		}
		return
	}
	n := root.Add("rules: %d matched, %d nearly", len(status.MatchedRules), len(status.NearRules))
	for i := range status.MatchedRules {
		n.Add("%s", matchedLine(&status.MatchedRules[i], status.DecidingRule))
	}
	for i := range status.NearRules {
		near := &status.NearRules[i]
		line := n.Add("nearly %s %s: condition %s was false", marked(string(near.Effect)), ruleWord(&near.RuleReference), marked(near.Condition))
		if expression := b.conditions[near.RuleReference][near.Condition]; expression != "" {
			line.Add("%s", marked(expression))
		}
	}
}

func matchedLine(rule *v1alpha1.MatchedRule, deciding *v1alpha1.RuleReference) string {
	text := marked(string(rule.Effect)) + " " + ruleWord(&rule.RuleReference)
	switch rule.Mode {
	case v1alpha1.RuleAudit:
		text += ", without effect (mode Audit)"
	case v1alpha1.RuleEnforce, v1alpha1.RuleDisabled:
	default:
		text += ", mode " + marked(string(rule.Mode))
	}
	if deciding != nil && deciding.Namespace == rule.Namespace && deciding.Name == rule.Name {
		text += ", decided"
	}
	if rule.Note != "" {
		text += ": " + marked(rule.Note)
	}
	return text
}

// ruleWord names a rule as namespace/name with its display name.
func ruleWord(rule *v1alpha1.RuleReference) string {
	text := marked(string(rule.Namespace) + "/" + string(rule.Name))
	if rule.DisplayName != "" {
		text += ` "` + marked(rule.DisplayName) + `"`
	}
	return text
}
