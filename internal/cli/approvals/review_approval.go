// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// approval is who has agreed, who still has to, and what happens next.
func (d *dossier) approval(ctx context.Context) {
	d.section("APPROVAL")
	approval := d.action.Status.Approval
	if approval == nil || approval.Stage == "" {
		d.text(2, "no stage waits")
		d.verdicts()
		return
	}
	d.field("workflows", actions.WorkflowNames(approval.Workflows))
	d.field("stage", fmt.Sprintf("%s (%d of %d)", terminal.Mark(approval.Stage), approval.StageIndex+1, approval.StageCount))
	d.field("given", fmt.Sprintf("%d of %d, %s", approval.Granted, approval.Required, neededWord(approval)))
	d.verdicts()
	if d.action.Status.Decision.IsFinal() {
		return
	}
	if len(approval.PendingApprovers) == 0 {
		d.field("who can", "nobody is left who can approve")
	} else {
		d.field("who can", markedEntries(approval.PendingApprovers))
	}
	switch {
	case d.place.mine:
		d.field("you", strings.TrimPrefix(countsAs(d.place.as), "; you ")+", as "+terminal.Safe(d.judge.me.username))
	case d.judge.me.username != "":
		d.field("you", d.judge.me.who()+": it does not wait for you")
	}
	d.future(ctx, approval)
}

func neededWord(approval *v1alpha1.ApprovalStatus) string {
	switch n := approval.Required - approval.Granted; {
	case n <= 0:
		return "enough"
	case n == 1:
		return "1 more is needed"
	default:
		return fmt.Sprintf("%d more are needed", n)
	}
}

func markedEntries(entries []string) string {
	marked := make([]string, len(entries))
	for i, entry := range entries {
		marked[i] = entry
		if entry == actions.VerbApprove {
			marked[i] = "whoever holds the verb approve"
		}
		marked[i] = terminal.Mark(marked[i])
	}
	const most = 40
	more := ""
	if len(marked) > most {
		marked, more = marked[:most], fmt.Sprintf(" and %d more", len(entries)-most)
	}
	return strings.Join(marked, ", ") + more
}

// verdicts are those given so far, with their comments.
func (d *dossier) verdicts() {
	for i := range d.action.Spec.Approvals {
		given := &d.action.Spec.Approvals[i]
		line := verdictWord(given.Verdict) + " by " + terminal.Mark(given.Approver)
		if given.As != "" {
			line += " as " + terminal.Mark(given.As)
		}
		line += " in stage " + terminal.Mark(given.Stage)
		if given.Time != nil {
			line += ", " + terminal.Ago(d.now, given.Time.Time)
		}
		if given.Comment != "" {
			line += ": " + quoted(given.Comment)
		}
		if why := actions.WhyUncounted(d.action, given.Approver, given.Stage); why != "" {
			line += " (does not count: " + why + ")"
		}
		d.field("", line)
	}
}

func verdictWord(verdict v1alpha1.Verdict) string {
	switch verdict {
	case v1alpha1.VerdictApprove:
		return "approved"
	case v1alpha1.VerdictDeny:
		return "denied"
	case v1alpha1.VerdictOverride:
		return "overridden"
	default:
		return terminal.Mark(string(verdict))
	}
}

// future is what happens next, as far as the workflow can be read.
func (d *dossier) future(ctx context.Context, approval *v1alpha1.ApprovalStatus) {
	workflow, at, known := d.judge.policy.stageOf(ctx, approval, approval.Stage)
	if !known {
		workflow, at = &v1alpha1.ApprovalWorkflow{Spec: v1alpha1.ApprovalWorkflowSpec{Stages: []v1alpha1.Stage{{}}}}, 0
	}
	switch {
	case approval.Escalated:
		d.field("escalated", "more approvers have joined")
	case approval.EscalateAt != nil:
		text := terminal.Deadline(d.now, approval.EscalateAt.Time)
		if escalation := workflow.Spec.Stages[at].Escalation; escalation != nil {
			text += "; then " + approverWords(&escalation.Approvers) + " can approve as well"
		}
		d.field("escalates", text)
	}
	if approval.Deadline != nil {
		text := terminal.Deadline(d.now, approval.Deadline.Time)
		if known {
			text += "; then it " + timeoutWord(workflow.Spec.OnTimeout)
		}
		d.field("deadline", text)
	}
	d.field("after this", afterWord(approval, workflow, at))
	if d.comment = workflow.Spec.RequireComment; d.comment {
		d.field("comment", "this workflow counts no approval without a --comment")
	}
}

// afterWord is what comes when the stage is passed.
func afterWord(approval *v1alpha1.ApprovalStatus, workflow *v1alpha1.ApprovalWorkflow, at int) string {
	left := approval.StageCount - approval.StageIndex - 1
	switch {
	case left <= 0 && workflow.Spec.ApprovalValidity != nil:
		return "it may run, for " + terminal.Span(workflow.Spec.ApprovalValidity.Duration)
	case left <= 0:
		return "it may run"
	}
	text := "another stage has to be passed"
	if left > 1 {
		text = fmt.Sprintf("%d more stages have to be passed", left)
	}
	if at+1 < len(workflow.Spec.Stages) {
		stage := &workflow.Spec.Stages[at+1]
		text += fmt.Sprintf("; next is %s, by %s", terminal.Mark(stage.Name), approverWords(&stage.Approvers))
	}
	return text
}

func timeoutWord(policy v1alpha1.TimeoutPolicy) string {
	if policy == v1alpha1.OnTimeoutDenied {
		return "is denied"
	}
	return "times out, and may not run"
}

func approverWords(set *v1alpha1.ApproverSet) string {
	var entries []string
	for _, group := range set.Groups {
		entries = append(entries, groupPrefix+string(group))
	}
	for _, user := range set.Users {
		entries = append(entries, userPrefix+string(user))
	}
	for _, account := range set.ServiceAccounts {
		entries = append(entries, accountPrefix+string(account.Namespace)+"/"+string(account.Name))
	}
	return shortEntries(entries)
}

// timeLeft is how long there is until a deadline.
func timeLeft(now, deadline time.Time) string {
	if !now.Before(deadline) {
		return "no time"
	}
	return terminal.Span(deadline.Sub(now))
}
