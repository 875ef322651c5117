// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// verdict tells what became of an action: mark, decision, score and level; how
// the score adds up; and why.
func (n *narrator) verdict(status *v1alpha1.AgentActionStatus) {
	mark, color, word := decisionWord(status.Decision)
	score := ""
	if risk := status.Risk; risk != nil {
		score = fmt.Sprintf("  %s %s", risk.Score, strings.ToUpper(string(risk.Level)))
	}
	n.tell("\n   %s%s", paint(color, mark+" "+word), paint(bold, score))
	if sum := riskSum(status.Risk); sum != "" {
		n.tell("  %s", paint(dim, "= "+sum))
	}
	n.tell("\n")
	if rule := status.DecidingRule; rule != nil {
		n.prose("     ", fmt.Sprintf("Rule %s, %q:", rule.Name, rule.DisplayName))
	}
	n.prose("     ", status.Message)
	if a := status.Approval; a != nil && status.Decision == v1alpha1.DecisionPending {
		n.prose("     ", fmt.Sprintf("Stage %s has %d of %d approvals and waits for %s.",
			a.Stage, a.Granted, a.Required, strings.Join(a.PendingApprovers, ", ")))
	}
}

// decisionWord is a decision in the words of the SDKs, with a mark and a color.
func decisionWord(d v1alpha1.Decision) (mark string, color style, word string) {
	switch d {
	case v1alpha1.DecisionApproved:
		return "✔", green, "APPROVED"
	case v1alpha1.DecisionPending:
		return "●", yellow, "PENDING"
	case v1alpha1.DecisionDenied:
		return "✘", red, "DENIED"
	case v1alpha1.DecisionTimedOut:
		return "✘", red, "TIMEOUT"
	case v1alpha1.DecisionCancelled:
		return "✘", red, "CANCELLED"
	case v1alpha1.DecisionNone:
		return "?", red, "NOT DECIDED"
	default:
		return "?", red, strings.ToUpper(string(d))
	}
}

// riskSum is how a score adds up: "4.3 base +1.0 pii". What adds nothing is
// left out.
func riskSum(risk *v1alpha1.RiskStatus) string {
	if risk == nil || risk.CVSSBaseScore == "" {
		return ""
	}
	sum := []string{string(risk.CVSSBaseScore) + " base"}
	for _, factor := range risk.Factors {
		if factor.Delta == "+0.0" {
			continue
		}
		value := factor.Value
		if value == "" {
			value = "unknown"
		}
		switch factor.Name {
		case "data-classification":
			value += " data"
		case "clamp":
			value = "limit"
		}
		sum = append(sum, string(factor.Delta)+" "+value)
	}
	return strings.Join(sum, " ")
}
