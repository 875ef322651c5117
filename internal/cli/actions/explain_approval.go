// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// explainApproval adds who has to agree, who still can, and until when.
func explainApproval(root *terminal.Node, action *v1alpha1.AgentAction, b *background, now time.Time) {
	status := &action.Status
	approval := status.Approval
	if approval == nil {
		return
	}
	if approval.Stage == "" {
		n := root.Add("approval: no stage waits")
		n.Add("workflows: %s", WorkflowNames(approval.Workflows))
		explainStages(n, action, b)
		explainUncounted(n, approval)
		return
	}
	n := root.Add("approval: %s", StageWord(approval))
	n.Add("workflows: %s", WorkflowNames(approval.Workflows))
	explainStages(n, action, b)
	switch {
	case status.Decision.IsFinal():
		n.Add("who could still have approved: %s", OrNothing(EntryList(approval.PendingApprovers)))
	case len(approval.PendingApprovers) == 0:
		n.Add("nobody is left who can approve")
	default:
		n.Add("who can still approve: %s", EntryList(approval.PendingApprovers))
	}
	if approval.RequestedAt != nil {
		n.Add("asked for: %s, %s", terminal.Moment(approval.RequestedAt.Time), terminal.Ago(now, approval.RequestedAt.Time))
	}
	if approval.Deadline != nil {
		n.Add("deadline: %s", terminal.Deadline(now, approval.Deadline.Time))
	}
	switch {
	case approval.Escalated:
		n.Add("escalated: more approvers have joined")
	case approval.EscalateAt != nil && !status.Decision.IsFinal():
		n.Add("escalates: %s", terminal.Deadline(now, approval.EscalateAt.Time))
	}
	explainUncounted(n, approval)
}

func explainUncounted(parent *terminal.Node, approval *v1alpha1.ApprovalStatus) {
	for i := range approval.Uncounted {
		u := &approval.Uncounted[i]
		parent.Add("does not count: %s in stage %s: %s", marked(u.Approver), marked(u.Stage), marked(u.Reason))
	}
}

// explainApprovals adds the verdicts given so far, in the order of the list.
func explainApprovals(root *terminal.Node, action *v1alpha1.AgentAction, now time.Time) {
	if len(action.Spec.Approvals) == 0 {
		return
	}
	n := root.Add("verdicts given: %d", len(action.Spec.Approvals))
	for i := range action.Spec.Approvals {
		given := &action.Spec.Approvals[i]
		line := marked(string(given.Verdict)) + " by " + marked(given.Approver)
		if given.As != "" {
			line += " as " + marked(given.As)
		}
		line += " in stage " + marked(given.Stage)
		if given.Time != nil {
			line += ", " + terminal.Moment(given.Time.Time) + ", " + terminal.Ago(now, given.Time.Time)
		}
		if given.Comment != "" {
			line += ": " + marked(given.Comment)
		}
		if WhyUncounted(action, given.Approver, given.Stage) != "" {
			line += " (does not count)"
		}
		n.Add("%s", line)
	}
}
