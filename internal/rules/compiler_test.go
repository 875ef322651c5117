// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run with -update and look at the difference. Got:\n%s", path, got)
	}
}

// What the author of a rule reads when it does not compile.
func TestCompileErrors(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("action.agent == 'x' || ", 20)
	conditions := map[string]string{
		"misspelt variable":               "acton.agent == 'x'",
		"misspelt field":                  "action.affectedRows > 100",
		"misspelt field of the agent":     "agent.env == 'production'",
		"misspelt field of metadata":      "namespaceObject.metadata.label['x'] == 'y'",
		"field of the namespace's spec":   "namespaceObject.spec.finalizers == []",
		"field of a local variable":       "[action].all(a, a.kind == 'x')",
		"wrong type":                      "action.agent > 100",
		"wrong type of list":              "action.agent in ['x', 1]",
		"yields a number":                 "action.agent.size()",
		"yields a text":                   "'true'",
		"unknown function":                "action.agent.beginsWith('x')",
		"syntax error":                    "action.agent == ",
		"unfinished text":                 "action.agent == 'x",
		"two errors on two lines":         "action.x == 1 &&\n  action.y == 2",
		"unknown function of no object":   "starts(action.agent)",
		"seven errors":                    "a || b || c || d || e || f || g",
		"empty":                           "",
		"far out in a long line":          long + "action.x == 1 || " + long + "true",
		"cannot be seen":                  "action.agent == 'a\u202e\u200b' && action.x == 1",
		"tabs":                            "\taction.x == 1",
		"too long":                        strings.Repeat("a", maxExpression+1),
		"too deep":                        strings.Repeat("(", 100) + "true" + strings.Repeat(")", 100),
		"loops too deep":                  "[1].all(a, [1].all(b, [1].all(c, [1].all(d, [1].all(e, true)))))",
		"cost too high":                   "action.parameters.l.all(x, action.parameters.l.all(y, action.parameters.l.all(z, x + y != z)))",
		"cost without limit":              "lists.range(action.parameters.n).size() > 3",
		"value too large":                 "action.parameters.text.replace('a', action.parameters.text) == ''",
		"value doubles":                   "[action.parameters].all(a, [[a,a,a,a,a,a]].all(b, [[b,b,b,b,b,b]].all(c, [[c,c,c,c,c,c]].all(d, d == d))))",
		"regular expression is not valid": "action.agent.matches('(')",
		"regular expression is computed":  "action.agent.matches(action.parameters.pattern)",
		"regular expression is too large": "action.agent.matches('((a{10}){10}){10}b')",
		"format is computed":              "action.parameters.f.format([1]) == '1'",
		"object":                          "google.protobuf.Duration{seconds: 1} == duration('1s')",
		"too many optional maps":          "optional.of(1)" + strings.Repeat(".optMap(x, x)", 5) + ".hasValue()",
		"text for a time":                 "now > '2026-01-01'",
		"malformed time":                  "now > timestamp('yesterday')",
	}
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(conditions)) {
		err := shared().Compile(rule("r", when(conditions[name]))).Err()
		if err == nil {
			t.Errorf("%s: compiles, want an error", name)
			continue
		}
		fmt.Fprintf(&out, "# %s\n%s\n\n", name, err)
	}
	golden(t, "compile_errors.txt", out.String())
}

// CEL panics on some expressions while it compiles them. That must not take the
// process down, nor let anything pass.
func TestPanicsOfCELAreErrors(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{"{b'a': 1}.size() == 1", "action.agent == '' || {b'a': 1} == {}"} {
		r := shared().Compile(rule("r", effect(v1alpha1.EffectAllow), when(expression)))
		if r.Err() == nil || !strings.Contains(r.Err().Error(), "CEL cannot compile this expression, which is a fault of its own") {
			t.Errorf("%s: got %v", expression, r.Err())
		}
	}
	got := only(t, asked(t, bulkDelete), rule("r", effect(v1alpha1.EffectAllow), when("dyn(bytes('a')) in ['a', 'b']")))
	if got == nil || got.Effect != v1alpha1.EffectRequireApproval || got.Err == nil {
		t.Errorf("a panic while evaluating: got %+v, want RequireApproval", got)
	}
}

// Everything else that can be wrong with a rule, with exact paths.
func TestInvalidRules(t *testing.T) {
	t.Parallel()
	at := func(s string) *time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return &v
	}
	earlier, later := at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z")
	badSelector := v1alpha1.RuleMatch{Agents: &v1alpha1.AgentMatch{Selector: &metav1.LabelSelector{
		MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: "Near"}}}}}
	rules := map[string]*v1alpha1.SmartRule{
		"effect is missing":           rule("r", effect("")),
		"effect is unknown":           rule("r", effect("Forbid")),
		"mode is unknown":             rule("r", mode("Dry")),
		"onError is unknown":          rule("r", onError("Ignore")),
		"adjustment is missing":       rule("r", effect(v1alpha1.EffectAdjustRisk)),
		"adjustment is no number":     rule("r", adjust("much")),
		"minRiskScore is no number":   rule("r", covers(v1alpha1.RuleMatch{MinRiskScore: "high"})),
		"selector is unknown":         rule("r", covers(badSelector)),
		"window is upside down":       rule("r", during(later, earlier)),
		"window is empty":             rule("r", during(earlier, earlier)),
		"reason yields no text":       rule("r", because("", "1 + 1")),
		"reason does not compile":     rule("r", because("", "action.x")),
		"second condition is broken":  rule("r", when("true", "action.x")),
		"everything is wrong at once": rule("r", effect("Forbid"), mode("Dry"), onError("Ignore"), covers(badSelector), when("action.x", "1"), because("", "action.y")),
	}
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		compiled := shared().Compile(rules[name])
		err := compiled.Err()
		var aggregate kerrors.Aggregate
		if !errors.As(err, &aggregate) {
			t.Errorf("%s: got %v, want an aggregate", name, err)
			continue
		}
		fmt.Fprintf(&out, "# %s\n", name)
		for _, one := range aggregate.Errors() {
			if _, isField := errors.AsType[*field.Error](one); !isField {
				t.Errorf("%s: %v is no field error", name, one)
			}
			fmt.Fprintf(&out, "%s\n", one)
		}
		fmt.Fprintln(&out)

		// Whatever is wrong, the rule asks a human about what it may cover.
		matches := only(t, asked(t, bulkDelete), rules[name])
		if matches == nil || matches.Effect != v1alpha1.EffectRequireApproval || matches.Err == nil || !matches.Enforced() {
			t.Errorf("%s: got %+v, want RequireApproval", name, matches)
			continue
		}
		if strings.ContainsAny(matches.Err.Error(), "\n\r") || !errors.As(matches.Err, &aggregate) {
			t.Errorf("%s: the match's error is not the rule's in one line: %s", name, matches.Err)
		}
		fmt.Fprintf(&out, "note: %s\n\n", matches.Note)
	}
	golden(t, "invalid_rules.txt", out.String())
}

// A broken rule covers what it cannot exclude, has no effect in mode Audit, and
// none at all when it is disabled or out of its window.
func TestBrokenRule(t *testing.T) {
	t.Parallel()
	before := evaluated.Add(-time.Hour)
	users := covers(v1alpha1.RuleMatch{Resources: []v1alpha1.Glob{"users"}})
	others := covers(v1alpha1.RuleMatch{Resources: []v1alpha1.Glob{"orders"}})
	for name, test := range map[string]struct {
		edits    []func(*v1alpha1.SmartRule)
		matches  bool
		enforced bool
	}{
		"covering":                  {[]func(*v1alpha1.SmartRule){users}, true, true},
		"covering, Allow":           {[]func(*v1alpha1.SmartRule){users, effect(v1alpha1.EffectAllow)}, true, true},
		"covering, lowering":        {[]func(*v1alpha1.SmartRule){users, adjust("-1.0")}, true, true},
		"covering, to be skipped":   {[]func(*v1alpha1.SmartRule){users, onError(v1alpha1.OnErrorSkip)}, true, true},
		"covering, counted as true": {[]func(*v1alpha1.SmartRule){users, onError(v1alpha1.OnErrorMatch)}, true, true},
		"covering, in Audit":        {[]func(*v1alpha1.SmartRule){users, mode(v1alpha1.RuleAudit)}, true, false},
		"covering, disabled":        {[]func(*v1alpha1.SmartRule){users, mode(v1alpha1.RuleDisabled)}, false, false},
		"covering, out of window":   {[]func(*v1alpha1.SmartRule){users, during(nil, &before)}, false, false},
		"another resource":          {[]func(*v1alpha1.SmartRule){others}, false, false},
		"a false condition beside":  {[]func(*v1alpha1.SmartRule){users, when("false")}, true, true},
	} {
		got := only(t, asked(t, bulkDelete), rule("r", append(test.edits, when("("))...))
		if (got != nil) != test.matches {
			t.Errorf("%s: matched %v, want %v", name, got != nil, test.matches)
			continue
		}
		if got != nil && (got.Effect != v1alpha1.EffectRequireApproval || got.Err == nil || got.Enforced() != test.enforced || got.Adjustment != 0) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	// An Allow over one of two resources covers for certain nothing; broken, it may.
	in := asked(t, bulkDelete, func(in *Input) { in.Request.Resources = []string{"users", "orders"} })
	if only(t, in, rule("r", users, effect(v1alpha1.EffectAllow))) != nil {
		t.Error("an Allow covers what is not certain")
	}
	if only(t, in, rule("r", users, effect(v1alpha1.EffectAllow), when("("))) == nil {
		t.Error("a broken Allow does not ask a human about what it may cover")
	}
}

func TestRuleAccessors(t *testing.T) {
	t.Parallel()
	written := rule("r", when("true"), func(r *v1alpha1.SmartRule) {
		r.Spec.WorkflowRef = &v1alpha1.WorkflowReference{Name: "managers"}
		r.Spec.ExceptionWorkflowRef = &v1alpha1.WorkflowReference{Name: "directors"}
		r.Spec.DisplayName = "Block\u202e it"
	})
	r := shared().Compile(written)
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	if got := r.WorkflowNames(); !slices.Equal(got, []string{"managers", "directors"}) {
		t.Errorf("WorkflowNames: %v", got)
	}
	if got := r.Reference(); got != (v1alpha1.RuleReference{Namespace: "team-a", Name: "r", DisplayName: "Block\u202e it"}) {
		t.Errorf("Reference: %+v", got)
	}
	if r.Title() != `Block\u202e it` || shared().Compile(rule("plain")).Title() != "plain" {
		t.Errorf("Title: %s", r.Title())
	}
	if r.Mode() != v1alpha1.RuleEnforce || r.Global() || !shared().Compile(rule("g", global)).Global() {
		t.Errorf("Mode %s, Global %v", r.Mode(), r.Global())
	}
	if !strings.HasPrefix(r.Revision(), "sha256:") || r.Revision() != shared().Compile(written).Revision() {
		t.Errorf("Revision: %s", r.Revision())
	}
	if r.Revision() == shared().Compile(rule("r", when("false"))).Revision() {
		t.Error("two specs have one revision")
	}
	written.Spec.Conditions[0].Expression = "false"
	if r.Spec().Conditions[0].Expression != "true" {
		t.Error("the compiled rule changes with the object it was made from")
	}
	if r.WorkflowNames() == nil || shared().Compile(rule("none")).WorkflowNames() != nil {
		t.Error("WorkflowNames of a rule without workflows must be nil")
	}
}

// More programs than are kept ready still all work.
func TestProgramsAreMadeAnew(t *testing.T) {
	t.Parallel()
	compiler, err := NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	in := asked(t, bulkDelete)
	first := compiler.Compile(rule("first", when("action.parameters.affected_rows == 150")))
	for i := range shelfSize + 5 {
		if _, err := compiler.shelf.put(compiler.Compile(rule("r", when(fmt.Sprint(i%3, " < 3")))).conditions[0].program); err != nil {
			t.Fatal(err)
		}
		if i == 100 {
			break // enough to fill it by hand
		}
	}
	spare := compiler.Compile(rule("spare", when("true"))).conditions[0].program
	for range shelfSize {
		if _, err := compiler.shelf.put(spare); err != nil {
			t.Fatal(err)
		}
	}
	if first.conditions[0].program.ready.Load() != nil {
		t.Fatal("the first program is still kept")
	}
	if _, got := evaluate(t, in, nil, NewIndex([]*Rule{first})); len(got.Matched) != 1 || got.Matched[0].Err != nil {
		t.Errorf("got %+v, want a match", got)
	}
	if len(compiler.shelf.kept) > shelfSize {
		t.Errorf("%d programs are kept, want %d at most", len(compiler.shelf.kept), shelfSize)
	}
}
