// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
)

// approves is an operator for whom the approval was the last one needed.
func approves(action *v1alpha1.AgentAction) {
	action.Status.Decision = v1alpha1.DecisionApproved
	action.Status.ValidUntil = micro(testNow.Add(time.Hour))
}

func denies(action *v1alpha1.AgentAction) {
	action.Status.Decision = v1alpha1.DecisionDenied
	action.Status.Message = "alice denied it: wrong customer"
}

func counts(action *v1alpha1.AgentAction) { action.Status.Approval.Granted++ }

func passes(action *v1alpha1.AgentAction) {
	approval := action.Status.Approval
	approval.Stage, approval.StageIndex, approval.Granted, approval.Required = "managers", 1, 0, 1
	approval.PendingApprovers = []string{"group:managers"}
}

// overridden has an override of alice that is void, for the workflows changed.
func overridden(action *v1alpha1.AgentAction) {
	action.Spec.Approvals = []v1alpha1.Approval{{
		Verdict: v1alpha1.VerdictOverride, Comment: "incident 11", Approver: "alice", Stage: v1alpha1.OverrideStage, WorkflowRevision: "sha256:old"}}
}

func refusesToCount(action *v1alpha1.AgentAction) {
	action.Status.Approval.Uncounted = []v1alpha1.UncountedApproval{
		{Approver: "alice", Stage: "approval", Reason: "alice owns this agent"}}
}

// someoneElse approves at the same terminal.Moment.
func someoneElse(action *v1alpha1.AgentAction) {
	action.Spec.Approvals = append(action.Spec.Approvals, v1alpha1.Approval{
		Verdict: v1alpha1.VerdictApprove, Approver: "bob", Stage: "security-review", As: "group:ascend-approvers"})
	action.Status.Approval.Granted = 1
}

// verdictCase is one run of approve or deny on act-ghi789.
type verdictCase struct {
	cluster cluster
	argv    []string
	// written says whether the user's entry is in the action afterwards.
	written bool
}

// with is a cluster with an action, its workflow and its agent.
func with(action *v1alpha1.AgentAction, c cluster) cluster {
	sealed(action)
	c.objects = append([]client.Object{action}, c.objects...)
	if len(c.objects) == 1 {
		c.objects = append(c.objects, high(nil), tutorialAgent(nil))
	}
	return c
}

func (tc *verdictCase) check(t *testing.T) {
	t.Helper()
	r := play(t, testServer, tc.cluster.dial(t), tc.argv...)
	checkGolden(t, r.transcript(tc.argv))
	me := alice
	if tc.cluster.me != nil {
		me = *tc.cluster.me
	}
	before, isAction := tc.cluster.objects[0].(*v1alpha1.AgentAction)
	if !isAction {
		t.Fatal("the first object of a case is the action")
	}
	given := givenBy(tc.cluster.stored(t, "act-ghi789"), me)
	if written := given > givenBy(before, me); written != tc.written {
		t.Errorf("entry written: %t, want %t", written, tc.written)
	}
}

// givenBy counts somebody's verdicts.
func givenBy(action *v1alpha1.AgentAction, who authenticationv1.UserInfo) (n int) {
	for _, approval := range action.Spec.Approvals {
		if approval.Approver == who.Username {
			n++
		}
	}
	return n
}

func TestVerdicts(t *testing.T) {
	approve := []string{"kubectl-approve", "act-ghi789"}
	deny := []string{"kubectl-deny", "act-ghi789", "--reason", "wrong customer"}
	breakGlass := []string{"ascend", "approve", "act-ghi789", "--override", "--comment", "incident 12"}
	anyone := pending()
	anyone.Status.Approval.PendingApprovers, anyone.Status.Approval.Workflows = []string{actions.VerbApprove}, nil
	self := pending()
	self.Spec.Requester.Username = "alice"

	for name, tc := range map[string]*verdictCase{
		"approved":           {with(pending(), cluster{operator: approves}), append(approve, "--comment", "ticket 4711"), true},
		"approved-polled":    {with(pending(), cluster{operator: approves, unwatchable: true}), approve, true},
		"resource-and-name":  {with(pending(), cluster{operator: approves}), []string{"ascend", "approve", "aact/act-ghi789"}, true},
		"stage-named":        {with(pending(), cluster{operator: approves}), append(approve, "--stage", "approval"), true},
		"named-in-person":    {with(pending(), cluster{operator: approves, me: &authenticationv1.UserInfo{Username: "carol", Groups: []string{"ascend-approvers"}}}), approve, true},
		"anyone":             {with(anyone, cluster{operator: approves}), approve, true},
		"self-allowed":       {with(self, cluster{operator: approves}), approve, true},
		"counted":            {with(twoStages(pending()), cluster{operator: counts}), approve, true},
		"stage-passed":       {with(twoStages(pending()), cluster{operator: passes}), approve, true},
		"not-counted":        {with(pending(), cluster{operator: refusesToCount}), approve, true},
		"denied-meanwhile":   {with(pending(), cluster{operator: denies}), approve, true},
		"no-operator":        {with(pending(), cluster{}), append(approve, "--wait", "20ms"), true},
		"no-wait":            {with(pending(), cluster{operator: approves}), append(approve, "--wait", "0"), true},
		"dry-run":            {with(pending(), cluster{operator: approves}), append(approve, "--dry-run"), false},
		"denied":             {with(pending(), cluster{operator: denies}), deny, true},
		"deny-still-pending": {with(pending(), cluster{operator: func(*v1alpha1.AgentAction) {}}), deny, true},
		"timed-out-meanwhile": {with(pending(), cluster{operator: func(a *v1alpha1.AgentAction) {
			a.Status.Decision, a.Status.Message = v1alpha1.DecisionTimedOut, "nobody approved in time"
		}}), approve, true},
		"unknown-decision":  {with(pending(), cluster{operator: func(a *v1alpha1.AgentAction) { a.Status.Decision = "Deferred" }}), approve, true},
		"deny-too-late":     {with(pending(), cluster{operator: approves}), deny, true},
		"override":          {with(pending(), cluster{operator: counts}), breakGlass, true},
		"override-again":    {with(changed(overridden), cluster{operator: counts}), breakGlass, true},
		"conflict-retried":  {with(twoStages(pending()), cluster{operator: approves, meanwhile: []func(*v1alpha1.AgentAction){someoneElse}}), approve, true},
		"several-one-fails": {with(pending(), cluster{operator: approves}), []string{"ascend", "approve", "act-nope", "act-ghi789"}, true},
	} {
		t.Run(name, tc.check)
	}
}

// What is sent is the verdict, and what the user has seen; who they are
// admission knows.
func TestEntry(t *testing.T) {
	c := with(twoStages(pending()), cluster{operator: counts, meanwhile: []func(*v1alpha1.AgentAction){someoneElse}})
	play(t, testServer, c.dial(t), "ascend", "approve", "act-ghi789", "--comment", "ticket 4711")
	got := c.stored(t, "act-ghi789").Spec.Approvals
	for i := range got {
		if got[i].Time != nil {
			got[i].Time = micro(got[i].Time.UTC())
		}
	}
	want := []v1alpha1.Approval{
		{Verdict: v1alpha1.VerdictApprove, Approver: "bob", Stage: "security-review", As: "group:ascend-approvers"},
		{
			Verdict: v1alpha1.VerdictApprove, Comment: "ticket 4711", Stage: "security-review", SpecDigest: digestOf(pending()), WorkflowRevision: "sha256:wwww",
			Approver: "alice", UID: "uid-alice", Time: micro(testNow), // stamped
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the approvals differ (-want +got):\n%s", diff)
	}
}
