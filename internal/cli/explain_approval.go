// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// explainApproval adds who has to agree, who still can, and until when.
func explainApproval(root *node, status *v1alpha1.AgentActionStatus, now time.Time) {
	approval := status.Approval
	if approval == nil {
		return
	}
	if approval.Stage == "" {
		n := root.add("approval: no stage waits")
		n.add("workflows: %s", workflowNames(approval.Workflows))
		explainUncounted(n, approval)
		return
	}
	n := root.add("approval: %s", stageWord(approval))
	n.add("workflows: %s", workflowNames(approval.Workflows))
	switch {
	case status.Decision.IsFinal():
		n.add("who could still have approved: %s", orNothing(entryList(approval.PendingApprovers)))
	case len(approval.PendingApprovers) == 0:
		n.add("nobody is left who can approve")
	default:
		n.add("who can still approve: %s", entryList(approval.PendingApprovers))
	}
	if approval.RequestedAt != nil {
		n.add("asked for: %s, %s", moment(approval.RequestedAt.Time), ago(now, approval.RequestedAt.Time))
	}
	if approval.Deadline != nil {
		n.add("deadline: %s", deadlineWord(now, approval.Deadline.Time))
	}
	switch {
	case approval.Escalated:
		n.add("escalated: more approvers have joined")
	case approval.EscalateAt != nil && !status.Decision.IsFinal():
		n.add("escalates: %s", deadlineWord(now, approval.EscalateAt.Time))
	}
	explainUncounted(n, approval)
}

func explainUncounted(parent *node, approval *v1alpha1.ApprovalStatus) {
	for i := range approval.Uncounted {
		u := &approval.Uncounted[i]
		parent.add("does not count: %s in stage %s: %s", safeText(u.Approver), safeText(u.Stage), safeText(u.Reason))
	}
}

// explainApprovals adds the verdicts given so far, in the order of the list.
func explainApprovals(root *node, action *v1alpha1.AgentAction, now time.Time) {
	if len(action.Spec.Approvals) == 0 {
		return
	}
	n := root.add("verdicts given: %d", len(action.Spec.Approvals))
	for i := range action.Spec.Approvals {
		given := &action.Spec.Approvals[i]
		line := safeText(string(given.Verdict)) + " by " + safeText(given.Approver)
		if given.As != "" {
			line += " as " + safeText(given.As)
		}
		line += " in stage " + safeText(given.Stage)
		if given.Time != nil {
			line += ", " + moment(given.Time.Time) + ", " + ago(now, given.Time.Time)
		}
		if given.Comment != "" {
			line += ": " + safeText(given.Comment)
		}
		if whyUncounted(action, given.Approver, given.Stage) != "" {
			line += " (does not count)"
		}
		n.add("%s", line)
	}
}
