// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// changed is the pending action, changed.
func changed(change func(*v1alpha1.AgentAction)) *v1alpha1.AgentAction {
	action := pending()
	change(action)
	return action
}

// gave is the pending action with a verdict of alice in it.
func gave(why string) *v1alpha1.AgentAction {
	return changed(func(a *v1alpha1.AgentAction) {
		a.Spec.Approvals = []v1alpha1.Approval{{Verdict: v1alpha1.VerdictApprove, Approver: "alice", Stage: "approval", Time: micro(testNow.Add(-5 * time.Minute))}}
		if why != "" {
			a.Status.Approval.Uncounted = []v1alpha1.UncountedApproval{{Approver: "alice", Stage: "approval", Reason: why}}
		}
	})
}

func nobody(string) bool { return false }

func TestRefusals(t *testing.T) {
	approve := []string{"ascend", "approve", "act-ghi789"}
	stranger := &identity{username: "mallory", groups: []string{"system:authenticated", "interns"}}

	for name, tc := range map[string]*verdictCase{
		"not-found":          {with(pending(), cluster{}), []string{"ascend", "approve", "act-nope", "-n", "payments"}, false},
		"not-evaluated":      {with(newAction("act-ghi789", "database_write", 0), cluster{}), approve, false},
		"long-not-evaluated": {with(newAction("act-ghi789", "database_write", 10*time.Minute), cluster{}), approve, false},
		"no-stage":           {with(changed(func(a *v1alpha1.AgentAction) { a.Status.Approval = nil }), cluster{}), approve, false},
		"unknown-word":       {with(changed(func(a *v1alpha1.AgentAction) { a.Status.Decision = "Deferred" }), cluster{}), approve, false},
		"already-decided": {with(changed(func(a *v1alpha1.AgentAction) {
			denies(a)
			a.Status.DecidedAt = micro(testNow.Add(-5 * time.Minute))
		}), cluster{}), approve, false},
		"withdrawn":   {with(changed(func(a *v1alpha1.AgentAction) { a.Spec.Cancelled = true }), cluster{}), approve, false},
		"too-late":    {with(changed(func(a *v1alpha1.AgentAction) { a.Status.Approval.Deadline = micro(testNow.Add(-time.Minute)) }), cluster{}), approve, false},
		"other-stage": {with(pending(), cluster{}), append(approve, "--stage", "managers"), false},
		"twice":       {with(gave(""), cluster{}), approve, false},
		"twice-in-one-round": {with(changed(func(a *v1alpha1.AgentAction) {
			a.Spec.Approvals = []v1alpha1.Approval{{Verdict: v1alpha1.VerdictApprove, Approver: "alice", Stage: "approval", WorkflowRevision: "sha256:wwww"}}
			a.Status.Approval.Stage = "approval@2025-12-19T14:02:10.000000Z"
		}), cluster{}), approve, false},
		"twice-not-counted": {with(gave("the workflows changed"), cluster{}), approve, false},
		"requester":         {with(pending(), cluster{me: &identity{username: "system:serviceaccount:default:tutorial-agent", groups: []string{"ascend-approvers"}}}), approve, false},
		"requester-denies": {with(changed(func(a *v1alpha1.AgentAction) { a.Spec.Requester.Username = "alice" }), cluster{}),
			[]string{"ascend", "deny", "act-ghi789", "--reason", "changed my mind"}, false},
		"requester-by-uid": {with(changed(func(a *v1alpha1.AgentAction) { a.Spec.Requester.UID = "uid-alice" }), cluster{}), approve, false},
		"owner": {with(pending(), cluster{objects: []client.Object{high(nil),
			tutorialAgent(func(spec *v1alpha1.AgentSpec) { spec.Owner = "Alice" })}}), approve, false},
		"subject": {with(pending(), cluster{objects: []client.Object{high(nil), tutorialAgent(func(spec *v1alpha1.AgentSpec) {
			spec.Subjects = []v1alpha1.Subject{{Kind: v1alpha1.SubjectUser, Name: "bob"}, {Kind: v1alpha1.SubjectGroup, Name: "ascend-approvers"}}
		})}}), approve, false},
		"not-an-approver": {with(pending(), cluster{me: stranger}), approve, false},
		"nobody-left":     {with(changed(func(a *v1alpha1.AgentAction) { a.Status.Approval.PendingApprovers = nil }), cluster{}), approve, false},
		"comment-missing": {with(pending(), cluster{objects: []client.Object{
			high(func(spec *v1alpha1.ApprovalWorkflowSpec) { spec.RequireComment = true })}}), approve, false},
		"no-verb":           {with(pending(), cluster{verbs: nobody}), approve, false},
		"no-verb-in-person": {with(pending(), cluster{verbs: nobody, me: &identity{username: "carol"}}), approve, false},
		"no-verb-no-workflow": {with(changed(func(a *v1alpha1.AgentAction) {
			a.Status.Approval.Workflows, a.Status.Approval.PendingApprovers = nil, []string{verbApprove}
		}), cluster{verbs: nobody, me: &identity{username: "system:serviceaccount:ci:it's bot"}}), approve, false},
		"no-override": {with(pending(), cluster{}), append(approve, "--override", "--comment", "incident"), false},
		"not-an-overrider": {with(pending(), cluster{objects: []client.Object{high(func(spec *v1alpha1.ApprovalWorkflowSpec) {
			spec.EmergencyOverride = &v1alpha1.EmergencyOverride{Approvers: v1alpha1.ApproverSet{
				Users: []v1alpha1.UserName{"root"}, Groups: []v1alpha1.UserName{"sre"},
				ServiceAccounts: []v1alpha1.ServiceAccountReference{{Namespace: "ops", Name: "bot"}}}}
		})}}), append(approve, "--override", "--comment", "incident"), false},
		"changed-stage": {with(twoStages(pending()), cluster{meanwhile: []func(*v1alpha1.AgentAction){passes}}), approve, false},
		"changed-workflow": {with(pending(), cluster{meanwhile: []func(*v1alpha1.AgentAction){func(a *v1alpha1.AgentAction) {
			a.Status.Approval.Revision = "sha256:xxxx"
		}}}), approve, false},
		"changed-request": {with(pending(), cluster{meanwhile: []func(*v1alpha1.AgentAction){func(a *v1alpha1.AgentAction) {
			a.Status.SpecDigest = "sha256:bbbb"
		}}}), approve, false},
		"decided-meanwhile":   {with(pending(), cluster{meanwhile: []func(*v1alpha1.AgentAction){denies}}), approve, false},
		"override-no-comment": {with(pending(), cluster{}), append(approve, "--override"), false},
		"deny-no-reason":      {with(pending(), cluster{}), []string{"kubectl-deny", "act-ghi789"}, false},
		"no-name":             {with(pending(), cluster{}), []string{"ascend", "approve"}, false},
		"negative-wait":       {with(pending(), cluster{}), append(approve, "--wait", "-1s"), false},
		"hostile": {with(changed(func(a *v1alpha1.AgentAction) {
			a.Spec.Resource = "customers\x1b[2K\r"
			a.Status.Approval.PendingApprovers = []string{"group:fake\nuser:alice", "user:al\u200bice"}
		}), cluster{me: stranger}), approve, false},
	} {
		t.Run(name, tc.check)
	}
}
