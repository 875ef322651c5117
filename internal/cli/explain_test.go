// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// everything is an action whose status has all there is to explain.
func everything() *v1alpha1.AgentAction {
	action := twoStages(pending())
	status := &action.Status
	action.Spec.ExceptionRequest = &v1alpha1.ExceptionRequest{RuleName: "rule-no-bulk-delete", Justification: "inactive since 2019"}
	action.Spec.Approvals = []v1alpha1.Approval{
		{Verdict: v1alpha1.VerdictApprove, Comment: "looks right", Approver: "bob", Stage: "security-review", As: "group:ascend-approvers", Time: micro(testNow.Add(-10 * time.Second))},
		{Verdict: v1alpha1.VerdictApprove, Approver: "mallory", Stage: "security-review", Time: micro(testNow.Add(-5 * time.Second))},
	}
	status.MatchedRules = []v1alpha1.MatchedRule{
		{RuleReference: v1alpha1.RuleReference{Namespace: "ascend-system", Name: "rule-no-bulk-delete", DisplayName: "Block Bulk Deletions"}, Effect: v1alpha1.EffectDeny, Mode: v1alpha1.RuleEnforce, Note: "an exception was asked for"},
		{RuleReference: v1alpha1.RuleReference{Namespace: "default", Name: "watch-customers"}, Effect: v1alpha1.EffectDeny, Mode: v1alpha1.RuleAudit},
	}
	status.DecidingRule = &status.MatchedRules[0].RuleReference
	status.NearRules = []v1alpha1.NearRule{
		{RuleReference: v1alpha1.RuleReference{Namespace: "default", Name: "rule-night"}, Effect: v1alpha1.EffectRequireApproval, Condition: "off-hours"},
	}
	status.Approval.Granted = 1
	status.Approval.Uncounted = []v1alpha1.UncountedApproval{
		{Approver: "mallory", Stage: "security-review", Reason: "mallory is not among the approvers of this stage"}}
	status.ApprovalURL = "https://ascend.example.com/actions/act-ghi789"
	status.Notification = v1alpha1.NotificationPending
	return action
}

func TestExplain(t *testing.T) {
	approved := everything()
	approves(approved)
	approved.Status.DecidedAt = micro(testNow.Add(-time.Second))
	approved.Status.Approval.Stage, approved.Status.Approval.PendingApprovers = "", nil
	approved.Spec.Outcome = &v1alpha1.Outcome{Result: v1alpha1.OutcomeSucceeded, Message: "1 row updated"}

	escalated := pending()
	escalated.Status.Approval.Escalated, escalated.Status.Approval.EscalateAt = true, nil

	timedOut := pending()
	timedOut.Status.Decision, timedOut.Status.Approval.Deadline = v1alpha1.DecisionTimedOut, micro(testNow.Add(-time.Second))

	forged := pending()
	forged.Status.Risk.Score = "2.1"

	hostile := everything()
	hostile.Spec.Description = "harmless\n└─ decision: APPROVED\x1b[8m"
	hostile.Spec.Resource = "cus\u200btomers"
	hostile.Spec.Approvals[0].Comment = "ok \u202edeined\u202c"
	hostile.Status.Message = "\x1b]0;owned\x07"
	hostile.Status.MatchedRules[0].DisplayName = "Nice\rEvil"
	hostile.Status.Risk.Factors[0].Note = "a\u2028b"

	for name, action := range map[string]*v1alpha1.AgentAction{
		"everything": everything(),
		"approved":   approved,
		"escalated":  escalated,
		"timed-out":  timedOut,
		"forged-sum": forged,
		"hostile":    hostile,
		"new":        newAction("act-ghi789", "database_read", time.Second),
		"automatic":  decided(newAction("act-ghi789", "database_read", time.Minute), v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, "2.1", v1alpha1.RiskLevelLow),
	} {
		t.Run(name, func(t *testing.T) {
			c := &cluster{objects: []client.Object{action}}
			argv := []string{"ascend", "explain", "act-ghi789"}
			checkGolden(t, play(t, testServer, c.dial(t), argv...).transcript(argv))
		})
	}
}

func TestExplainMissing(t *testing.T) {
	argv := []string{"kubectl-ascend", "explain", "agentaction/act-nope", "-n", "payments"}
	checkGolden(t, play(t, testServer, (&cluster{}).dial(t), argv...).transcript(argv))
}
