// SPDX-License-Identifier: Apache-2.0

package decision_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
)

// guarded is a world in which two guards have to agree within an hour.
const guarded = agent + read + `
---
kind: ApprovalWorkflow
metadata: {namespace: ascend-system, name: guarded}
spec:
  selector: {}
  timeout: 1h
  approvalValidity: 10m
  stages: [{name: look, required: 2, approvers: {groups: [guards], users: [olga]}}]
  emergencyOverride: {required: 1, approvers: {groups: [firemen]}}
`

// asked makes the first decision and puts it into the action's status, as the
// controller would.
func (w *world) asked() *decision.Outcome {
	w.t.Helper()
	out := w.decide(time.Second)
	if out.Decision != v1alpha1.DecisionPending {
		w.t.Fatalf("decision %s (%s), want Pending", out.Decision, out.Message)
	}
	w.action.Status.Decision = out.Decision
	w.action.Status.Approval = out.Approval
	return out
}

// verdict adds an entry bound to what was asked.
func (w *world) verdict(asked *decision.Outcome, who, as string, verdict v1alpha1.Verdict, after time.Duration) {
	stage := asked.Approval.Stage
	if verdict == v1alpha1.VerdictOverride {
		stage = v1alpha1.OverrideStage
	}
	given := metav1.NewMicroTime(submitted.Add(after))
	w.action.Spec.Approvals = append(w.action.Spec.Approvals, v1alpha1.Approval{
		Approver: who, As: as, Stage: stage, Verdict: verdict, Comment: "checked", Time: &given,
		SpecDigest: asked.SpecDigest, WorkflowRevision: asked.Approval.Revision,
	})
}

func TestApprovals(t *testing.T) {
	t.Parallel()
	const minute = time.Minute
	tests := map[string]struct {
		policy  string // appended to guarded
		give    func(w *world, asked *decision.Outcome)
		at      time.Duration
		want    v1alpha1.Decision
		reason  string
		message string
	}{
		"nobody yet": {at: minute, want: v1alpha1.DecisionPending, reason: v1alpha1.ReasonApprovalRequired},
		"one of two": {give: func(w *world, a *decision.Outcome) {
			w.verdict(a, "anna", "group:guards", v1alpha1.VerdictApprove, minute)
		}, at: 2 * minute, want: v1alpha1.DecisionPending, reason: v1alpha1.ReasonApprovalRequired},
		"two of two": {give: func(w *world, a *decision.Outcome) {
			w.verdict(a, "anna", "group:guards", v1alpha1.VerdictApprove, minute)
			w.verdict(a, "bert", "group:guards", v1alpha1.VerdictApprove, minute)
		}, at: 2 * minute, want: v1alpha1.DecisionApproved, reason: v1alpha1.ReasonApprovalGranted},
		"the owner does not count": {give: func(w *world, a *decision.Outcome) {
			w.verdict(a, "anna", "group:guards", v1alpha1.VerdictApprove, minute)
			w.verdict(a, "olga", "user:olga", v1alpha1.VerdictApprove, minute)
		}, at: 2 * minute, want: v1alpha1.DecisionPending, reason: v1alpha1.ReasonApprovalRequired},
		"the requester does not count": {give: func(w *world, a *decision.Outcome) {
			w.verdict(a, "anna", "group:guards", v1alpha1.VerdictApprove, minute)
			w.verdict(a, "system:serviceaccount:team:bot", "group:guards", v1alpha1.VerdictApprove, minute)
		}, at: 2 * minute, want: v1alpha1.DecisionPending, reason: v1alpha1.ReasonApprovalRequired},
		"somebody says no": {give: func(w *world, a *decision.Outcome) {
			w.verdict(a, "anna", "group:guards", v1alpha1.VerdictDeny, minute)
		}, at: 2 * minute, want: v1alpha1.DecisionDenied, reason: v1alpha1.ReasonApprovalDenied, message: "anna"},
		"break-glass": {give: func(w *world, a *decision.Outcome) {
			w.verdict(a, "fred", "group:firemen", v1alpha1.VerdictOverride, minute)
		}, at: 2 * minute, want: v1alpha1.DecisionApproved, reason: v1alpha1.ReasonEmergencyOverride},
		"nobody in time":              {at: 61 * minute, want: v1alpha1.DecisionTimedOut, reason: v1alpha1.ReasonApprovalTimeout},
		"nobody before the moment":    {at: 60 * minute, want: v1alpha1.DecisionPending, reason: v1alpha1.ReasonApprovalRequired},
		"a Deny rule comes meanwhile": {policy: rule("ascend-system", "stop", "Deny"), at: minute, want: v1alpha1.DecisionDenied, reason: v1alpha1.ReasonRuleDenied},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := readWorld(t, guarded)
			asked := w.asked()
			if tc.give != nil {
				tc.give(w, asked)
			}
			w.rules = append(w.rules, readWorld(t, tc.policy).rules...)
			got := w.decide(tc.at)
			if got.Decision != tc.want || got.Reason != tc.reason || !strings.Contains(got.Message, tc.message) {
				t.Errorf("got %s, %s: %s (uncounted: %v)", got.Decision, got.Reason, got.Message, got.Approval)
			}
			if got.Decision == v1alpha1.DecisionApproved && got.ValidFor != 10*time.Minute {
				t.Errorf("valid for %s, want the workflow's 10m", got.ValidFor)
			}
		})
	}
}

func TestTimeoutMayDeny(t *testing.T) {
	t.Parallel()
	w := readWorld(t, strings.Replace(guarded, "timeout: 1h", "timeout: 1h\n  onTimeout: Denied", 1))
	w.asked()
	if got := w.decide(2 * time.Hour); got.Decision != v1alpha1.DecisionDenied || got.Reason != v1alpha1.ReasonApprovalTimeout {
		t.Errorf("got %s, %s; want Denied by timeout", got.Decision, got.Reason)
	}
}

func TestAStageNobodyCanPassSaysSo(t *testing.T) {
	t.Parallel()
	got := readWorld(t, strings.Replace(guarded, "groups: [guards], users: [olga]", "users: [olga, hans]", 1)).decide(time.Second)
	if got.Decision != v1alpha1.DecisionPending || !strings.Contains(got.Message, "only 1 more can approve") {
		t.Errorf("got %s: %s", got.Decision, got.Message)
	}
}

// TestAnEditedWorkflowVoidsApprovals is threat 15.
func TestAnEditedWorkflowVoidsApprovals(t *testing.T) {
	t.Parallel()
	w := readWorld(t, guarded)
	asked := w.asked()
	w.verdict(asked, "anna", "group:guards", v1alpha1.VerdictApprove, time.Minute)
	w.verdict(asked, "bert", "group:guards", v1alpha1.VerdictApprove, time.Minute)
	w.workflows[0].Spec.RequireComment = true
	got := w.decide(2 * time.Minute)
	if got.Decision != v1alpha1.DecisionPending || got.Approval.Granted != 0 || len(got.Approval.Uncounted) != 2 {
		t.Errorf("got %s with %d granted, %d uncounted; want both approvals void", got.Decision, got.Approval.Granted, len(got.Approval.Uncounted))
	}
}

// TestWakesWhenTimeDecides: the controller comes back at the next deadline,
// escalation or rule window, whichever is first, and never for a final decision.
func TestWakesWhenTimeDecides(t *testing.T) {
	t.Parallel()
	window := rule("ascend-system", "later", "Deny", `notBefore: "2026-03-04T10:20:00Z"`)
	tests := map[string]struct {
		world string
		want  time.Duration // after submission; 0 is never
	}{
		"at the deadline":          {guarded, time.Hour + time.Second},
		"when a rule begins":       {guarded + window, 20 * time.Minute},
		"not for what is approved": {agent + read + auto + window, 0},
		"not for what is denied":   {agent + read + rule("team", "nope", "Deny") + window, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := readWorld(t, tc.world).decide(time.Second).NextCheck
			if want := submitted.Add(tc.want); tc.want == 0 && !got.IsZero() || tc.want != 0 && !got.Equal(want) {
				t.Errorf("next check at %s, want %s", got, want)
			}
		})
	}
}

func TestReportsAreBounded(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for i := range 100 {
		many.WriteString(rule("team", fmt.Sprintf("near-%03d", i), "Deny", `conditions: [{name: never, expression: "false"}]`))
		many.WriteString(rule("team", fmt.Sprintf("ask-%03d", i), "RequireApproval", "reason: "+strings.Repeat("ä", 500)))
	}
	got := readWorld(t, agent+read+auto+many.String()).decide(time.Second)
	if len(got.MatchedRules) != 64 || len(got.NearRules) != 16 {
		t.Errorf("%d matched and %d near rules, want the schema's 64 and 16", len(got.MatchedRules), len(got.NearRules))
	}
	if got.MatchedRules[0].Name != "ask-000" || got.NearRules[0].Name != "near-000" {
		t.Errorf("the first rules are %s and %s", got.MatchedRules[0].Name, got.NearRules[0].Name)
	}
}
