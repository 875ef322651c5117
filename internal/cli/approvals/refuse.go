// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"fmt"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// refuse says why nobody, or this user, can judge the action as it is now,
// from the action alone. Nil: nothing is known against it.
func (j *judge) refuse(action *v1alpha1.AgentAction) error {
	now := j.session.Clock.Now()
	for _, check := range []func(*v1alpha1.AgentAction, time.Time) string{
		j.refuseDecided, j.refuseUnevaluated, j.refuseLate, j.refuseOtherStage, j.refuseTwice,
		func(action *v1alpha1.AgentAction, _ time.Time) string { return j.refuseDigest(action) },
	} {
		if why := check(action, now); why != "" {
			return fmt.Errorf("%s cannot be %s: %s", terminal.Safe(action.Name), j.participle(), why)
		}
	}
	return nil
}

func (j *judge) refuseDecided(action *v1alpha1.AgentAction, now time.Time) string {
	status := &action.Status
	switch {
	case status.Decision.IsFinal():
		text := "it is already decided: " + actions.DecisionWord(status.Decision)
		if status.DecidedAt != nil {
			text += fmt.Sprintf(" at %s (%s)", terminal.Moment(status.DecidedAt.Time), terminal.Ago(now, status.DecidedAt.Time))
		}
		if status.Message != "" {
			text += ": " + terminal.Safe(status.Message)
		}
		return text
	case action.Spec.Cancelled:
		return "its requester has withdrawn it"
	default:
		return ""
	}
}

func (j *judge) refuseUnevaluated(action *v1alpha1.AgentAction, now time.Time) string {
	status := &action.Status
	switch {
	case status.Decision == v1alpha1.DecisionNone:
		text := "the operator has not evaluated it yet; try again in a moment"
		if age := now.Sub(actions.SubmittedAt(action)); age > time.Minute {
			text += fmt.Sprintf("\nIt has waited for %s: is the operator running? kubectl get pods -n %s", terminal.Span(age), v1alpha1.GlobalNamespace)
		}
		return text
	case status.Decision != v1alpha1.DecisionPending:
		return fmt.Sprintf("its decision is %q, which this version of ascend does not know; use a newer one", terminal.Safe(string(status.Decision)))
	case status.Approval == nil || status.Approval.Stage == "" || status.Approval.Revision == "" || status.SpecDigest == "":
		return "it waits, but the operator has not said for whom yet; try again in a moment"
	default:
		return ""
	}
}

func (j *judge) refuseLate(action *v1alpha1.AgentAction, now time.Time) string {
	deadline := action.Status.Approval.Deadline
	if deadline == nil || now.Before(deadline.Time) {
		return ""
	}
	return fmt.Sprintf("the deadline of stage %s passed at %s (%s)\nThe agent has to ask again.",
		terminal.Safe(action.Status.Approval.Stage), terminal.Moment(deadline.Time), terminal.Ago(now, deadline.Time))
}

func (j *judge) refuseOtherStage(action *v1alpha1.AgentAction, _ time.Time) string {
	waiting := action.Status.Approval.Stage
	if j.stage == "" || j.stage == waiting || j.stage == stageName(waiting) {
		return ""
	}
	return fmt.Sprintf("it waits in stage %s, not in %s", terminal.Safe(waiting), terminal.Safe(j.stage))
}

// refuseTwice: an approval is one entry a person and stage, and cannot be changed.
func (j *judge) refuseTwice(action *v1alpha1.AgentAction, now time.Time) string {
	stage := action.Status.Approval.Stage
	if j.verdict == v1alpha1.VerdictOverride {
		stage = v1alpha1.OverrideStage
	}
	for _, given := range action.Spec.Approvals {
		if given.Approver != j.me.username || !j.sameEntry(action, given, stage) {
			continue
		}
		text := fmt.Sprintf("you have already given the verdict %s in stage %s", terminal.Safe(string(given.Verdict)), terminal.Safe(given.Stage))
		if given.Time != nil {
			text += ", " + terminal.Ago(now, given.Time.Time)
		}
		if why := actions.WhyUncounted(action, given.Approver, given.Stage); why != "" {
			return text + "; it does not count: " + why
		}
		return text + "; a verdict cannot be changed, and counts once"
	}
	return ""
}

// sameEntry says whether another verdict would be the one that was given. An
// override that is void, because the workflows changed, can be given again.
func (j *judge) sameEntry(action *v1alpha1.AgentAction, given v1alpha1.Approval, stage string) bool {
	return given.Stage == stage && j.verdict != v1alpha1.VerdictOverride || countsAlready(action, given, stage)
}

// countsAlready says whether an approval was given for the same stage under the
// same workflows, with or without the round in its name, and counts.
func countsAlready(action *v1alpha1.AgentAction, given v1alpha1.Approval, stage string) bool {
	return withoutRound(given.Stage) == withoutRound(stage) &&
		given.WorkflowRevision == action.Status.Approval.Revision &&
		actions.WhyUncounted(action, given.Approver, given.Stage) == ""
}

// stageName is a stage as its workflow names it: without the round behind it,
// and without the workflow before it.
func stageName(stage string) string {
	stage = withoutRound(stage)
	return stage[strings.LastIndexByte(stage, '/')+1:]
}

// withoutRound takes the round off a stage, the @TIME that the operator appends
// when workflows changed and people have to approve again.
func withoutRound(stage string) string {
	stage, _, _ = strings.Cut(stage, "@")
	return stage
}
