// SPDX-License-Identifier: Apache-2.0

package cli

import "github.com/ow-kai/ascend-operator/api/v1alpha1"

// explainRules adds the rules that matched, in the operator's order, and those
// that nearly did.
func explainRules(root *node, status *v1alpha1.AgentActionStatus) {
	if len(status.MatchedRules) == 0 && len(status.NearRules) == 0 {
		if status.Decision != v1alpha1.DecisionNone {
			root.add("rules: none matched")
		}
		return
	}
	n := root.add("rules: %d matched, %d nearly", len(status.MatchedRules), len(status.NearRules))
	for i := range status.MatchedRules {
		n.add("%s", matchedLine(&status.MatchedRules[i], status.DecidingRule))
	}
	for i := range status.NearRules {
		near := &status.NearRules[i]
		n.add("nearly %s %s: condition %s was false", safeText(string(near.Effect)), ruleWord(&near.RuleReference), safeText(near.Condition))
	}
}

func matchedLine(rule *v1alpha1.MatchedRule, deciding *v1alpha1.RuleReference) string {
	text := safeText(string(rule.Effect)) + " " + ruleWord(&rule.RuleReference)
	switch rule.Mode {
	case v1alpha1.RuleAudit:
		text += ", without effect (mode Audit)"
	case v1alpha1.RuleEnforce, v1alpha1.RuleDisabled:
	default:
		text += ", mode " + safeText(string(rule.Mode))
	}
	if deciding != nil && deciding.Namespace == rule.Namespace && deciding.Name == rule.Name {
		text += ", decided"
	}
	if rule.Note != "" {
		text += ": " + safeText(rule.Note)
	}
	return text
}

// ruleWord names a rule as namespace/name with its display name.
func ruleWord(rule *v1alpha1.RuleReference) string {
	text := safeText(string(rule.Namespace) + "/" + string(rule.Name))
	if rule.DisplayName != "" {
		text += ` "` + safeText(rule.DisplayName) + `"`
	}
	return text
}
