// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/story"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// nothing stands in a table for what is not known yet.
const nothing = "-"

// DecisionWord is the tutorial's word for a decision. EVALUATING stands for
// an action that the operator has not looked at yet; it is not PENDING,
// because no human is asked.
func DecisionWord(d v1alpha1.Decision) string {
	if d == v1alpha1.DecisionNone {
		return "EVALUATING"
	}
	return terminal.Safe(story.DecisionWord(d))
}

// actionResource is how -o name and the arguments of commands write the kind.
const actionResource = "agentaction.governance.ascendowkai.com"

// DecisionRole is how a decision is painted.
func DecisionRole(d v1alpha1.Decision) terminal.Role {
	switch d {
	case v1alpha1.DecisionApproved:
		return terminal.Good
	case v1alpha1.DecisionDenied, v1alpha1.DecisionTimedOut:
		return terminal.Bad
	case v1alpha1.DecisionPending:
		return terminal.Waiting
	case v1alpha1.DecisionNone, v1alpha1.DecisionCancelled:
		return terminal.Faint
	default:
		return terminal.Plain
	}
}

// LevelWord is the tutorial's word for the level of an action's risk, and "-"
// where it was not scored.
func LevelWord(risk *v1alpha1.RiskStatus) string {
	if risk == nil || risk.Level == "" {
		return nothing
	}
	return strings.ToUpper(terminal.Safe(string(risk.Level)))
}

// ScoreWord is the score of an action's risk, and "-" where it was not scored.
func ScoreWord(risk *v1alpha1.RiskStatus) string {
	if risk == nil {
		return nothing
	}
	return OrNothing(string(risk.Score))
}

// OrNothing is the text made safe, and "-" when it is empty.
func OrNothing(text string) string {
	if text == "" {
		return nothing
	}
	return terminal.Safe(text)
}
