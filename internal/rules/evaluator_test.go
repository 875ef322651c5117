// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

const (
	holds = "action.parameters.affected_rows > 100"
	fails = "action.parameters.missing > 100"
)

// What becomes of a rule whose condition fails, for every effect and policy.
func TestFailingCondition(t *testing.T) {
	t.Parallel()
	const human = v1alpha1.EffectRequireApproval
	kinds := map[string]func(*v1alpha1.SmartRule){
		"Deny": effect(v1alpha1.EffectDeny), "RequireApproval": effect(human), "Allow": effect(v1alpha1.EffectAllow),
		"raising": adjust("+1.0"), "lowering": adjust("-1.0"),
	}
	wants := map[v1alpha1.ErrorPolicy]map[string]v1alpha1.RuleEffect{
		"": {"Deny": human, "RequireApproval": human, "Allow": human, "raising": human, "lowering": human},
		v1alpha1.OnErrorRequireApproval: {
			"Deny": human, "RequireApproval": human, "Allow": human, "raising": human, "lowering": human},
		v1alpha1.OnErrorMatch: {"Deny": v1alpha1.EffectDeny, "RequireApproval": human, "Allow": human,
			"raising": v1alpha1.EffectAdjustRisk, "lowering": human},
		v1alpha1.OnErrorSkip: {},
	}
	for policy, byKind := range wants {
		for kind, edit := range kinds {
			for _, m := range []v1alpha1.RuleMode{"", v1alpha1.RuleEnforce, v1alpha1.RuleAudit, v1alpha1.RuleDisabled} {
				t.Run(fmt.Sprintf("%s/%s/%s", policy, kind, m), func(t *testing.T) {
					t.Parallel()
					got := only(t, asked(t, bulkDelete), rule("r", global, edit, onError(policy), mode(m), when(fails)))
					want, matches := byKind[kind]
					if m == v1alpha1.RuleDisabled {
						matches = false
					}
					if !matches {
						if got != nil {
							t.Fatalf("matched with %s, want no match", got.Effect)
						}
						return
					}
					if got == nil || got.Effect != want || got.Err == nil || got.Note == "" {
						t.Fatalf("got %+v, want effect %s with an error and a note", got, want)
					}
					if got.Enforced() != (m != v1alpha1.RuleAudit) {
						t.Errorf("Enforced is %v in mode %q", got.Enforced(), m)
					}
					if want == human && kind != "RequireApproval" && got.Adjustment != 0 {
						t.Errorf("asks a human and adjusts the score by %s", got.Adjustment)
					}
				})
			}
		}
	}
}

// A condition that is true gives every rule its own effect, and nothing else.
func TestHoldingCondition(t *testing.T) {
	t.Parallel()
	for _, policy := range []v1alpha1.ErrorPolicy{v1alpha1.OnErrorRequireApproval, v1alpha1.OnErrorMatch, v1alpha1.OnErrorSkip} {
		for kind, want := range map[string]Match{
			"Deny": {Effect: "Deny"}, "RequireApproval": {Effect: "RequireApproval"}, "Allow": {Effect: "Allow"},
			"+1.5": {Effect: "AdjustRisk", Adjustment: 15}, "-1.5": {Effect: "AdjustRisk", Adjustment: -15},
		} {
			edit := effect(v1alpha1.RuleEffect(kind))
			if want.Adjustment != 0 {
				edit = adjust(v1alpha1.Delta(kind))
			}
			got := only(t, asked(t, bulkDelete), rule("r", global, edit, onError(policy), when(holds, "true")))
			if got == nil || got.Effect != want.Effect || got.Adjustment != want.Adjustment || got.Err != nil || got.Note != "" {
				t.Errorf("%s with onError %s: got %+v, want %+v", kind, policy, got, want)
			}
		}
	}
}

// A false condition beside a failing one wins, in whatever order they stand.
func TestFalseWinsOverFailure(t *testing.T) {
	t.Parallel()
	for _, policy := range []v1alpha1.ErrorPolicy{v1alpha1.OnErrorRequireApproval, v1alpha1.OnErrorMatch, v1alpha1.OnErrorSkip} {
		for _, conditions := range [][]string{{fails, "false"}, {"false", fails}, {"true", fails, "false"}, {fails, "false", fails}} {
			_, got := evaluate(t, asked(t, bulkDelete), nil, indexed(rule("r", onError(policy), when(conditions...))))
			if len(got.Matched) != 0 || len(got.Near) != 1 {
				t.Fatalf("%v with onError %s: got %+v, want a near miss", conditions, policy, got)
			}
			wantName := "c" + string(rune('0'+indexOf(conditions, "false")))
			if got.Near[0].Condition != wantName || got.Near[0].Rule.Key().Name != "r" {
				t.Errorf("%v: near miss of %s, want %s", conditions, got.Near[0].Condition, wantName)
			}
		}
	}
}

func indexOf(list []string, want string) int {
	for i, s := range list {
		if s == want {
			return i
		}
	}
	return -1
}

// Every condition that failed is named, not only the first.
func TestAllFailuresAreNamed(t *testing.T) {
	t.Parallel()
	got := only(t, asked(t, bulkDelete), rule("r", when(fails, "true", "action.parameters.text", "action.parameters.text > 1")))
	want := `condition "c0" failed: no such key: missing; condition "c2" failed: it yields a string, not a bool; ` +
		`condition "c3" failed: no such overload`
	if got == nil || got.Err.Error() != want || got.Note != want {
		t.Errorf("got %+v\nwant %s", got, want)
	}
}

func TestNamespaceCannotLower(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		edits []func(*v1alpha1.SmartRule)
		want  risk.Delta
		note  string
	}{
		"global lowers":     {[]func(*v1alpha1.SmartRule){global, adjust("-2.0")}, -20, ""},
		"global raises":     {[]func(*v1alpha1.SmartRule){global, adjust("+2.0")}, 20, ""},
		"namespace raises":  {[]func(*v1alpha1.SmartRule){adjust("+2.0")}, 20, ""},
		"namespace, zero":   {[]func(*v1alpha1.SmartRule){adjust("0.0")}, 0, ""},
		"namespace lowers":  {[]func(*v1alpha1.SmartRule){adjust("-2.0")}, 0, "-2.0 has no effect: a rule of a namespace cannot lower a score"},
		"lowers, by a hair": {[]func(*v1alpha1.SmartRule){adjust("-0.1")}, 0, "-0.1 has no effect: a rule of a namespace cannot lower a score"},
	} {
		got := only(t, asked(t, bulkDelete), rule("r", test.edits...))
		if got == nil || got.Effect != v1alpha1.EffectAdjustRisk || got.Adjustment != test.want || got.Note != test.note {
			t.Errorf("%s: got %+v, want %s %q", name, got, test.want, test.note)
		}
	}
}

// AdjustRisk rules see the score before, the others the score after adjustment.
func TestPhasesSeeTheirScore(t *testing.T) {
	t.Parallel()
	ix := indexed(
		rule("adjust-by-match", adjust("+1.0"), covers(v1alpha1.RuleMatch{MinRiskScore: "6.0"})),
		rule("adjust-by-cel", adjust("+1.0"), when("risk.score >= 6.0")),
		rule("adjust-low", adjust("+1.0"), when("risk.score == 5.3 && risk.level == 'Medium'")),
		rule("deny-by-match", covers(v1alpha1.RuleMatch{MinRiskScore: "6.0"})),
		rule("deny-by-cel", when("risk.score == 7.3 && risk.level == 'High'")),
		rule("deny-low", when("risk.score < 6.0")),
	)
	in := asked(t, bulkDelete)
	evaluator := NewEvaluator(in, nil, ix)
	first, err := evaluator.Adjustments(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	adjusted := *in.Assessment
	adjusted.Score = 73
	second, err := evaluator.Effects(context.Background(), &adjusted)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(first.Matched); got != "team-a/adjust-low" {
		t.Errorf("adjustments: %s", got)
	}
	if got := names(second.Matched); got != "team-a/deny-by-cel team-a/deny-by-match" {
		t.Errorf("effects: %s", got)
	}
	if first.Evaluated != 3 || second.Evaluated != 3 {
		t.Errorf("evaluated %d and %d, want 3 each", first.Evaluated, second.Evaluated)
	}
}

func names(matches []Match) string {
	out := make([]string, len(matches))
	for i, m := range matches {
		out[i] = m.Rule.Key().String()
	}
	return strings.Join(out, " ")
}

func TestOrderOfReports(t *testing.T) {
	t.Parallel()
	global := indexed(rule("b", global), rule("top", global, priority(90)), rule("low", global, priority(0), when("false")))
	local := indexed(rule("a"), rule("c", priority(90)), rule("d", priority(51)), rule("e", priority(51), when("false")))
	_, got := evaluate(t, asked(t, bulkDelete), global, local)
	if want := "ascend-system/top team-a/c team-a/d ascend-system/b team-a/a"; names(got.Matched) != want {
		t.Errorf("got  %s\nwant %s", names(got.Matched), want)
	}
	if len(got.Near) != 2 || got.Near[0].Rule.Key().Name != "e" || got.Near[1].Rule.Key().Name != "low" {
		t.Errorf("near misses out of order: %+v", got.Near)
	}
	again := SortMatches([]Match{got.Matched[4], got.Matched[0], got.Matched[2]})
	if want := "ascend-system/top team-a/d team-a/a"; names(again) != want {
		t.Errorf("SortMatches: got %s, want %s", names(again), want)
	}
	near := SortNear([]Near{got.Near[1], got.Near[0]})
	if near[0].Rule.Key().Name != "e" {
		t.Error("SortNear left near misses out of order")
	}
}

// In the global namespace, the global rules are the namespace's own: each counts once.
func TestGlobalNamespaceCountsRulesOnce(t *testing.T) {
	t.Parallel()
	ix := indexed(rule("a", global), rule("b", global))
	other := indexed(rule("a", global, priority(7)))
	for name, local := range map[string]*Index{"the same index": ix, "another index": other, "none": nil} {
		_, got := evaluate(t, asked(t, bulkDelete, func(in *Input) { in.Request.Namespace = v1alpha1.GlobalNamespace }), ix, local)
		if want := "ascend-system/a ascend-system/b"; names(got.Matched) != want {
			t.Errorf("%s: got %s, want %s", name, names(got.Matched), want)
		}
	}
}

func TestReason(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		edits        []func(*v1alpha1.SmartRule)
		reason, note string
	}{
		"none":          {nil, "", ""},
		"plain":         {[]func(*v1alpha1.SmartRule){because("Bulk delete", "")}, "Bulk delete", ""},
		"plain, broken": {[]func(*v1alpha1.SmartRule){because("a\nb\x1b[31m\u202e\u200b\u2028é", "")}, `a\nb\u001b[31m\u202e\u200b\u2028é`, ""},
		"expression":    {[]func(*v1alpha1.SmartRule){because("", "'%d rows of %s'.format([action.parameters.affected_rows, action.resource])")}, "150 rows of Users", ""},
		"expression yields control characters": {[]func(*v1alpha1.SmartRule){because("", `"a\r\n\t\u202Eb\x00"`)},
			`a\r\n\t\u202eb\u0000`, ""},
		"expression fails": {[]func(*v1alpha1.SmartRule){because("", "'x' + action.parameters.missing")},
			"", "reasonExpression failed: no such key: missing"},
		"expression yields a number": {[]func(*v1alpha1.SmartRule){because("", "action.parameters.affected_rows")},
			"", "reasonExpression yields a int, not a string"},
		"expression fails, and the rule lowers": {[]func(*v1alpha1.SmartRule){adjust("-1.0"), because("", "action.parameters.missing")},
			"", "-1.0 has no effect: a rule of a namespace cannot lower a score; reasonExpression failed: no such key: missing"},
		"an error asks a human": {[]func(*v1alpha1.SmartRule){when(fails), because("Bulk delete", "")},
			"", `condition "c0" failed: no such key: missing`},
		"an error counts as true": {[]func(*v1alpha1.SmartRule){when(fails), onError(v1alpha1.OnErrorMatch), because("Bulk delete", "")},
			"Bulk delete", `condition "c0" failed: no such key: missing; onError Match counts it as true`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := only(t, asked(t, bulkDelete), rule("r", test.edits...))
			if got == nil || got.Reason != test.reason || got.Note != test.note {
				t.Errorf("got  %+v\nwant reason %q, note %q", got, test.reason, test.note)
			}
		})
	}
}

func TestTextsAreCut(t *testing.T) {
	t.Parallel()
	long := asked(t, fmt.Sprintf(`{"text": %q}`, strings.Repeat("ä", 5000)))
	got := only(t, long, rule("r", because("", "action.parameters.text")))
	if n := len([]rune(got.Reason)); n != maxReason || !strings.HasSuffix(got.Reason, "ä…") {
		t.Errorf("the reason has %d characters and ends with %q", n, got.Reason[len(got.Reason)-5:])
	}
	got = only(t, long, rule("r", when("{'a': true}[action.parameters.text]")))
	if n := len([]rune(got.Note)); n != maxNote || len([]rune(got.Err.Error())) != maxNote {
		t.Errorf("the note has %d characters, the error %d", n, len([]rune(got.Err.Error())))
	}
}

// Evaluation that is interrupted yields an error and nothing else.
func TestInterruption(t *testing.T) {
	t.Parallel()
	loop := "action.parameters.l.all(x, action.parameters.l.all(y, x + y != 'never'))"
	list := `{"l": ["` + strings.Repeat(`a","`, 10_000) + `"]}`
	why := errors.New("shutting down")
	for name, test := range map[string]struct {
		rule   *v1alpha1.SmartRule
		during bool
	}{
		"before the first rule":    {rule("r"), false},
		"without any rule":         {rule("r", covers(v1alpha1.RuleMatch{ActionTypes: []v1alpha1.Glob{"x"}})), false},
		"before an adjustment":     {rule("r", adjust("+1.0")), false},
		"in a condition":           {rule("r", when(loop)), true},
		"in a condition to skip":   {rule("r", when(loop), onError(v1alpha1.OnErrorSkip)), true},
		"in a reason":              {rule("r", because("", loop+" ? 'a' : 'b'")), true},
		"in an adjustment's":       {rule("r", adjust("+1.0"), when(loop)), true},
		"before a broken rule":     {rule("r", when("(")), false},
		"in a loop that is masked": {rule("r", when(loop+" || true")), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			in := asked(t, list)
			evaluator := NewEvaluator(in, nil, indexed(test.rule))
			if test.during {
				timer := time.AfterFunc(time.Millisecond, func() { cancel(why) })
				defer timer.Stop()
			} else {
				cancel(why)
			}
			first, err := evaluator.Adjustments(ctx)
			if err == nil {
				first, err = evaluator.Effects(ctx, in.Assessment)
			}
			if !errors.Is(err, why) || len(first.Matched)+len(first.Near) != 0 {
				t.Errorf("got %+v and error %v, want nothing and %v", first, err, why)
			}
		})
	}
}

// What costs too much asks a human, even where onError says Skip: who sends a
// large request must not get rid of a rule.
func TestCostLimit(t *testing.T) {
	t.Parallel()
	costly := "action.parameters.l.all(x, action.parameters.l.all(y, x + y != 'never'))"
	in := func() Input { return asked(t, `{"l": ["`+strings.Repeat(`a","`, 5_000)+`"]}`) }
	for policy, want := range map[v1alpha1.ErrorPolicy]v1alpha1.RuleEffect{
		v1alpha1.OnErrorRequireApproval: v1alpha1.EffectRequireApproval,
		v1alpha1.OnErrorSkip:            v1alpha1.EffectRequireApproval,
		v1alpha1.OnErrorMatch:           v1alpha1.EffectDeny,
	} {
		got := only(t, in(), rule("r", onError(policy), when(costly)))
		if got == nil || got.Effect != want || !errors.Is(got.Err, ErrCostLimit) {
			t.Errorf("onError %s: got %+v, want %s and ErrCostLimit", policy, got, want)
		}
		if got != nil && !strings.Contains(got.Note, "cost more than 1000000 units") {
			t.Errorf("the note does not name the limit: %s", got.Note)
		}
	}
}

// What one scope spends is not missing in the other, and when a scope has
// spent everything its remaining rules ask a human.
func TestDecisionCostLimit(t *testing.T) {
	t.Parallel()
	costly := "action.parameters.l.all(x, action.parameters.l.all(y, x + y != 'never'))"
	var spenders []*v1alpha1.SmartRule
	for i := range 12 {
		spenders = append(spenders, rule(fmt.Sprintf("spender-%02d", i), when(costly)))
	}
	last := rule("last", priority(0), when("true"), onError(v1alpha1.OnErrorSkip))
	in := asked(t, `{"l": ["`+strings.Repeat(`a","`, 5_000)+`"]}`)
	_, got := evaluate(t, in, indexed(rule("global", global, priority(0), when("true"))), indexed(append(spenders, last)...))
	if len(got.Matched) != 14 {
		t.Fatalf("%d rules matched, want all 14", len(got.Matched))
	}
	if m := got.Matched[12]; m.Rule.Key().Name != "global" || m.Err != nil {
		t.Errorf("a global rule failed for what a namespace spent: %+v", m)
	}
	m := got.Matched[13]
	if m.Effect != v1alpha1.EffectRequireApproval || !errors.Is(m.Err, ErrCostLimit) ||
		!strings.Contains(m.Note, "the rules before this one cost more than 10000000 units") {
		t.Errorf("got %+v, want RequireApproval for the cost of the rules before", m)
	}
}

// The time variable is that of submission, so that waiting changes nothing.
func TestNowIsTheTimeOfSubmission(t *testing.T) {
	t.Parallel()
	r := rule("r", when("now.getHours('Europe/Berlin') == 15 && now.getHours() == 13 && now == action.submittedAt"))
	for _, wait := range []time.Duration{0, time.Hour, 1000 * time.Hour} {
		if only(t, asked(t, bulkDelete, func(in *Input) { in.Now = submitted.Add(wait) }), r) == nil {
			t.Errorf("another answer after %s", wait)
		}
	}
}

func TestMissingNamespaceAndAgent(t *testing.T) {
	t.Parallel()
	in := asked(t, bulkDelete, func(in *Input) {
		in.Agent, in.Namespace, in.Request.Labels = nil, nil, nil
		in.Request.Parameters, in.Request.Context = nil, nil
		in.Assessment.ClassificationUnknown = true
	})
	got := only(t, in, rule("r", when("agent.name == '' && agent.labels.size() == 0", "namespaceObject.metadata.name == 'team-a'",
		"namespaceObject.metadata.labels.size() == 0 && action.labels.size() == 0", "!has(action.parameters.x) && action.context.size() == 0",
		"action.dataClassification == ''")))
	if got == nil || got.Err != nil {
		t.Errorf("got %+v, want a match", got)
	}
	in.Assessment = &risk.Assessment{}
	if got = only(t, in, rule("r", when("action.dataClassification == ''"))); got == nil || got.Err != nil {
		t.Errorf("without factors: got %+v, want a match", got)
	}
}

// A number in the parameters compares with any literal, whatever JSON made of it.
func TestNumbersCompareAcrossTypes(t *testing.T) {
	t.Parallel()
	for number, matches := range map[string]bool{
		"101": true, "100.5": true, "1e3": true, "100": false, "100.0": false, "-1": false, "9007199254740991": true,
	} {
		in := asked(t, `{"affected_rows": `+number+`}`)
		if got := only(t, in, rule("r", when(holds))); (got != nil && got.Err == nil) != matches {
			t.Errorf("affected_rows %s: got %+v, want match %v", number, got, matches)
		}
	}
	for _, value := range []string{`"150"`, `null`, `[]`, `{}`, `true`} {
		got := only(t, asked(t, `{"affected_rows": `+value+`}`), rule("r", when(holds)))
		if got == nil || got.Err == nil || got.Effect != v1alpha1.EffectRequireApproval {
			t.Errorf("affected_rows %s: got %+v, want an error that asks a human", value, got)
		}
	}
	in := asked(t, `{"n": 10.0}`)
	if got := only(t, in, rule("r", when("action.parameters.n in [10, 20]"))); got == nil || got.Err != nil {
		t.Errorf("10.0 in [10, 20]: got %+v", got)
	}
}

// The parameters of the input are never written to.
func TestInputIsNotChanged(t *testing.T) {
	t.Parallel()
	in := asked(t, bulkDelete)
	before := fmt.Sprintf("%+v", *in.Request)
	evaluate(t, in, nil, indexed(rule("r", when("action.parameters.tags.map(t, t + 'x').size() == 2"), because("", "action.parameters.text"))))
	if after := fmt.Sprintf("%+v", *in.Request); after != before {
		t.Errorf("the request was changed\nfrom %s\nto   %s", before, after)
	}
}
