// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/simulate"
)

var update = flag.Bool("update", false, "write the golden files anew")

// was is rules that tighter no longer has.
const was = `
kind: SmartRule
metadata: {namespace: ascend-system, name: no-exports}
spec: {effect: Deny, match: {actionTypes: [data_export]}, reason: "Exports are not for agents \u202e"}
`

// tighter denies what base let through, in each of the ways that there are.
const tighter = `
kind: SmartRule
metadata: {namespace: ascend-system, name: no-bulk}
spec:
  effect: Deny
  match: {actionTypes: [database_delete]}
  conditions: [{name: bulk, expression: "action.parameters.affected_rows > 2"}]
  reason: Bulk delete operations require manager approval
---
kind: SmartRule
metadata: {namespace: ascend-system, name: pii-is-worse}
spec: {effect: AdjustRisk, riskAdjustment: "+2.0", match: {dataClassifications: [pii]}}
---
kind: SmartRule
metadata: {namespace: ascend-system, name: internal-is-worse}
spec: {effect: AdjustRisk, riskAdjustment: "+0.3", match: {dataClassifications: [internal]}}
---
kind: SmartRule
metadata: {namespace: ascend-system, name: ask-about-mail}
spec: {effect: RequireApproval, match: {actionTypes: [email_send]}, workflowRef: {name: high}}
---
kind: ApprovalWorkflow
metadata: {namespace: ascend-system, name: high}
spec:
  selector: {minRiskScore: "7.0"}
  priority: 10
  stages: [{name: look, required: 2, approvers: {groups: [guards]}}]
`

// mixed is a log with something of everything.
func mixed(tb testing.TB) []audit.Record {
	tb.Helper()
	policy := compile(tb, bot, base, was)
	var records []audit.Record
	for i, asked := range []struct{ actionType, parameters string }{
		{"database_read", `{"table":"product_categories","data_classification":"public"}`},
		{"database_read", `{"table":"customers","data_classification":"pii"}`},
		{"database_write", `{"table":"customers","data_classification":"pii","operation":"UPDATE","affected_rows":1}`},
		{"database_delete", `{"table":"users","affected_rows":150,"data_classification":"public"}`},
		{"database_delete", `{"table":"users","affected_rows":3,"data_classification":"public"}`},
		{"email_send", `{"resource":"all@example.com\u001b[31m","data_classification":"public","affected_rows":1}`},
		{"database_read", `{"table":"notes","data_classification":"internal","affected_rows":1}`},
		{"data_export", `{"table":"orders","data_classification":"public","affected_rows":1}`},
		{"data_export", `{"table":"payments","data_classification":"public","affected_rows":1}`},
	} {
		action := newAction(i, asked.actionType, asked.parameters)
		records = append(records, history(tb, policy, action)...)
	}
	notAdmitted := laterRecord(newAction(90, "database_read", `{}`), v1alpha1.DecisionDenied, v1alpha1.ReasonNotAdmitted, time.Second)
	refused := laterRecord(newAction(91, "database_read", `{}`), v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied, time.Second)
	other := audit.Record{Time: submitted, Event: audit.EventResumed}
	return append(records, notAdmitted, refused, other)
}

func TestGoldenReports(t *testing.T) {
	t.Parallel()
	log := written(t, mixed(t)...)
	changed := compile(t, bot, base, tighter)
	replaced := run(t, fromLog(t, log), simulate.Options{Policy: changed})
	for name, write := range map[string]func(io.Writer) error{
		"report.txt":  func(w io.Writer) error { return replaced.Text(w, simulate.TextOptions{}) },
		"short.txt":   func(w io.Writer) error { return replaced.Text(w, simulate.TextOptions{PerCause: 1, Width: 120}) },
		"report.json": replaced.JSON,
		"report.csv":  replaced.CSV,
		"approvers.txt": func(w io.Writer) error {
			return run(t, fromLog(t, log), simulate.Options{Policy: changed, Against: compile(t, bot, base), ApproversFlip: true}).Text(w, simulate.TextOptions{})
		},
		"same.txt": func(w io.Writer) error {
			return run(t, fromLog(t, log), simulate.Options{Policy: compile(t, bot, base, was)}).Text(w, simulate.TextOptions{})
		},
		"nothing.txt": func(w io.Writer) error {
			return run(t, fromLog(t, nil), simulate.Options{Policy: changed}).Text(w, simulate.TextOptions{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got bytes.Buffer
			if err := write(&got); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v; write it with go test ./internal/simulate -update", err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("the report differs from %s; if that is meant, run go test ./internal/simulate -update\n%s", golden, got.String())
			}
		})
	}
}
