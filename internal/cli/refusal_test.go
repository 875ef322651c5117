// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"

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

// What admission says, in so many lines.
const (
	ownAction = "alice submitted this action. To withdraw it:\n  kubectl patch agentaction act-ghi789 -n default --type=merge -p '{\"spec\":{\"cancelled\":true}}'"
	noVerb    = "alice does not hold the verb approve on approvalworkflow high of namespace ascend-system; whoever administers that namespace can grant it:\n" +
		"  kubectl create role ascend-approve-high -n ascend-system --verb=approve --resource=approvalworkflows.governance.ascendowkai.com --resource-name=high"
)

func TestRefusals(t *testing.T) {
	approve := []string{"ascend", "approve", "act-ghi789"}
	stranger := &authenticationv1.UserInfo{Username: "mallory", Groups: []string{"system:authenticated", "interns"}}

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
		"requester":         {with(pending(), cluster{me: &authenticationv1.UserInfo{Username: "system:serviceaccount:default:tutorial-agent"}, refusal: ownAction}), approve, false},
		"requester-denies": {with(changed(func(a *v1alpha1.AgentAction) { a.Spec.Requester.UID = "uid-alice" }), cluster{refusal: ownAction}),
			[]string{"ascend", "deny", "act-ghi789", "--reason", "changed my mind"}, false},
		"no-verb":         {with(pending(), cluster{refusal: noVerb}), approve, false},
		"no-override":     {with(pending(), cluster{refusal: "no workflow of this action has an emergencyOverride"}), append(approve, "--override", "--comment", "incident"), false},
		"dry-run":         {with(pending(), cluster{refusal: noVerb}), append(approve, "--dry-run"), false},
		"hostile-refusal": {with(pending(), cluster{refusal: "no \x1b[2K\rerror: you may\u202e"}), approve, false},
		"not-an-approver": {with(pending(), cluster{me: stranger}), approve, false},
		"nobody-left":     {with(changed(func(a *v1alpha1.AgentAction) { a.Status.Approval.PendingApprovers = nil }), cluster{}), approve, false},
		"changed-stage":   {with(twoStages(pending()), cluster{meanwhile: []func(*v1alpha1.AgentAction){passes}}), approve, false},
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
