// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// expectation is what has to become of an action: a row of the table of fixed
// points in docs/scoring.md. What is empty may be anything.
type expectation struct {
	decision v1alpha1.Decision
	score    v1alpha1.Score
	level    v1alpha1.RiskLevel
	vector   string
	base     v1alpha1.Score
	rule     string // name of the deciding rule
	title    string // its display name
	message  string
}

// readVector is the CVSS vector of a read that the tutorial shows.
const readVector = "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N"

// differences say what is not as expected, a line each.
func (e expectation) differences(name string, status *v1alpha1.AgentActionStatus) []string {
	risk := status.Risk
	if risk == nil {
		risk = &v1alpha1.RiskStatus{}
	}
	rule := status.DecidingRule
	if rule == nil {
		rule = &v1alpha1.RuleReference{}
	}
	var out []string
	for _, fact := range []struct{ what, want, got string }{
		{"decision", string(e.decision), string(status.Decision)},
		{"score", string(e.score), string(risk.Score)},
		{"level", string(e.level), string(risk.Level)},
		{"CVSS vector", e.vector, risk.CVSSVector},
		{"base score", string(e.base), string(risk.CVSSBaseScore)},
		{"deciding rule", e.rule, string(rule.Name)},
		{"name of the rule", e.title, rule.DisplayName},
		{"message", e.message, status.Message},
	} {
		if fact.want != "" && fact.want != fact.got {
			out = append(out, fmt.Sprintf("%s: the %s is %q, expected %q", name, fact.what, fact.got, fact.want))
		}
	}
	return out
}

// mistakes say how a command ended otherwise than it has to, a line each. One
// that has to be refused fails, and says why in the words that are expected,
// wherever its lines break.
func (s scene) mistakes(out string, err error) []string {
	switch {
	case s.refused == "" && err != nil:
		return []string{fmt.Sprintf("%s: %v", s.command, err)}
	case s.refused == "":
		return nil
	case err == nil:
		return []string{s.command + ": it was not refused"}
	case !strings.Contains(strings.Join(strings.Fields(out), " "), s.refused):
		return []string{fmt.Sprintf("%s: it failed (%v), but does not say %q", s.command, err, s.refused)}
	default:
		return nil
	}
}
