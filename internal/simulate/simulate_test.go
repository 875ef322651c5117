// SPDX-License-Identifier: Apache-2.0

package simulate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/simulate"
)

func drawPolicy(tb testing.TB, rt *rapid.T) *decision.Snapshot {
	tb.Helper()
	texts := []string{bot, base}
	for i := range rapid.IntRange(0, 5).Draw(rt, "rules") {
		effect := rapid.SampledFrom([]string{"Deny", "RequireApproval", "Allow", `AdjustRisk, riskAdjustment: "+2.0"`, "Deny, exceptionWorkflowRef: {name: high}"}).Draw(rt, "effect")
		condition := rapid.SampledFrom([]string{"true", "action.parameters.rows > 5", "agent.labels['tier'] == 'gold'", "now.getHours() > 9",
			"'system:authenticated' in requester.groups", "namespaceObject.metadata.labels['x'] == 'y'"}).Draw(rt, "condition")
		match := rapid.SampledFrom([]string{"{}", "{actionTypes: [database_read]}", "{dataClassifications: [pii]}"}).Draw(rt, "match")
		texts = append(texts, fmt.Sprintf("kind: SmartRule\nmetadata: {namespace: ascend-system, name: r%d}\nspec: {effect: %s, match: %s, conditions: [{name: c, expression: %q}]}\n",
			i, effect, match, condition))
	}
	return compile(tb, texts...)
}

func drawAction(rt *rapid.T, number int) *v1alpha1.AgentAction {
	action := newAction(number,
		rapid.SampledFrom([]string{"database_read", "database_write", "database_delete", "what_is_this"}).Draw(rt, "type"),
		rapid.SampledFrom([]string{`{}`, `{"rows":1,"table":"t","data_classification":"public"}`, `{"rows":9, "table":"t","data_classification":"pii"}`,
			`{"rows":"9","table":"<&>\u2028"}`, `{"rows":5.50,"amount":1e3}`}).Draw(rt, "parameters"))
	if rapid.Bool().Draw(rt, "stranger") {
		action.Spec.Requester.Username = "mallory"
	}
	if rapid.Bool().Draw(rt, "exception") {
		action.Spec.ExceptionRequest = &v1alpha1.ExceptionRequest{RuleName: "r0", Justification: "because"}
	}
	return action
}

// becomes is what people make of a pending action, or that they do nothing.
func becomes(rt *rapid.T, action *v1alpha1.AgentAction) []audit.Record {
	if action.Status.Decision != v1alpha1.DecisionPending {
		return nil
	}
	end := rapid.SampledFrom([]struct {
		decision v1alpha1.Decision
		reason   string
	}{
		{v1alpha1.DecisionPending, action.Status.Reason}, {v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted},
		{v1alpha1.DecisionDenied, v1alpha1.ReasonApprovalDenied}, {v1alpha1.DecisionTimedOut, v1alpha1.ReasonApprovalTimeout},
		{v1alpha1.DecisionCancelled, v1alpha1.ReasonCancelledByRequester},
	}).Draw(rt, "end")
	action.Status.Decision, action.Status.Reason = end.decision, end.reason
	record := laterRecord(action, end.decision, end.reason, time.Hour)
	record.Workflows, record.RiskScore = []string{"known"}, action.Status.Risk.Score
	record.ApprovalRevision = action.Status.Approval.Revision
	return []audit.Record{record}
}

func TestTheSamePolicyNeverFlips(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		policy := drawPolicy(t, rt)
		var records []audit.Record
		var actions []*v1alpha1.AgentAction
		for i := range rapid.IntRange(1, 8).Draw(rt, "actions") {
			action := drawAction(rt, i)
			actions = append(actions, action)
			records = append(records, history(t, policy, action)...)
			records = append(records, becomes(rt, action)...)
		}
		for name, source := range map[string]simulate.Source{"log": fromLog(t, written(t, records...)), "cluster": simulate.FromCluster(t.Context(), listing(actions))} {
			report := run(t, source, simulate.Options{Policy: policy, ApproversFlip: true})
			if report.Actions != len(actions) || report.Flips() != 0 || report.OtherScore != 0 || report.OtherApprovers != 0 {
				rt.Fatalf("%s: %d of %d actions, and a policy that differs from itself: %+v", name, report.Actions, len(actions), report)
			}
		}
	})
}

func TestTheOrderOfWorkDoesNotShow(t *testing.T) {
	t.Parallel()
	log := written(t, mixed(t)...)
	changed := compile(t, bot, base, tighter)
	var want bytes.Buffer
	for workers := 1; workers <= 8; workers++ {
		var got bytes.Buffer
		if err := run(t, fromLog(t, log), simulate.Options{Policy: changed, Workers: workers}).JSON(&got); err != nil {
			t.Fatal(err)
		}
		if want.Len() == 0 {
			want = got
		}
		if diff := cmp.Diff(want.String(), got.String()); diff != "" {
			t.Fatalf("%d workers make another report:\n%s", workers, diff)
		}
	}
}

func TestTheLastWordOfPolicyCounts(t *testing.T) {
	t.Parallel()
	policy := compile(t, bot, base)
	action := newAction(1, "database_read", `{"table":"t","data_classification":"public"}`)
	first := history(t, policy, action)[0] // Approved
	pending, denied := laterRecord(action, "Pending", v1alpha1.ReasonApprovalRequired, time.Minute), laterRecord(action, "Denied", v1alpha1.ReasonRuleDenied, 2*time.Minute)
	granted, cancelled := laterRecord(action, "Approved", v1alpha1.ReasonApprovalGranted, time.Hour), laterRecord(action, "Cancelled", v1alpha1.ReasonCancelledByRequester, time.Hour)
	back := denied
	back.Event, back.Time = audit.EventNotApplied, denied.Time.Add(time.Second)
	withdrawn := granted
	withdrawn.Event, withdrawn.Reason = audit.EventWithdrawn, v1alpha1.ReasonAgentSuspended
	stopped, deleted := laterRecord(action, "Denied", v1alpha1.ReasonAgentSuspended, time.Hour), laterRecord(action, "Denied", v1alpha1.ReasonAgentNotFound, time.Hour)
	bare := first
	bare.Request = nil
	for name, test := range map[string]struct {
		records []audit.Record
		want    string // "" is not replayed
	}{
		"once":                          {[]audit.Record{first}, "Approved"},
		"judged again while it waited":  {[]audit.Record{first, pending, denied}, "Denied"},
		"approved by people":            {[]audit.Record{first, pending, granted}, "Pending"},
		"in another order":              {[]audit.Record{granted, denied, pending, first}, "Pending"},
		"decided twice, after a crash":  {[]audit.Record{first, first}, "Approved"},
		"the write was refused":         {[]audit.Record{first, denied, back, pending}, "Pending"},
		"withdrawn by the kill switch":  {[]audit.Record{first, withdrawn}, "Approved"},
		"suspended while it waited":     {[]audit.Record{first, pending, stopped}, "Pending"},
		"deleted while it waited":       {[]audit.Record{first, deleted, pending}, "Pending"},
		"suspended when judged again":   {[]audit.Record{first, stopped}, "Denied"},
		"cancelled before anybody asks": {[]audit.Record{first, cancelled}, "Approved"},
		"without the request":           {[]audit.Record{bare, granted}, ""},
		"only the end of the log":       {[]audit.Record{granted}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "the write was refused" { // what follows is later
				test.records[3].Time = denied.Time.Add(time.Minute)
			}
			report := run(t, fromLog(t, written(t, test.records...)), simulate.Options{Policy: policy})
			if test.want == "" {
				if report.Actions != 0 || len(report.NotReplayed) != 1 || report.NotReplayed[0].Examples[0] != "shop/act-001" {
					t.Errorf("report %+v", report)
				}
				return
			}
			want := []simulate.Transition{{Before: v1alpha1.Decision(test.want), After: "Approved", Count: 1}}
			if diff := cmp.Diff(want, report.Matrix); diff != "" {
				t.Errorf("matrix:\n%s", diff)
			}
		})
	}
}

func TestWhatStandsInForAnAgentThatIsGone(t *testing.T) {
	t.Parallel()
	policy := compile(t, bot, base)
	action := newAction(1, "database_read", `{"table":"t","data_classification":"public"}`)
	record := history(t, policy, action)[0]
	record.Request.Namespace = &audit.Namespace{Labels: map[string]string{"x": "y"}}
	rule := `
kind: SmartRule
metadata: {namespace: ascend-system, name: labels}
spec: {effect: Deny, conditions: [{name: c, expression: "namespaceObject.metadata.labels['x'] == 'y' && agent.labels['tier'] == 'gold' && agent.owner == 'carol'"}]}
`
	report := run(t, fromLog(t, written(t, record)), simulate.Options{Policy: compile(t, base, rule)})
	if report.Tightened != 1 || report.Groups[0].Name != "ascend-system/labels" {
		t.Errorf("the recorded agent and namespace do not stand in: %+v", report)
	}
	suspended := strings.Replace(bot, "spec:", "spec:\n  state: Suspended", 1)
	report = run(t, fromLog(t, written(t, record)), simulate.Options{Policy: compile(t, base, suspended)})
	if report.Tightened != 1 || report.Groups[0].Cause != (simulate.Cause{Kind: simulate.CauseAgent, Name: "shop/bot", Field: "state"}) {
		t.Errorf("the agent of the policy does not come first: %+v", report)
	}
	record.Request.Agent = nil
	report = run(t, fromLog(t, written(t, record)), simulate.Options{Policy: compile(t, base)})
	want := []simulate.Count{{Why: "agent shop/bot is not there", Count: 1, Examples: []string{"shop/act-001"}}}
	if diff := cmp.Diff(want, report.NotReplayed); diff != "" || report.Actions != 0 {
		t.Errorf("not replayed:\n%s", diff)
	}
	record = history(t, compile(t, base), action)[0] // AgentNotFound
	report = run(t, fromLog(t, written(t, record)), simulate.Options{Policy: compile(t, base)})
	if report.Actions != 1 || report.Flips() != 0 {
		t.Errorf("an action that was denied for want of an agent: %+v", report)
	}
}

func TestAnAgentThatWasStoppedAndStillIs(t *testing.T) {
	t.Parallel()
	action := newAction(1, "database_read", `{"table":"t","data_classification":"public"}`)
	first := history(t, compile(t, bot, base), action)[0]
	pending := laterRecord(action, "Pending", v1alpha1.ReasonApprovalRequired, time.Minute)
	log := written(t, first, pending, laterRecord(action, "Denied", v1alpha1.ReasonAgentSuspended, time.Hour))
	suspended := strings.Replace(bot, "spec:", "spec:\n  state: Suspended", 1)
	report := run(t, fromLog(t, log), simulate.Options{Policy: compile(t, base, suspended)})
	want := []simulate.Transition{{Before: "Denied", After: "Denied", Count: 1}}
	if diff := cmp.Diff(want, report.Matrix); diff != "" {
		t.Errorf("matrix:\n%s", diff)
	}
}

func TestTwoPoliciesAgainstEachOther(t *testing.T) {
	t.Parallel()
	log := written(t, mixed(t)...)
	one, other := compile(t, bot, base), compile(t, bot, base, tighter)
	there := run(t, fromLog(t, log), simulate.Options{Policy: other, Against: one})
	back := run(t, fromLog(t, log), simulate.Options{Policy: one, Against: other})
	if there.Tightened == 0 || there.Tightened != back.Loosened || there.Loosened != back.Tightened || there.OtherScore != back.OtherScore {
		t.Errorf("there %+v\nback %+v", there, back)
	}
	// Rules, workflows and agents are the same cause in both directions.
	for i := range there.Groups {
		if there.Groups[i].Cause != back.Groups[i].Cause {
			t.Errorf("there it is %v, and back %v", there.Groups[i].Cause, back.Groups[i].Cause)
		}
	}
	if same := run(t, fromLog(t, log), simulate.Options{Policy: other, Against: other}); same.Flips() != 0 {
		t.Errorf("a policy differs from itself: %+v", same)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	if _, err := simulate.Run(t.Context(), simulate.FromFiles([]string{"/no/such.log"}, nil), simulate.Options{Policy: compile(t)}); err == nil ||
		!strings.Contains(err.Error(), "/no/such.log") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := simulate.Run(ctx, fromLog(t, written(t, mixed(t)...)), simulate.Options{Policy: compile(t)}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestStandardInput(t *testing.T) {
	t.Parallel()
	policy := compile(t, bot, base, was)
	log := written(t, mixed(t)...)
	report := run(t, simulate.FromFiles([]string{"-"}, bytes.NewReader(log)), simulate.Options{Policy: policy})
	if report.Actions == 0 || report.Flips() != 0 {
		t.Errorf("report %+v", report)
	}
}
