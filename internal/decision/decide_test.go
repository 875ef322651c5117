// SPDX-License-Identifier: Apache-2.0

package decision_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// The parts that worlds are put together from. The read scores 2.1 in sandbox.
const (
	agent = `
---
kind: Agent
metadata: {namespace: team, name: bot}
spec: {subjects: [{kind: ServiceAccount, name: bot}], owner: olga}
`
	read = `
---
kind: AgentAction
metadata: {namespace: team, name: act, uid: u1}
spec:
  agentRef: {name: bot}
  actionType: database_read
  requester: {username: "system:serviceaccount:team:bot"}
  parameters: {table: product_categories, data_classification: public}
`
	auto = `
---
kind: ApprovalWorkflow
metadata: {namespace: ascend-system, name: auto}
spec: {autoApprove: true, selector: {}, approvalValidity: 10m}
`
	asks = `
---
kind: ApprovalWorkflow
metadata: {namespace: ascend-system, name: asks}
spec:
  selector: {}
  priority: 10
  stages: [{name: look, required: 1, approvers: {groups: [guards]}}]
`
	teamAsks = `
---
kind: ApprovalWorkflow
metadata: {namespace: team, name: team-asks}
spec:
  selector: {}
  stages: [{name: own, required: 1, approvers: {users: [tina]}}]
`
	teamAuto = `
---
kind: ApprovalWorkflow
metadata: {namespace: team, name: team-auto}
spec: {autoApprove: true, selector: {}}
`
)

// rule is a SmartRule without conditions.
func rule(namespace, name, effect string, more ...string) string {
	return "\n---\nkind: SmartRule\nmetadata: {namespace: " + namespace + ", name: " + name + "}\nspec:\n  effect: " +
		effect + "\n  " + strings.Join(more, "\n  ") + "\n"
}

func TestDecide(t *testing.T) {
	t.Parallel()
	type want struct {
		decision v1alpha1.Decision
		reason   string
		message  string // part of it
		rule     string
		stages   int32
	}
	tests := map[string]struct {
		world string
		want  want
	}{
		"no agent": {read + auto, want{v1alpha1.DecisionDenied, v1alpha1.ReasonAgentNotFound, `no agent "bot" in namespace "team"`, "", 0}},
		"agent suspended": {strings.Replace(agent, "spec: {", "spec: {state: Suspended, ", 1) + read + auto,
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonAgentSuspended, "is suspended", "", 0}},
		"agent retired": {strings.Replace(agent, "spec: {", "spec: {state: Retired, ", 1) + read + auto,
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonAgentRetired, "is retired", "", 0}},
		"agent in an unknown state": {strings.Replace(agent, "spec: {", "spec: {state: Dreaming, ", 1) + read + auto,
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonAgentStateUnknown, `"Dreaming"`, "", 0}},
		"type not allowed": {strings.Replace(agent, "spec: {", `spec: {allowedActionTypes: ["file_*"], `, 1) + read + auto,
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonActionTypeNotAllowed, `may not ask for database_read`, "", 0}},
		"type allowed": {strings.Replace(agent, "spec: {", `spec: {allowedActionTypes: ["database_*"], `, 1) + read + auto,
			want{v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, "Low risk (2.1)", "", 0}},
		"resource not allowed": {strings.Replace(agent, "spec: {", `spec: {allowedResources: ["orders"], `, 1) + read + auto,
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonResourceNotAllowed, `"product_categories"`, "", 0}},
		"resource blocked": {strings.Replace(agent, "spec: {", `spec: {blockedResources: ["product_*"], `, 1) + read + auto,
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonResourceBlocked, `barred from resource "product_categories"`, "", 0}},
		"a harmless resource beside a blocked table": {strings.Replace(agent, "spec: {", `spec: {blockedResources: ["product_*"], `, 1) +
			strings.Replace(read, "actionType:", "resource: weather\n  actionType:", 1) + auto,
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonResourceBlocked, `"product_categories"`, "", 0}},
		"no resource named where only some are allowed": {strings.Replace(agent, "spec: {", `spec: {allowedResources: ["orders"], `, 1) +
			strings.Replace(read, "table: product_categories, ", "", 1) + auto,
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonResourceNotAllowed, "names none that can be read", "", 0}},
		"no resource named where some are blocked": {strings.Replace(agent, "spec: {", `spec: {blockedResources: ["secrets/*"], `, 1) +
			strings.Replace(read, "table: product_categories, ", "", 1) + auto,
			want{v1alpha1.DecisionPending, v1alpha1.ReasonResourceUnknown, "does not say which resource", "", 1}},
		"above the agent's limit": {strings.Replace(agent, "spec: {", `spec: {maxRiskScore: "2.0", `, 1) + read + auto,
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonRiskTooHigh, "risk score 2.1 is above 2.0", "", 0}},
		"at the agent's limit": {strings.Replace(agent, "spec: {", `spec: {maxRiskScore: "2.1", `, 1) + read + auto,
			want{v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, "", "", 0}},
		"a limit that cannot be read denies": {strings.Replace(agent, "spec: {", `spec: {maxRiskScore: "lots", `, 1) + read + auto,
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonRiskTooHigh, "", "", 0}},

		"no workflow at all": {agent + read, want{v1alpha1.DecisionPending, v1alpha1.ReasonNoWorkflow, "no ApprovalWorkflow is set up", "", 1}},
		"global autoApprove": {agent + read + auto, want{v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, "ascend-system/auto", "", 0}},
		"global stages":      {agent + read + auto + asks, want{v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "Low risk (2.1)", "", 1}},
		"the namespace is stricter": {agent + read + auto + teamAsks,
			want{v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "", "", 1}},
		"the namespace cannot weaken": {agent + read + asks + teamAuto,
			want{v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "", "", 1}},
		"both ask, so both have to be passed": {agent + read + asks + teamAsks,
			want{v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "", "", 2}},
		"a global workflow that gives way": {agent + read + strings.Replace(asks, "priority: 10", "allowNamespaceOverride: true", 1) + teamAuto,
			want{v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, "", "", 0}},
		"and gives way to nobody": {agent + read + strings.Replace(asks, "priority: 10", "allowNamespaceOverride: true", 1),
			want{v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "", "", 1}},
		"the agent's own workflow": {strings.Replace(agent, "spec: {", `spec: {workflowRef: {name: team-asks}, `, 1) + read + auto + teamAuto + strings.Replace(teamAsks, "  selector: {}\n", "", 1),
			want{v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "", "", 1}},
		"the agent's own workflow is missing": {strings.Replace(agent, "spec: {", `spec: {workflowRef: {name: gone}, `, 1) + read + auto,
			want{v1alpha1.DecisionPending, v1alpha1.ReasonWorkflowNotFound, "team/gone does not exist", "", 1}},

		"Deny": {agent + read + auto + rule("ascend-system", "nope", "Deny", "reason: because"),
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied, "because", "nope", 0}},
		"Deny without a reason": {agent + read + auto + rule("team", "nope", "Deny", "displayName: Never"),
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied, `denied by rule "Never"`, "nope", 0}},
		"Deny in mode Audit": {agent + read + auto + rule("team", "nope", "Deny", "mode: Audit"),
			want{v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, "", "", 0}},
		"Deny beats Allow, wherever": {agent + read + auto + rule("team", "nope", "Deny", "priority: 0") + rule("ascend-system", "fine", "Allow", "priority: 100"),
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied, "", "nope", 0}},
		"the first of two denials is named": {agent + read + auto + rule("team", "b", "Deny", "priority: 60") + rule("ascend-system", "a", "Deny", "priority: 50"),
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied, "", "b", 0}},
		"RequireApproval with its workflow": {agent + read + auto + strings.Replace(teamAsks, "  selector: {}\n", "", 1) + rule("team", "ask", "RequireApproval", "workflowRef: {name: team-asks}", "reason: look first"),
			want{v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "look first", "ask", 1}},
		"RequireApproval without a workflow where policy would approve": {agent + read + auto + rule("team", "ask", "RequireApproval"),
			want{v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, `rule "ask" requires approval`, "ask", 1}},
		"RequireApproval without a workflow joins the choice by risk": {agent + read + asks + rule("team", "ask", "RequireApproval"),
			want{v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "", "ask", 1}},
		"RequireApproval adds to the choice by risk": {agent + read + asks + strings.Replace(teamAsks, "  selector: {}\n", "", 1) + rule("team", "ask", "RequireApproval", "workflowRef: {name: team-asks}"),
			want{v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "", "ask", 2}},
		"a namespace's rule finds a global workflow": {agent + read + auto + strings.Replace(asks, "  selector: {}\n", "", 1) + rule("team", "ask", "RequireApproval", "workflowRef: {name: asks}"),
			want{v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "", "ask", 1}},
		"RequireApproval with a missing workflow": {agent + read + auto + rule("team", "ask", "RequireApproval", "workflowRef: {name: gone}"),
			want{v1alpha1.DecisionPending, v1alpha1.ReasonWorkflowNotFound, "team/gone does not exist", "ask", 1}},
		"RequireApproval beats Allow": {agent + read + teamAsks + rule("team", "ask", "RequireApproval") + rule("team", "fine", "Allow"),
			want{v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "", "ask", 1}},
		"Allow spares the namespace's workflow": {agent + read + auto + teamAsks + rule("team", "fine", "Allow"),
			want{v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, "", "", 0}},
		"Allow spares no global workflow": {agent + read + asks + rule("team", "fine", "Allow"),
			want{v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "", "", 1}},
		"not even a global Allow does": {agent + read + asks + rule("ascend-system", "fine", "Allow"),
			want{v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "", "", 1}},
		"Allow where nobody set up a workflow": {agent + read + rule("team", "fine", "Allow", "reason: harmless"),
			want{v1alpha1.DecisionApproved, v1alpha1.ReasonRuleAllowed, "harmless", "fine", 0}},

		"AdjustRisk comes before the limit": {strings.Replace(agent, "spec: {", `spec: {maxRiskScore: "3.0", `, 1) + read + auto + rule("ascend-system", "up", "AdjustRisk", `riskAdjustment: "+1.0"`),
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonRiskTooHigh, "3.1", "", 0}},
		"a namespace cannot lower the risk": {strings.Replace(agent, "spec: {", `spec: {maxRiskScore: "2.0", `, 1) + read + auto + rule("team", "down", "AdjustRisk", `riskAdjustment: "-1.0"`),
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonRiskTooHigh, "2.1", "", 0}},
		"the platform can": {strings.Replace(agent, "spec: {", `spec: {maxRiskScore: "2.0", `, 1) + read + auto + rule("ascend-system", "down", "AdjustRisk", `riskAdjustment: "-1.0"`),
			want{v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, "Low risk (1.1)", "", 0}},

		"a rule that does not compile asks a human": {agent + read + auto + rule("team", "typo", "Allow", `conditions: [{name: c, expression: "action.nope"}]`),
			want{v1alpha1.DecisionPending, v1alpha1.ReasonRuleFailed, `rule "typo" covers this action and failed`, "typo", 1}},
		"a condition that fails asks a human": {agent + read + auto + rule("team", "rows", "Deny", `conditions: [{name: c, expression: "action.parameters.affected_rows > 100"}]`),
			want{v1alpha1.DecisionPending, v1alpha1.ReasonRuleFailed, `rule "rows" covers this action and failed`, "rows", 1}},
		"a condition that fails and is skipped": {agent + read + auto + rule("team", "rows", "Deny", "onError: Skip", `conditions: [{name: c, expression: "action.parameters.affected_rows > 100"}]`),
			want{v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, "", "", 0}},
		"a condition that fails and counts": {agent + read + auto + rule("team", "rows", "Deny", "onError: Match", `conditions: [{name: c, expression: "action.parameters.affected_rows > 100"}]`),
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied, "", "rows", 0}},
		"scoring fails": {agent + read + auto + "\n---\nkind: RiskModel\nmetadata: {name: default}\nspec: {actionTypes: [{pattern: database_read, cvssVector: \"CVSS:3.1/rubbish\"}]}\n",
			want{v1alpha1.DecisionPending, v1alpha1.ReasonScoringFailed, "could not be scored", "", 1}},
		"scoring fails above the agent's limit": {strings.Replace(agent, "spec: {", `spec: {maxRiskScore: "5.0", `, 1) + read + auto + "\n---\nkind: RiskModel\nmetadata: {name: default}\nspec: {actionTypes: [{pattern: database_read, cvssVector: \"CVSS:3.1/rubbish\"}]}\n",
			want{v1alpha1.DecisionPending, v1alpha1.ReasonScoringFailed, "", "", 1}},

		"an exception is asked for": {agent + strings.Replace(read, "actionType:", "exceptionRequest: {ruleName: nope, justification: audit}\n  actionType:", 1) + auto + strings.Replace(asks, "  selector: {}\n", "", 1) + rule("ascend-system", "nope", "Deny", "exceptionWorkflowRef: {name: asks}", "reason: never"),
			want{v1alpha1.DecisionPending, v1alpha1.ReasonExceptionRequested, "an exception was requested from: never", "nope", 1}},
		"an exception nobody can grant": {agent + strings.Replace(read, "actionType:", "exceptionRequest: {ruleName: nope, justification: audit}\n  actionType:", 1) + auto + rule("ascend-system", "nope", "Deny"),
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied, "", "nope", 0}},
		"an exception from one of two denials": {agent + strings.Replace(read, "actionType:", "exceptionRequest: {ruleName: nope, justification: audit}\n  actionType:", 1) + auto + asks + rule("ascend-system", "nope", "Deny", "exceptionWorkflowRef: {name: asks}") + rule("team", "never", "Deny"),
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied, "", "never", 0}},

		"withdrawn": {agent + strings.Replace(read, "actionType:", "cancelled: true\n  actionType:", 1) + asks,
			want{v1alpha1.DecisionCancelled, v1alpha1.ReasonCancelledByRequester, "withdrawn", "", 0}},
		"over a limit": {agent + strings.Replace(read, "table: product_categories", "table: "+strings.Repeat("x", request.MaxObjectBytes), 1) + auto,
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonInvalidRequest, "64 KiB", "", 0}},
		"withdrawn and over a limit": {agent + strings.Replace(strings.Replace(read, "table: product_categories", "table: "+strings.Repeat("x", request.MaxObjectBytes), 1), "actionType:", "cancelled: true\n  actionType:", 1) + auto,
			want{v1alpha1.DecisionCancelled, v1alpha1.ReasonCancelledByRequester, "", "", 0}},
		"parameters that are no object": {agent + strings.Replace(read, "parameters: {table: product_categories, data_classification: public}", "parameters: [1, 2]", 1) + auto,
			want{v1alpha1.DecisionDenied, v1alpha1.ReasonInvalidRequest, "spec.parameters must be a JSON object, but is an array", "", 0}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := readWorld(t, tc.world).decide(time.Second)
			if got.Decision != tc.want.decision || got.Reason != tc.want.reason || !strings.Contains(got.Message, tc.want.message) {
				t.Errorf("got %s, %s: %s\nwant %s, %s: …%s…", got.Decision, got.Reason, got.Message, tc.want.decision, tc.want.reason, tc.want.message)
			}
			var decidedBy string
			if got.DecidingRule != nil {
				decidedBy = string(got.DecidingRule.Name)
			}
			if decidedBy != tc.want.rule {
				t.Errorf("decided by rule %q, want %q", decidedBy, tc.want.rule)
			}
			var stages int32
			if got.Approval != nil {
				stages = got.Approval.StageCount
			}
			if stages != tc.want.stages {
				t.Errorf("%d stages to pass, want %d", stages, tc.want.stages)
			}
			if (got.Decision == v1alpha1.DecisionApproved) != (got.ValidFor > 0) {
				t.Errorf("decision %s is valid for %s", got.Decision, got.ValidFor)
			}
		})
	}
}

func TestDecideIsFinalOnce(t *testing.T) {
	t.Parallel()
	w := readWorld(t, agent+read+auto)
	w.action.Status.Decision = v1alpha1.DecisionDenied
	req, err := request.Read(w.action, v1alpha1.Requester{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decision.Decide(context.Background(), w.snapshot(), req, &w.action.Status, submitted); !errors.Is(err, decision.ErrFinal) {
		t.Errorf("got %v, want ErrFinal", err)
	}
}

func TestDecideStopsWithItsContext(t *testing.T) {
	t.Parallel()
	w := readWorld(t, agent+read+auto+rule("team", "busy", "Deny", `conditions: [{name: c, expression: "action.resource == 'x'"}]`))
	req, err := request.Read(w.action, v1alpha1.Requester{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if outcome, err := decision.Decide(ctx, w.snapshot(), req, nil, submitted); !errors.Is(err, context.Canceled) || outcome != nil {
		t.Errorf("got %v, %v; want no outcome and context.Canceled", outcome, err)
	}
}
