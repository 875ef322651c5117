// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"strings"
	"testing"
	"time"

	"github.com/google/cel-go/common/ast"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

type parsedExpr = ast.Expr

// All that the starter policy has not: every field in every sense.
func TestRules(t *testing.T) {
	var out strings.Builder
	for document := range strings.SplitSeq(oddRules, "---\n") {
		rule := &v1alpha1.SmartRule{}
		if err := yaml.UnmarshalStrict([]byte(document), rule); err != nil {
			t.Fatal(err)
		}
		out.WriteString(Rule(rule, compiler().Compile(rule), lookup(t)).String() + "\n")
	}
	rule := written()
	rule.Spec.ExceptionWorkflowRef = &v1alpha1.WorkflowReference{Name: "managers"}
	out.WriteString(Rule(rule, compiler().Compile(rule), nil).String())
	golden(t, "odd-rules.txt", out.String())
}

const oddRules = `
metadata: {name: everything, namespace: shop}
spec: {effect: Allow, onError: Skip, conditions: [{name: c, expression: "action.name == 'x'"}]}
---
metadata: {name: relaxing, namespace: ascend-system}
spec:
  effect: AdjustRisk
  riskAdjustment: "-1.0"
  match:
    environments: [sandbox]
    dataClassifications: [public]
    resources: ["catalogue_*", currencies]
    minRiskScore: "2.0"
    agents:
      names: [tutorial-agent]
      selector:
        matchLabels: {team: a, stage: probation}
        matchExpressions:
        - {key: k, operator: In, values: [x, "y"]}
        - {key: k, operator: NotIn, values: [x, "y"]}
        - {key: k, operator: Exists}
        - {key: k, operator: DoesNotExist}
---
metadata: {name: lowers-nothing, namespace: shop}
spec: {effect: AdjustRisk, riskAdjustment: "-1.0", notBefore: "2026-12-20T00:00:00Z"}
---
metadata: {name: frozen, namespace: shop}
spec: {effect: Deny, mode: Disabled, match: {environments: [staging], minRiskScore: "8.5"}, notBefore: "2026-12-20T00:00:00Z", notAfter: "2027-01-03T00:00:00Z"}
---
metadata: {name: people, namespace: shop}
spec: {effect: RequireApproval, workflowRef: {name: nowhere}, notAfter: "2027-01-03T00:00:00Z", priority: 7}
---
metadata: {name: nobody, namespace: shop}
spec: {effect: RequireApproval, workflowRef: {name: risk-low}}
---
metadata: {name: "broken", namespace: shop}
spec:
  displayName: "br\u043eken\n"
  effect: Allow
  match: {environments: [production]}
  conditions: [{name: a, expression: "action.nam == 'x'"}, {name: b, expression: "action.name == 'x'"}]
---
metadata: {name: backwards, namespace: shop}
spec: {effect: Deny, mode: Audit, notBefore: "2027-01-03T00:00:00Z", notAfter: "2026-12-20T00:00:00Z", match: {environments: [staging]}}
---
metadata: {name: strange, namespace: shop}
spec: {effect: "Den\u0443", match: {agents: {selector: {matchExpressions: [{key: k, operator: Near, values: [x]}]}}}}
`

func TestWorkflows(t *testing.T) {
	var out strings.Builder
	for document := range strings.SplitSeq(oddWorkflows, "---\n") {
		w := &v1alpha1.ApprovalWorkflow{}
		if err := yaml.UnmarshalStrict([]byte(document), w); err != nil {
			t.Fatal(err)
		}
		out.WriteString(Workflow(w).String() + "\n")
	}
	golden(t, "odd-workflows.txt", out.String())
}

const oddWorkflows = `
metadata: {name: all, namespace: shop}
spec:
  selector: {}
  stages:
  - name: first
    approvers: {users: [alice], groups: [security, ops], serviceAccounts: [{namespace: ci, name: bot}]}
    required: 2
    timeout: 30m
    escalation: {approvers: {groups: [managers]}}
  - {name: second, approvers: {}, timeout: 1h30m}
  distinctApprovers: false
  allowSelfApproval: true
  onTimeout: Denied
  emergencyOverride: {approvers: {users: [root]}, required: 1}
---
metadata: {name: some, namespace: ascend-system}
spec:
  selector: {riskLevels: [High, Critical], minRiskScore: "2.0", maxRiskScore: "9.0", actionTypes: ["x_*"], environments: [production], agents: {names: [a]}}
  priority: 5
  allowNamespaceOverride: true
  stages: [{name: one, approvers: {groups: [g]}}]
  emergencyOverride: {approvers: {groups: [g]}}
  timeout: 1h0m1.5s
---
metadata: {name: from, namespace: shop}
spec: {selector: {minRiskScore: "2.0"}, autoApprove: true, approvalValidity: 0s}
---
metadata: {name: until, namespace: shop}
spec: {selector: {maxRiskScore: "2.0", environments: [test]}, autoApprove: true}
`

func TestSpan(t *testing.T) {
	if got := span(&metav1.Duration{Duration: 26*time.Hour + 3*time.Millisecond}, 0); got != "26 h 3 ms" {
		t.Error(got)
	}
}
