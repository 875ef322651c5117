// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// window makes a rule active between two times, in hours from evaluated.
func window(from, to int) func(*v1alpha1.SmartRule) {
	return func(r *v1alpha1.SmartRule) {
		r.Spec.NotBefore = &metav1.Time{Time: evaluated.Add(time.Duration(from) * time.Hour)}
		r.Spec.NotAfter = &metav1.Time{Time: evaluated.Add(time.Duration(to) * time.Hour)}
	}
}

func excepted(r *v1alpha1.SmartRule) {
	r.Spec.ExceptionWorkflowRef = &v1alpha1.WorkflowReference{Name: "managers"}
}

func elsewhere(r *v1alpha1.SmartRule) { r.Namespace = "team-b" }

func TestShadows(t *testing.T) {
	t.Parallel()
	types := func(globs ...v1alpha1.Glob) func(*v1alpha1.SmartRule) {
		return covers(v1alpha1.RuleMatch{ActionTypes: globs})
	}
	score := func(s v1alpha1.Score) func(*v1alpha1.SmartRule) {
		return covers(v1alpha1.RuleMatch{MinRiskScore: s})
	}
	places := func(words ...v1alpha1.Environment) func(*v1alpha1.SmartRule) {
		return covers(v1alpha1.RuleMatch{Environments: words})
	}
	type edits = []func(*v1alpha1.SmartRule)
	cases := map[string]struct {
		outer, inner edits
		want         bool
	}{
		"a plain Deny and an approval":           {nil, edits{effect(v1alpha1.EffectRequireApproval), types("db_*")}, true},
		"a plain Deny and an Allow":              {edits{types("db_*")}, edits{effect(v1alpha1.EffectAllow), types("db_read")}, true},
		"a plain Deny and an adjustment":         {nil, edits{adjust("+1.0")}, true},
		"a Deny by score and an adjustment":      {edits{score("5.0")}, edits{adjust("+1.0"), score("6.0")}, false},
		"a Deny by a lower score":                {edits{score("5.0")}, edits{effect(v1alpha1.EffectAllow), score("6.0")}, true},
		"a Deny by a higher score":               {edits{score("6.0")}, edits{effect(v1alpha1.EffectAllow), score("5.0")}, false},
		"an approval and an Allow":               {edits{effect(v1alpha1.EffectRequireApproval)}, edits{effect(v1alpha1.EffectAllow)}, true},
		"an approval and an Allow that may fail": {edits{effect(v1alpha1.EffectRequireApproval)}, edits{effect(v1alpha1.EffectAllow), when("action.parameters.n > 1")}, false},
		"an approval and another":                {edits{effect(v1alpha1.EffectRequireApproval)}, edits{effect(v1alpha1.EffectRequireApproval)}, false},
		"an approval and a Deny":                 {edits{effect(v1alpha1.EffectRequireApproval)}, nil, false},
		"an Allow and another":                   {edits{effect(v1alpha1.EffectAllow)}, edits{effect(v1alpha1.EffectAllow)}, false},
		"a Deny with conditions":                 {edits{when("true")}, edits{effect(v1alpha1.EffectAllow)}, false},
		"a Deny with exceptions":                 {edits{excepted}, edits{effect(v1alpha1.EffectAllow)}, false},
		"a Deny that is audited":                 {edits{mode(v1alpha1.RuleAudit)}, edits{effect(v1alpha1.EffectAllow)}, false},
		"a Deny that cannot be read":             {edits{mode("Odd")}, edits{effect(v1alpha1.EffectAllow)}, false},
		"one that is audited":                    {nil, edits{mode(v1alpha1.RuleAudit)}, false},
		"one that is disabled":                   {nil, edits{mode(v1alpha1.RuleDisabled), effect(v1alpha1.EffectAllow)}, false},
		"one with conditions":                    {nil, edits{effect(v1alpha1.EffectAllow), when("action.x == 1")}, false}, // does not compile
		"one with good conditions":               {nil, edits{effect(v1alpha1.EffectAllow), when("risk.score > 5.0")}, true},
		"fewer types":                            {edits{types("db_read")}, edits{effect(v1alpha1.EffectAllow), types("db_*")}, false},
		"fewer environments":                     {edits{places("sandbox")}, edits{effect(v1alpha1.EffectAllow)}, false},
		"more environments":                      {edits{places("Sandbox", "test")}, edits{effect(v1alpha1.EffectAllow), places("sandbox")}, true},
		"global over a namespace":                {edits{global}, edits{effect(v1alpha1.EffectAllow)}, true},
		"a namespace over global":                {nil, edits{global, effect(v1alpha1.EffectAllow)}, false},
		"another namespace":                      {edits{elsewhere}, edits{effect(v1alpha1.EffectAllow)}, false},
		"a Deny reported before":                 {edits{priority(60)}, edits{types("db_*")}, true},
		"a Deny reported after":                  {edits{priority(40)}, edits{types("db_*")}, false},
		"a Deny reported after, exceptions":      {edits{priority(40)}, edits{types("db_*"), excepted}, true},
		"a Deny that has ended":                  {edits{window(-2, 0)}, edits{effect(v1alpha1.EffectAllow)}, false},
		"a Deny that ends first":                 {edits{window(-2, 2)}, edits{effect(v1alpha1.EffectAllow)}, false},
		"a Deny that ends first of both":         {edits{window(-2, 2)}, edits{effect(v1alpha1.EffectAllow), window(-1, 3)}, false},
		"a Deny that ends last":                  {edits{window(-2, 2)}, edits{effect(v1alpha1.EffectAllow), window(-3, 2)}, true},
		"a Deny that begins later":               {edits{window(1, 9)}, edits{effect(v1alpha1.EffectAllow), window(-3, 2)}, false},
		"a Deny that begins later than now":      {edits{window(1, 9)}, edits{effect(v1alpha1.EffectAllow), window(2, 3)}, true},
		"a Deny of the same name is the same":    {nil, edits{func(r *v1alpha1.SmartRule) { r.Name = "outer" }, effect(v1alpha1.EffectAllow)}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outer, inner := shared().Compile(rule("outer", c.outer...)), shared().Compile(rule("z-inner", c.inner...))
			if got := outer.Shadows(inner, evaluated); got != c.want {
				t.Fatalf("shadows: %t, want %t", got, c.want)
			}
			if found := inner.ShadowOf(slices.Values([]*Rule{inner, outer}), evaluated); (found == outer) != c.want {
				t.Errorf("ShadowOf found %v", found)
			}
			first, count := outer.Shadowed(slices.Values([]*Rule{outer, inner, inner}), evaluated)
			if (first == inner) != c.want || (count == 2) != c.want {
				t.Errorf("Shadowed found %v, %d", first, count)
			}
		})
	}
}

// Whatever a shadowed rule matches is denied by the rule that shadows it.
func TestWhatIsShadowedIsDenied(t *testing.T) {
	t.Parallel()
	shadows := 0
	rapid.Check(t, func(r *rapid.T) {
		covered := drawRule(r, "z")
		covered.Spec.Mode = v1alpha1.RuleEnforce
		inner, outer := compiled(covered), compiled(drawWider(r, covered))
		if !outer.Shadows(inner, evaluated) {
			return
		}
		shadows++
		in := drawInput(t, r)
		for later := range 4 {
			in.Now = evaluated.Add(time.Duration(later) * time.Hour)
			_, matched := told(r, NewEvaluator(in, NewIndex([]*Rule{outer, inner}), nil), in.Assessment)
			denied, met := false, false
			for line := range matched {
				denied = denied || strings.Contains(line, "/outer ")
				met = met || strings.Contains(line, "/z ")
			}
			if met && !denied {
				r.Fatalf("%+v is not denied by %+v", inner.spec, outer.spec)
			}
		}
	})
	if shadows < 10 {
		t.Errorf("only %d pairs had a shadow, so little was tried", shadows)
	}
}

// drawWider is a Deny that covers what the rule covers, as often as not.
func drawWider(t *rapid.T, covered *v1alpha1.SmartRule) *v1alpha1.SmartRule {
	out := drawRule(t, "outer")
	out.Spec.Effect, out.Spec.Mode, out.Spec.RiskAdjustment, out.Spec.Conditions = v1alpha1.EffectDeny, v1alpha1.RuleEnforce, "", nil
	mine, theirs := &out.Spec.Match, &covered.Spec.Match
	widen := func(part string, same, all func()) {
		switch rapid.IntRange(0, 9).Draw(t, "widen "+part) {
		case 0, 1, 2, 3:
			same()
		case 4, 5, 6, 7, 8:
			all()
		}
	}
	widen("actionTypes", func() { mine.ActionTypes = theirs.ActionTypes }, func() { mine.ActionTypes = nil })
	widen("agents", func() { mine.Agents = theirs.Agents }, func() { mine.Agents = nil })
	widen("environments", func() { mine.Environments = theirs.Environments }, func() { mine.Environments = nil })
	widen("classes", func() { mine.DataClassifications = theirs.DataClassifications }, func() { mine.DataClassifications = nil })
	widen("resources", func() { mine.Resources = theirs.Resources }, func() { mine.Resources = nil })
	widen("score", func() { mine.MinRiskScore = theirs.MinRiskScore }, func() { mine.MinRiskScore = "" })
	widen("window", func() { out.Spec.NotBefore, out.Spec.NotAfter = covered.Spec.NotBefore, covered.Spec.NotAfter },
		func() { out.Spec.NotBefore, out.Spec.NotAfter = nil, nil })
	return out
}

func TestSearchForShadowsIsBounded(t *testing.T) {
	t.Parallel()
	globs := func(letter string) (out []v1alpha1.Glob) {
		for i := range 64 {
			out = append(out, v1alpha1.Glob("*"+strings.Repeat(letter, 200)+"?"+strconv.Itoa(i)))
		}
		return out
	}
	outer := shared().Compile(rule("outer", covers(v1alpha1.RuleMatch{ActionTypes: globs("a")})))
	inner := shared().Compile(rule("z", effect(v1alpha1.EffectAllow), covers(v1alpha1.RuleMatch{ActionTypes: globs("a")})))
	many := func(of *Rule) func(func(*Rule) bool) {
		return func(yield func(*Rule) bool) {
			for range 1_000_000 {
				if !yield(of) {
					return
				}
			}
		}
	}
	start := time.Now()
	inner.ShadowOf(many(outer), evaluated)
	outer.Shadowed(many(inner), evaluated)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestNeverTrue(t *testing.T) {
	t.Parallel()
	for expression, never := range map[string]bool{
		"false": true, "true": false, "!true": true, "!(!false)": true,
		"1 > 2": true, "1 < 2": false, "1 >= 2": true, "2 <= 1": true, "1 <= 1": false,
		"'a' == 'b'": true, "'a' != 'a'": true, "'b' < 'a'": true, "1.5 == 1.5": false,
		"action.parameters.n > 5 && false": true, "false && action.parameters.n > 5": true,
		"action.parameters.n > 5 || false": false, "false || 1 == 2": true, "true || false": false,
		"true ? false : true": true, "1 == 2 ? true : 'a' == 'b'": true, "risk.score > 1.0 ? false : true": false,
		"action.parameters.n > 5": false, "[1].exists(x, x > 1)": false,
		"(false && risk.score > 1.0) || (1 > 2 && agent.name == 'x')": true,
	} {
		r := shared().Compile(rule("r", when("risk.score > 1.0", expression)))
		if r.Err() != nil {
			t.Fatalf("%s: %v", expression, r.Err())
		}
		if got := r.NeverTrue(); (got == "c1") != never {
			t.Errorf("%s: never true in %q, want %t", expression, got, never)
		}
	}
}

func TestEnded(t *testing.T) {
	t.Parallel()
	r := shared().Compile(rule("r", window(-1, 1)))
	if r.Ended(evaluated) || !r.Ended(evaluated.Add(time.Hour)) {
		t.Error("a rule ends at its notAfter")
	}
}
