// SPDX-License-Identifier: Apache-2.0

package decision_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// selfServed is a workflow of the namespace that lets the agent approve itself.
const selfServed = `
---
kind: ApprovalWorkflow
metadata: {namespace: team, name: self}
spec:
  selector: {}
  allowSelfApproval: true
  approvalValidity: 720h
  stages: [{name: own, required: 1, approvers: {serviceAccounts: [{namespace: team, name: bot}]}}]
`

// TestANamespaceDoesNotAnswerForThePlatform: what global policy demands of
// people is not for people of the namespace's own choice to grant.
func TestANamespaceDoesNotAnswerForThePlatform(t *testing.T) {
	t.Parallel()
	const broken = `
---
kind: RiskModel
metadata: {name: default}
spec: {actionTypes: [{pattern: database_read, cvssVector: "CVSS:3.1/rubbish"}]}
`
	anyone := "verb:approve"
	tests := map[string]struct {
		world string
		asks  []string // over all stages of the chain, the first stage's approvers first
	}{
		"a global rule without a workflow": {rule("ascend-system", "ask", "RequireApproval"), []string{anyone}},
		"a global rule that fails":         {rule("ascend-system", "typo", "Deny", `conditions: [{name: c, expression: "("}]`), []string{anyone}},
		"failed scoring":                   {broken, []string{anyone}},
		"a global rule whose workflow approves by itself": {
			rule("ascend-system", "ask", "RequireApproval", "workflowRef: {name: auto}"), []string{anyone}},
		"its own rule it may answer itself": {rule("team", "ask", "RequireApproval"), []string{"serviceaccount:team/bot"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := readWorld(t, agent+read+auto+selfServed+tc.world).decide(time.Second)
			if got.Decision != v1alpha1.DecisionPending || !slices.Equal(got.Approval.PendingApprovers, tc.asks) {
				t.Errorf("%s: %s; approval %+v, want %v to be asked", got.Decision, got.Message, got.Approval, tc.asks)
			}
		})
	}
}

// TestANamespacePicksNobodyForThePlatform: nor are people of a global workflow
// that was made for something else, and that the namespace has picked.
func TestANamespacePicksNobodyForThePlatform(t *testing.T) {
	t.Parallel()
	const made = `
---
kind: ApprovalWorkflow
metadata: {namespace: ascend-system, name: made-for-others}
spec: {stages: [{name: z, approvers: {users: [friend]}}]}
`
	picked := map[string]string{
		"by a rule":   agent + rule("team", "pick", "RequireApproval", "workflowRef: {name: made-for-others}"),
		"by an agent": strings.Replace(agent, "spec: {", "spec: {workflowRef: {name: made-for-others}, ", 1),
	}
	for name, text := range picked {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			demanded := rule("ascend-system", "ask", "RequireApproval")
			if got := readWorld(t, text+read+auto+made).decide(time.Second); got.Approval.StageCount != 1 {
				t.Errorf("without a global demand %d stages, want the one that was picked", got.Approval.StageCount)
			}
			if got := readWorld(t, text+read+auto+made+demanded).decide(time.Second); got.Approval.StageCount != 2 {
				t.Errorf("with a global demand %d stages, want one approver of the platform beside the one that was picked", got.Approval.StageCount)
			}
		})
	}
}

func TestAWorkflowThatApprovesByItselfIsNoAnswer(t *testing.T) {
	t.Parallel()
	excepted := strings.Replace(read, "actionType:", "exceptionRequest: {ruleName: nope, justification: audit}\n  actionType:", 1)
	for name, text := range map[string]string{
		"to RequireApproval":          read + rule("team", "ask", "RequireApproval", "workflowRef: {name: auto}"),
		"to a rule that fails":        read + rule("team", "ask", "RequireApproval", "workflowRef: {name: auto}", `conditions: [{name: c, expression: "("}]`),
		"to a request for exceptions": excepted + rule("team", "nope", "Deny", "exceptionWorkflowRef: {name: auto}"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := readWorld(t, agent+auto+text).decide(time.Second); got.Decision != v1alpha1.DecisionPending {
				t.Errorf("%s: %s", got.Decision, got.Message)
			}
		})
	}
}

func TestANamespacesPeopleApproveNoLongerThanThePlatformWould(t *testing.T) {
	t.Parallel()
	w := readWorld(t, agent+read+auto+selfServed+rule("team", "ask", "RequireApproval"))
	asked := w.asked()
	w.verdict(asked, "system:serviceaccount:team:bot", "serviceaccount:team/bot", v1alpha1.VerdictApprove, time.Minute)
	if got := w.decide(2 * time.Minute); got.Decision != v1alpha1.DecisionApproved || got.ValidFor != 10*time.Minute {
		t.Errorf("%s for %s, want the 10m of the global workflow", got.Decision, got.ValidFor)
	}
}

// TestANamespaceCannotLiftItselfOverGlobalPolicy: a raised score adds to what
// global policy asks, and takes nothing away.
func TestANamespaceCannotLiftItselfOverGlobalPolicy(t *testing.T) {
	t.Parallel()
	raise := rule("team", "up", "AdjustRisk", `riskAdjustment: "+7.5"`)
	low := strings.Replace(asks, "selector: {}", "selector: {riskLevels: [Low, Medium, High]}", 1)
	for name, tc := range map[string]struct {
		world string
		want  v1alpha1.Decision
	}{
		"out of a rule":               {auto + rule("ascend-system", "low", "Deny", `conditions: [{name: low, expression: "risk.level == 'Low'"}]`) + raise, v1alpha1.DecisionDenied},
		"out of a workflow":           {low + teamAuto + raise, v1alpha1.DecisionPending},
		"into an Allow of the past":   {asks + rule("ascend-system", "fine", "Allow", `conditions: [{name: low, expression: "risk.level == 'Low'"}]`) + raise, v1alpha1.DecisionPending},
		"and into a rule for it":      {auto + rule("ascend-system", "high", "Deny", `match: {minRiskScore: "9.0"}`) + raise, v1alpha1.DecisionDenied},
		"while nothing global speaks": {auto + raise, v1alpha1.DecisionApproved},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := readWorld(t, agent+read+tc.world).decide(time.Second); got.Decision != tc.want {
				t.Errorf("%s: %s, want %s", got.Decision, got.Message, tc.want)
			}
		})
	}
}
