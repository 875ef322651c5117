// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// covered says which actions a rule covers. Doubt counts for a rule that
// restricts, and against one that relaxes. Source: package match.
func covered(parent *Text, spec *v1alpha1.SmartRuleSpec, relaxes bool) {
	m := &spec.Match
	var lines []string
	if len(m.ActionTypes) > 0 {
		lines = append(lines, "of type "+globs(m.ActionTypes))
	}
	lines = append(lines, agents(m.Agents)...)
	if len(m.Environments) > 0 {
		lines = append(lines, environments(m.Environments, relaxes))
	}
	if len(m.DataClassifications) > 0 {
		words := "with data classified as " + list(m.DataClassifications, "or")
		lines = append(lines, doubt(words, relaxes, "; also where the classification is not known for certain",
			" and nothing else; not where the classification is not known for certain"))
	}
	if len(m.Resources) > 0 {
		words := "on a resource like " + globs(m.Resources)
		if relaxes {
			words = "on no resource but " + globs(m.Resources)
		}
		lines = append(lines, doubt(words, relaxes, "; also where it names none, or one that cannot be read", "; not where it names none, or one that cannot be read"))
	}
	if m.MinRiskScore != "" {
		when := "after all adjustments"
		if spec.Effect == v1alpha1.EffectAdjustRisk {
			when = "before any adjustment"
		}
		lines = append(lines, fmt.Sprintf("with a risk score of %s or more, %s", terminal.Mark(string(m.MinRiskScore)), when))
	}
	if len(lines) == 0 {
		parent.add("covers every action")
		return
	}
	n := parent.add("covers actions")
	if len(lines) > 1 {
		n.Line += ", where all of this is so"
	}
	for _, words := range lines {
		n.add("%s", words)
	}
	if patterned(m) {
		n.add("where * stands for any characters or none, and ? for one; case does not count")
	}
}

func doubt(words string, relaxes bool, restricting, relaxing string) string {
	if relaxes {
		return words + relaxing
	}
	return words + restricting
}

func patterned(m *v1alpha1.RuleMatch) bool {
	all := slices.Concat(m.ActionTypes, m.Resources)
	if m.Agents != nil {
		all = append(all, m.Agents.Names...)
	}
	return slices.ContainsFunc(all, func(g v1alpha1.Glob) bool { return strings.ContainsAny(string(g), "*?") })
}

func globs(patterns []v1alpha1.Glob) string { return list(patterns, "or") }

func environments(words []v1alpha1.Environment, relaxes bool) string {
	in := "in " + list(words, "or")
	if relaxes {
		return in + " only"
	}
	if slices.ContainsFunc(words, func(e v1alpha1.Environment) bool {
		return strings.EqualFold(string(e), string(v1alpha1.EnvironmentProduction))
	}) {
		return in + ", by the Agent or by what the action claims; also where that cannot be read, or is a word nobody knows"
	}
	return in + ", by the Agent or by what the action claims; also where that cannot be read"
}

// agents says which agents are meant.
func agents(m *v1alpha1.AgentMatch) []string {
	if m == nil {
		return nil
	}
	var out []string
	if len(m.Names) > 0 {
		out = append(out, "of agents named "+globs(m.Names))
	}
	if m.Selector == nil {
		return out
	}
	keys := make([]string, 0, len(m.Selector.MatchLabels))
	for key := range m.Selector.MatchLabels {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		out = append(out, fmt.Sprintf("of agents whose label %s is %s", terminal.Mark(key), quoted(m.Selector.MatchLabels[key])))
	}
	for i := range m.Selector.MatchExpressions {
		out = append(out, "of agents "+requirement(&m.Selector.MatchExpressions[i]))
	}
	return out
}

func requirement(r *metav1.LabelSelectorRequirement) string {
	key := terminal.Mark(r.Key)
	switch r.Operator {
	case metav1.LabelSelectorOpIn:
		return fmt.Sprintf("whose label %s is %s", key, list(r.Values, "or"))
	case metav1.LabelSelectorOpNotIn:
		return fmt.Sprintf("whose label %s is none of %s, or that do not have it", key, list(r.Values, "and"))
	case metav1.LabelSelectorOpExists:
		return "that have the label " + key
	case metav1.LabelSelectorOpDoesNotExist:
		return "that do not have the label " + key
	default:
		return fmt.Sprintf("whose label %s %s %s", key, terminal.Mark(string(r.Operator)), list(r.Values, "or"))
	}
}
