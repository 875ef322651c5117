// SPDX-License-Identifier: Apache-2.0

package docs_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/risk"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// bench evaluates expressions on the action that rules.md shows.
type bench struct {
	compiler *rules.Compiler
	input    rules.Input
}

func newBench(t *testing.T, p *page) *bench {
	t.Helper()
	compiler, err := rules.NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	action := actionOf(t, p.only(t, "expressions", "").block(t, "yaml"))
	action.CreationTimestamp = metav1.NewTime(wednesday)
	req, err := request.Read(action, v1alpha1.Requester{
		Username: "system:serviceaccount:shop:stock-agent", Groups: []v1alpha1.UserName{"ops"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	model, err := risk.Compile(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{compiler, rules.Input{
		Request: req,
		Agent: &v1alpha1.Agent{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "stock-agent", Labels: map[string]string{"team": "warehouse"}},
			Spec:       v1alpha1.AgentSpec{Environment: v1alpha1.EnvironmentStaging, State: v1alpha1.AgentActive},
		},
		Assessment: model.Assess(req, string(v1alpha1.EnvironmentStaging)),
		Namespace:  &rules.NamespaceObject{Name: "shop"},
		Now:        wednesday,
	}}
}

// rule is a Deny with one condition.
func (b *bench) rule(expression string) *rules.Rule {
	return b.compiler.Compile(&v1alpha1.SmartRule{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "r"},
		Spec: v1alpha1.SmartRuleSpec{
			Effect:     v1alpha1.EffectDeny,
			Conditions: []v1alpha1.RuleCondition{{Name: "c", Expression: expression}},
		},
	})
}

// evaluate returns the matches of a rule.
func (b *bench) evaluate(t *testing.T, rule *rules.Rule) []rules.Match {
	t.Helper()
	evaluator := rules.NewEvaluator(b.input, nil, rules.NewIndex([]*rules.Rule{rule}))
	result, err := evaluator.Effects(t.Context(), b.input.Assessment)
	if err != nil {
		t.Fatal(err)
	}
	return result.Matched
}

// Every expression in the table of functions holds.
func TestExpressionsHold(t *testing.T) {
	p := readPage(t, "docs/rules.md")
	b := newBench(t, p)
	for _, cells := range p.only(t, "expressions", "").table(t) {
		rule := b.rule(code(cells[0]))
		if err := rule.Err(); err != nil {
			t.Errorf("%s: %v", cells[0], err)
			continue
		}
		if got := b.evaluate(t, rule); len(got) != 1 || got[0].Err != nil {
			t.Errorf("%s is not true: %+v", cells[0], got)
		}
	}
}

// typed is how an expression asks for a variable of a type.
var typed = map[string]string{
	"string":              "%s == 'x'",
	"bool":                "%s == true",
	"double":              "%s == 1.5",
	"timestamp":           "%s == timestamp('2026-03-04T10:00:00Z')",
	"list(string)":        "%s.exists(x, x.size() > 0)",
	"map(string, string)": "%s.exists(key, %[1]s[key].size() > 0)",
	"map(string, any)":    "%s.exists(key, %[1]s[key] == dyn(1))",
}

var hasFields = regexp.MustCompile(`undefined field 'nothing'; (\S+) has (.*)`)

// The table of variables has every field with its type, and no other.
func TestVariables(t *testing.T) {
	p := readPage(t, "docs/rules.md")
	b := newBench(t, p)
	shown := map[string]bool{}
	for _, cells := range p.only(t, "variables", "").table(t) {
		name := code(cells[0])
		shown[name] = true
		form, known := typed[cells[1]]
		if !known {
			t.Errorf("%s: the type %q is not one that the test knows", name, cells[1])
			continue
		}
		if err := b.rule(fmt.Sprintf(form, name)).Err(); err != nil {
			t.Errorf("%s is no %s: %v", name, cells[1], err)
		}
	}
	for _, object := range []string{"action", "agent", "risk", "requester", "namespaceObject.metadata"} {
		found := hasFields.FindStringSubmatch(fmt.Sprint(b.rule(object + ".nothing == 1").Err()))
		if len(found) < 3 || found[1] != object {
			t.Fatalf("the compiler does not say which fields %s has", object)
		}
		for field := range strings.SplitSeq(found[2], ", ") {
			if field = object + "." + field; !shown[field] {
				t.Errorf("docs/rules.md does not name %s", field)
			}
		}
	}
}

// The messages are those of the compiler and of evaluation.
func TestMessages(t *testing.T) {
	p := readPage(t, "docs/rules.md")
	b := newBench(t, p)
	for _, m := range p.marks("error") {
		m.says(t, fmt.Sprint(b.rule(m.text).Err()))
	}
	for _, m := range p.marks("fails") {
		got := b.evaluate(t, b.rule(m.text))
		if len(got) != 1 || got[0].Err == nil {
			t.Errorf("%s: %s does not fail: %+v", p.path, m.text, got)
			continue
		}
		m.says(t, got[0].Note)
	}
}

// says compares the next block with what the code says.
func (m mark) says(t *testing.T, want string) {
	t.Helper()
	t.Helper()
	if got := m.block(t, "text"); got != strings.TrimRight(want, "\n") {
		t.Errorf("%s:%d: %s: the page shows\n%s\nthe code says\n%s", m.page.path, m.line+1, m.text, got, want)
	}
}

// The limits are those of the code.
func TestLimits(t *testing.T) {
	text := strings.Join(readPage(t, "docs/rules.md").lines, "\n")
	for _, limit := range []string{
		fmt.Sprintf("| estimated cost of an expression on a large request | %d units", int64(rules.EstimatedCostLimit)),
		fmt.Sprintf("| actual cost of one evaluation | %d units", int64(rules.CostLimit)),
		fmt.Sprintf("| all expressions of a decision | %d units", int64(rules.DecisionCostLimit)),
	} {
		if !strings.Contains(text, limit) {
			t.Errorf("docs/rules.md does not say %q", limit)
		}
	}
}

// The tables of the starter policy name everything that is in it.
func TestStarterPolicy(t *testing.T) {
	listed := map[string]string{}
	for _, cells := range readPage(t, "docs/rules.md").only(t, "starter rules", "").table(t) {
		listed[code(cells[0])] = cells[1]
	}
	for _, cells := range readPage(t, "docs/workflows.md").only(t, "starter workflows", "").table(t) {
		listed[code(cells[0])] = "workflow"
	}
	for _, text := range starterObjects(t) {
		object, err := decode(text)
		if err != nil {
			t.Fatal(err)
		}
		var name, want string
		switch o := object.(type) {
		case *v1alpha1.SmartRule:
			name, want = o.Name, string(o.Spec.Effect)
			if o.Spec.Mode != "" && o.Spec.Mode != v1alpha1.RuleEnforce {
				want += ", mode " + string(o.Spec.Mode)
			}
		case *v1alpha1.ApprovalWorkflow:
			name, want = o.Name, "workflow"
		default:
			continue
		}
		if listed[name] != want {
			t.Errorf("%s: the page says %q, the policy %q", name, listed[name], want)
		}
		delete(listed, name)
	}
	for name := range listed {
		t.Errorf("a page lists %s, which the starter policy does not have", name)
	}
}
