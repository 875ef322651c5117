// SPDX-License-Identifier: Apache-2.0

package decision_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"pgregory.net/rapid"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// drawRule draws a rule of any effect that may or may not cover the action.
func drawRule(t *rapid.T, label string) *v1alpha1.SmartRule {
	r := &v1alpha1.SmartRule{}
	r.Namespace = rapid.SampledFrom([]string{"team", v1alpha1.GlobalNamespace}).Draw(t, label+" scope")
	r.Name = label
	priority := rapid.Int32Range(0, 100).Draw(t, label+" priority")
	r.Spec = v1alpha1.SmartRuleSpec{
		Mode:     rapid.SampledFrom([]v1alpha1.RuleMode{v1alpha1.RuleEnforce, v1alpha1.RuleEnforce, v1alpha1.RuleAudit, v1alpha1.RuleDisabled}).Draw(t, label+" mode"),
		Priority: &priority,
		Effect:   rapid.SampledFrom([]v1alpha1.RuleEffect{v1alpha1.EffectDeny, v1alpha1.EffectRequireApproval, v1alpha1.EffectAllow, v1alpha1.EffectAdjustRisk}).Draw(t, label+" effect"),
		OnError:  rapid.SampledFrom([]v1alpha1.ErrorPolicy{v1alpha1.OnErrorRequireApproval, v1alpha1.OnErrorSkip, v1alpha1.OnErrorMatch}).Draw(t, label+" onError"),
	}
	if r.Spec.Effect == v1alpha1.EffectAdjustRisk {
		r.Spec.RiskAdjustment = rapid.SampledFrom([]v1alpha1.Delta{"+2.0", "+5.0", "-1.0"}).Draw(t, label+" delta")
	}
	if expression := rapid.SampledFrom([]string{"", "true", "false", "action.parameters.rows > 5", "nonsense("}).Draw(t, label+" condition"); expression != "" {
		r.Spec.Conditions = []v1alpha1.RuleCondition{{Name: "c", Expression: expression}}
	}
	if rapid.Bool().Draw(t, label+" narrow") {
		r.Spec.Match.DataClassifications = []v1alpha1.DataClassification{"pii"}
	}
	return r
}

// drawWorld draws policy and an action. Workflows are stricter the higher the
// risk, as any sane set of them is.
func drawWorld(tb testing.TB, rt *rapid.T) *world {
	tb.Helper()
	w := readWorld(tb, agent+read+auto+`
---
kind: ApprovalWorkflow
metadata: {namespace: ascend-system, name: high}
spec:
  selector: {minRiskScore: "7.0"}
  priority: 10
  stages: [{name: look, required: 1, approvers: {groups: [guards]}}]
`)
	for i := range rapid.IntRange(0, 6).Draw(rt, "rules") {
		w.rules = append(w.rules, drawRule(rt, fmt.Sprintf("r%d", i)))
	}
	w.action.Spec.ActionType = rapid.SampledFrom([]string{"database_read", "database_write", "describe", "what_is_this"}).Draw(rt, "type")
	parameters := rapid.SampledFrom([]string{`{}`, `{"rows":1}`, `{"rows":9,"table":"t","data_classification":"public"}`,
		`{"rows":"9","table":"t","data_classification":"pii"}`, `{"table":"t","data_classification":"internal"}`}).Draw(rt, "parameters")
	w.action.Spec.Parameters = &runtime.RawExtension{Raw: []byte(parameters)}
	return w
}

// strictness orders decisions: what is stricter is larger.
func strictness(o *decision.Outcome) int {
	switch o.Decision {
	case v1alpha1.DecisionApproved:
		return 0
	case v1alpha1.DecisionPending:
		return 1 + int(o.Approval.StageCount)
	default:
		return 1000
	}
}

func TestSameInputsSameOutcome(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(t, rt)
		if diff := cmp.Diff(w.decide(time.Second), w.decide(time.Second)); diff != "" {
			rt.Fatalf("two outcomes for the same inputs:\n%s", diff)
		}
	})
}

func TestOrderOfRulesIsIrrelevant(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(t, rt)
		before := w.decide(time.Second)
		seed := rapid.Uint64().Draw(rt, "shuffle")
		rand.New(rand.NewPCG(seed, seed)).Shuffle(len(w.rules), func(i, j int) { w.rules[i], w.rules[j] = w.rules[j], w.rules[i] })
		if diff := cmp.Diff(before, w.decide(time.Second)); diff != "" {
			rt.Fatalf("the order of rules changed the outcome:\n%s", diff)
		}
	})
}

// TestAStricterRuleNeverLoosens: adding a Deny, a RequireApproval or a raised
// score never makes the outcome laxer, whatever else there is. A raised score
// is held against workflows that are stricter the higher the risk.
func TestAStricterRuleNeverLoosens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(t, rt)
		before := w.decide(time.Second)
		extra := drawRule(rt, "extra")
		extra.Spec.Effect = rapid.SampledFrom([]v1alpha1.RuleEffect{
			v1alpha1.EffectDeny, v1alpha1.EffectRequireApproval, v1alpha1.EffectAdjustRisk}).Draw(rt, "strict effect")
		extra.Spec.RiskAdjustment = ""
		if extra.Spec.Effect == v1alpha1.EffectAdjustRisk {
			extra.Spec.RiskAdjustment = "+3.0"
		}
		w.rules = append(w.rules, extra)
		if after := w.decide(time.Second); strictness(after) < strictness(before) {
			rt.Fatalf("adding %s %s loosened %s to %s", extra.Spec.Effect, extra.Spec.Conditions, before.Decision, after.Decision)
		}
	})
}

// TestANamespaceNeverWeakensTheGlobalPolicy: with the namespace's rules and
// workflows gone, nothing gets stricter.
func TestANamespaceNeverWeakensTheGlobalPolicy(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(t, rt)
		if rapid.Bool().Draw(rt, "own workflow") {
			w.workflows = append(w.workflows, readWorld(t, rapid.SampledFrom([]string{teamAuto, teamAsks, selfServed}).Draw(rt, "workflow")).workflows...)
		}
		with := w.decide(time.Second)
		global := *w
		global.rules, global.workflows = nil, nil
		for _, r := range w.rules {
			if r.Namespace == v1alpha1.GlobalNamespace {
				global.rules = append(global.rules, r)
			}
		}
		for _, f := range w.workflows {
			if f.Namespace == v1alpha1.GlobalNamespace {
				global.workflows = append(global.workflows, f)
			}
		}
		if without := global.decide(time.Second); strictness(with) < strictness(without) {
			rt.Fatalf("the namespace weakened %s (%s) to %s (%s)", without.Decision, without.Message, with.Decision, with.Message)
		}
		// Whoever answers for the platform is asked as without the namespace.
		if without := global.decide(time.Second); without.Decision == v1alpha1.DecisionPending && with.Decision == v1alpha1.DecisionPending &&
			without.Reason != v1alpha1.ReasonNoWorkflow && slices.Equal(with.Approval.PendingApprovers, []string{"serviceaccount:team/bot"}) &&
			with.Approval.StageCount == 1 {
			rt.Fatalf("the namespace answers itself for %v: %s", without.Approval.PendingApprovers, without.Message)
		}
	})
}

// TestGarbledClaimsAreNotApprovedInstead: what is not approved when the agent
// tells the truth is not approved when it drops a claim, gives it another type,
// misspells it, or puts something harmless beside it. Rules that skip their own
// errors are left out: their authors have asked for that.
func TestGarbledClaimsAreNotApprovedInstead(t *testing.T) {
	t.Parallel()
	honest := map[string]any{"table": "customers", "data_classification": "pii", "rows": 9, "affected_rows": 3}
	garbles := map[string][]any{ // nil drops the claim
		"table":               {nil, 7, []any{}, map[string]any{"a": "b"}, " "},
		"data_classification": {nil, "p11", []any{"public"}, true, ""},
		"rows":                {nil, "9", []any{}, map[string]any{}},
		"affected_rows":       {nil, "3", -3, 1e300, map[string]any{}},
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(t, rt)
		for _, r := range w.rules {
			if r.Spec.OnError == v1alpha1.OnErrorSkip {
				r.Spec.OnError = v1alpha1.OnErrorRequireApproval
			}
		}
		w.action.Spec.Parameters = raw(rt, honest)
		truth := w.decide(time.Second)
		told := maps.Clone(honest)
		for claim, lies := range garbles {
			if lie := rapid.SampledFrom(append([]any{honest[claim]}, lies...)).Draw(rt, claim); lie == nil {
				delete(told, claim)
			} else {
				told[claim] = lie
			}
		}
		if rapid.Bool().Draw(rt, "claims a sandbox") {
			told["environment"] = "sandbox"
		}
		w.action.Spec.Resource = rapid.SampledFrom([]string{"", "weather"}).Draw(rt, "harmless resource")
		w.action.Spec.Parameters = raw(rt, told)
		if lie := w.decide(time.Second); truth.Decision != v1alpha1.DecisionApproved && lie.Decision == v1alpha1.DecisionApproved {
			rt.Fatalf("the truth is %s (%s), but %v is Approved", truth.Decision, truth.Message, told)
		}
	})
}

func raw(rt *rapid.T, object map[string]any) *runtime.RawExtension {
	text, err := json.Marshal(object)
	if err != nil {
		rt.Fatal(err)
	}
	return &runtime.RawExtension{Raw: text}
}

// FuzzDecide: whatever an agent writes into its request, a Deny for everything
// denies it, and there is always a decision with a reason.
func FuzzDecide(f *testing.F) {
	f.Add("database_read", "customers", `{"table":"customers"}`, `{"environment":"sandbox"}`)
	f.Add("database_delete", "", `{"affected_rows":1e308}`, `[]`)
	f.Add("", "*", `{"data_classification":["public"],"table":{"a":1}}`, ``)
	f.Add("x", "\u202e", `{"path":"\ud800","environment":null}`, `{"a":{"a":{}}}`)
	f.Fuzz(func(t *testing.T, actionType, resource, parameters, context string) {
		w := readWorld(t, agent+read+auto)
		w.action.Spec.ActionType = actionType
		w.action.Spec.Resource = resource
		w.action.Spec.Parameters = &runtime.RawExtension{Raw: []byte(parameters)}
		w.action.Spec.Context = &runtime.RawExtension{Raw: []byte(context)}
		if out := w.decide(time.Second); out.Decision == v1alpha1.DecisionNone || out.Reason == "" || out.Message == "" {
			t.Errorf("no decision: %+v", out)
		}
		w.rules = append(w.rules, readWorld(t, rule("team", "stop", "Deny", "match: {dataClassifications: [phi], resources: [secret]}")+rule(v1alpha1.GlobalNamespace, "halt", "Deny")).rules...)
		if out := w.decide(time.Second); out.Decision != v1alpha1.DecisionDenied {
			t.Errorf("a Deny for everything was answered with %s: %s", out.Decision, out.Message)
		}
	})
}

// BenchmarkDecide measures one automatic approval among rules of which ten can
// match: the cost should follow those, not all.
func BenchmarkDecide(b *testing.B) {
	for _, total := range []int{10, 100, 1000, 10000} {
		b.Run(fmt.Sprintf("rules=%d", total), func(b *testing.B) {
			w := readWorld(b, agent+read+auto)
			for i := range total {
				r := &v1alpha1.SmartRule{}
				r.Namespace, r.Name = v1alpha1.GlobalNamespace, fmt.Sprintf("rule-%05d", i)
				r.Spec = v1alpha1.SmartRuleSpec{Mode: v1alpha1.RuleEnforce, Effect: v1alpha1.EffectDeny, OnError: v1alpha1.OnErrorSkip}
				r.Spec.Conditions = []v1alpha1.RuleCondition{{Name: "many", Expression: "action.parameters.rows > 100"}}
				r.Spec.Match.ActionTypes = []v1alpha1.Glob{v1alpha1.Glob(fmt.Sprintf("other_type_%d", i))}
				if i < 10 {
					r.Spec.Match.ActionTypes = []v1alpha1.Glob{"database_*"}
				}
				w.rules = append(w.rules, r)
			}
			snap := w.snapshot()
			now := submitted.Add(time.Second)
			var evaluated int
			b.ReportAllocs()
			for b.Loop() {
				req, err := request.Read(w.action, v1alpha1.Requester{}, nil)
				if err != nil {
					b.Fatal(err)
				}
				out, err := decision.Decide(context.Background(), snap, req, nil, now)
				if err != nil || out.Decision != v1alpha1.DecisionApproved {
					b.Fatal(out, err)
				}
				evaluated = out.RulesEvaluated
			}
			b.ReportMetric(float64(evaluated), "rules/op")
		})
	}
}
