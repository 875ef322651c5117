// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// The words that drawn rules and actions are made of: few, so that they meet.
var (
	typeGlobs     = []string{"db_read", "db_delete", "db_*", "*_read", "d?_read", "*", "file_copy", "fil*", "DB_READ"}
	agentGlobs    = []string{"alice", "bob", "al*", "*", "?ob"}
	resourceGlobs = []string{"users", "orders", "user*", "*", "log/*", "*s", "o*"}
	environments  = []string{"production", "sandbox", "dr-site"}
	classes       = []string{"pii", "public", "phi"}
	expressions   = []string{
		"true", "false", "action.parameters.n > 5", "action.parameters.missing > 1", "risk.score > 5.0",
		"action.parameters.tags.exists(t, t == 'a')", "'a'", "action.x", "has(action.parameters.n)", "agent.name == 'alice'",
	}
)

func drawRule(t *rapid.T, name string) *v1alpha1.SmartRule {
	r := rule(name)
	if rapid.Bool().Draw(t, "global") {
		r.Namespace = v1alpha1.GlobalNamespace
	}
	s := &r.Spec
	s.Effect = rapid.SampledFrom([]v1alpha1.RuleEffect{"Deny", "RequireApproval", "Allow", "AdjustRisk", "AdjustRisk", "Odd"}).Draw(t, "effect")
	if s.Effect == v1alpha1.EffectAdjustRisk {
		s.RiskAdjustment = rapid.SampledFrom([]v1alpha1.Delta{"+1.0", "-1.0", "0", "x"}).Draw(t, "delta")
	}
	s.Mode = rapid.SampledFrom([]v1alpha1.RuleMode{"", "Enforce", "Audit", "Disabled", "Enforce", "Odd"}).Draw(t, "mode")
	s.OnError = rapid.SampledFrom([]v1alpha1.ErrorPolicy{"", "RequireApproval", "Match", "Skip"}).Draw(t, "onError")
	if rapid.Bool().Draw(t, "prioritized") {
		p := rapid.Int32Range(0, 3).Draw(t, "priority")
		s.Priority = &p
	}
	m := &s.Match
	m.ActionTypes = drawn[v1alpha1.Glob](t, typeGlobs, "actionTypes")
	if rapid.Bool().Draw(t, "by agent") {
		m.Agents = &v1alpha1.AgentMatch{Names: drawn[v1alpha1.Glob](t, agentGlobs, "agents")}
		if rapid.Bool().Draw(t, "by label") {
			operator := rapid.SampledFrom([]metav1.LabelSelectorOperator{"Exists", "DoesNotExist", "Odd"}).Draw(t, "operator")
			m.Agents.Selector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: operator}}}
		}
	}
	m.Environments = drawn[v1alpha1.Environment](t, environments, "environments")
	m.DataClassifications = drawn[v1alpha1.DataClassification](t, classes, "classes")
	m.Resources = drawn[v1alpha1.Glob](t, resourceGlobs, "resources")
	m.MinRiskScore = rapid.SampledFrom([]v1alpha1.Score{"", "", "5.0", "9.9"}).Draw(t, "minRiskScore")
	for i, expression := range drawn[string](t, expressions, "conditions") {
		s.Conditions = append(s.Conditions, v1alpha1.RuleCondition{Name: fmt.Sprint("c", i), Expression: expression})
	}
	window := rapid.SampledFrom([]int{0, 0, 0, -2, 2}).Draw(t, "window")
	if window != 0 {
		s.NotBefore = &metav1.Time{Time: evaluated.Add(time.Duration(window) * time.Hour)}
		s.NotAfter = &metav1.Time{Time: s.NotBefore.Add(3 * time.Hour)}
	}
	return r
}

// drawn is none or some of the words, each once.
func drawn[S ~string](t *rapid.T, words []string, label string) []S {
	var out []S
	for _, word := range rapid.SliceOfNDistinct(rapid.SampledFrom(words), 0, 3, rapid.ID[string]).Draw(t, label) {
		out = append(out, S(word))
	}
	return out
}

func drawRules(t *rapid.T, label string) []*Rule {
	n := rapid.IntRange(0, 12).Draw(t, label)
	out := make([]*Rule, n)
	for i := range out {
		out[i] = compiled(drawRule(t, fmt.Sprint("r", rapid.IntRange(0, 15).Draw(t, "name"))))
	}
	return slices.Clip(out)
}

// compiled compiles a rule, each condition once for all tests.
func compiled(r *v1alpha1.SmartRule) *Rule {
	conditions := r.Spec.Conditions
	r.Spec.Conditions = nil
	out := *shared().Compile(r)
	out.spec.Conditions = conditions
	for i, c := range conditions {
		one := onceCompiled(c.Expression)
		if one.err != nil {
			out.err, out.broken = one.err, fmt.Errorf("condition %d: %w", i, one.err)
			out.match.sense = 0
			continue
		}
		out.conditions = append(out.conditions, condition{name: c.Name, program: one.conditions[0].program})
	}
	return &out
}

var compiledOnce sync.Map

func onceCompiled(expression string) *Rule {
	known, found := compiledOnce.Load(expression)
	if !found {
		known, _ = compiledOnce.LoadOrStore(expression, shared().Compile(rule("r", when(expression))))
	}
	r, _ := known.(*Rule)
	return r
}

func drawInput(tb testing.TB, t *rapid.T) Input {
	tb.Helper()
	in := asked(tb, rapid.SampledFrom([]string{`{"n": 10}`, `{"n": 1, "tags": ["a"]}`, `{"n": "x"}`, `{}`}).Draw(t, "parameters"))
	in.Request.ActionType = rapid.SampledFrom([]string{"db_read", "db_delete", "file_copy", "other"}).Draw(t, "actionType")
	in.Request.Agent = rapid.SampledFrom([]string{"alice", "Bob", "carol"}).Draw(t, "agent")
	in.Agent.Name = in.Request.Agent
	if rapid.Bool().Draw(t, "unlabelled") {
		in.Agent.Labels = nil
	}
	in.Request.Resources = rapid.SliceOfDistinct(rapid.SampledFrom([]string{"users", "orders", "log/1", "x"}), rapid.ID[string]).Draw(t, "resources")
	in.Request.ResourceUnknown = len(in.Request.Resources) == 0 || rapid.Bool().Draw(t, "resourceUnknown")
	in.Assessment = &risk.Assessment{
		Score:                 rapid.SampledFrom([]risk.Score{20, 50, 99}).Draw(t, "score"),
		Environments:          rapid.SliceOfNDistinct(rapid.SampledFrom(environments), 1, 2, rapid.ID[string]).Draw(t, "environments"),
		Classifications:       rapid.SliceOfNDistinct(rapid.SampledFrom(classes), 0, 2, rapid.ID[string]).Draw(t, "classifications"),
		ClassificationUnknown: rapid.Bool().Draw(t, "classificationUnknown"),
	}
	return in
}

// split is the rules by scope, as the indexes hold them.
func split(all []*Rule) (global, local []*Rule) {
	for _, r := range all {
		if r.Global() {
			global = append(global, r)
		} else {
			local = append(local, r)
		}
	}
	return global, local
}

// told is a result with rules by their names, so that results can be compared.
func told(t *rapid.T, evaluator *Evaluator, assessment *risk.Assessment) (text string, matched map[string]bool) {
	first, err := evaluator.Adjustments(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	second, err := evaluator.Effects(context.Background(), assessment)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	matched = map[string]bool{}
	for _, result := range []Result{first, second} {
		for _, m := range result.Matched {
			line := fmt.Sprint("match ", m.Rule.Key(), " ", m.Rule.Revision(), " ", m.Effect, m.Adjustment, m.Reason, m.Err, m.Note, "\n")
			out.WriteString(line)
			matched[line] = true
		}
		for _, n := range result.Near {
			fmt.Fprint(&out, "near ", n.Rule.Key(), n.Condition, "\n")
		}
		fmt.Fprintln(&out, "next", result.NextChange)
	}
	return out.String(), matched
}

// unique keeps the last of the rules with one key.
func unique(all []*Rule) []*Rule {
	byKey := map[Key]*Rule{}
	for _, r := range all {
		byKey[r.key] = r
	}
	return slices.SortedFunc(maps.Values(byKey), func(a, b *Rule) int { return cmp.Compare(a.key.String(), b.key.String()) })
}

// The order in which rules are put into an index does not matter, and the same
// input always has the same result.
func TestOrderOfRulesIsIrrelevant(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		all, in := unique(drawRules(r, "rules")), drawInput(t, r)
		shuffled := rapid.Permutation(all).Draw(r, "shuffled")
		var results []string
		for _, list := range [][]*Rule{all, shuffled, all} {
			global, local := split(list)
			text, _ := told(r, NewEvaluator(in, NewIndex(global), NewIndex(local)), in.Assessment)
			results = append(results, text)
		}
		if results[0] != results[1] || results[0] != results[2] {
			r.Fatalf("results differ:\n%s\n%s\n%s", results[0], results[1], results[2])
		}
	})
}

// Another rule never takes away a match of a rule that is there.
func TestAddingARuleRemovesNoMatch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		all, in := unique(drawRules(r, "rules")), drawInput(t, r)
		added := compiled(drawRule(r, "added"))
		global, local := split(all)
		_, before := told(r, NewEvaluator(in, NewIndex(global), NewIndex(local)), in.Assessment)
		global, local = split(append(all, added))
		_, after := told(r, NewEvaluator(in, NewIndex(global), NewIndex(local)), in.Assessment)
		for line := range before {
			if !after[line] {
				r.Fatalf("with %s there is no more %s", added.Key(), line)
			}
		}
	})
}

// The index finds what looking at every rule would find.
func TestIndexEqualsBruteForce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		all, in := unique(drawRules(r, "rules")), drawInput(t, r)
		global, local := split(all)
		indexed := NewEvaluator(in, NewIndex(global), NewIndex(local))
		brute := NewEvaluator(in, nil, nil)
		slices.SortFunc(all, Compare)
		for _, rule := range all {
			if rule.mode != v1alpha1.RuleDisabled {
				brute.found[rule.phase()] = append(brute.found[rule.phase()], rule)
			}
		}
		got, _ := told(r, indexed, in.Assessment)
		want, _ := told(r, brute, in.Assessment)
		if got != want {
			r.Fatalf("the index found\n%s\nwant\n%s", got, want)
		}
	})
}

// An index that was changed step by step equals one made at once, and the
// steps before stay as they were.
func TestWithEqualsNewIndex(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		in := drawInput(t, r)
		index, want := (*Index)(nil), map[Key]*Rule{}
		type step struct {
			index *Index
			told  string
		}
		var steps []step
		for range rapid.IntRange(1, 6).Draw(r, "steps") {
			var deletes []Key
			for _, n := range rapid.SliceOfN(rapid.IntRange(0, 15), 0, 4).Draw(r, "deletes") {
				namespace := rapid.SampledFrom([]string{"team-a", v1alpha1.GlobalNamespace}).Draw(r, "namespace")
				deletes = append(deletes, Key{namespace, fmt.Sprint("r", n)})
			}
			upserts := drawRules(r, "upserts")
			index = index.With(upserts, deletes)
			for _, key := range deletes {
				delete(want, key)
			}
			for _, rule := range upserts {
				want[rule.key] = rule
			}
			fresh := NewIndex(slices.Collect(maps.Values(want)))
			got, _ := told(r, NewEvaluator(in, index, nil), in.Assessment)
			expected, _ := told(r, NewEvaluator(in, fresh, nil), in.Assessment)
			if got != expected || index.Len() != len(want) || index.Len() != fresh.Len() {
				r.Fatalf("step by step\n%s\nat once\n%s", got, expected)
			}
			if !slices.Equal(slices.Collect(index.Rules()), slices.Collect(fresh.Rules())) {
				r.Fatal("Rules differ")
			}
			steps = append(steps, step{index, got})
		}
		for i, s := range steps {
			if again, _ := told(r, NewEvaluator(in, s.index, nil), in.Assessment); again != s.told {
				r.Fatalf("index %d was changed by a later step", i)
			}
		}
		var keys []Key
		for key := range want {
			keys = append(keys, key)
		}
		if empty := index.With(nil, keys); empty.Len() != 0 || empty.root.any != nil || len(empty.root.exact)+len(empty.root.prefixes) != 0 {
			r.Fatal("an index without rules still holds nodes")
		}
	})
}

// No error ever makes a decision easier.
func TestErrorsNeverRelax(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		global, local := split(unique(drawRules(r, "rules")))
		in := drawInput(t, r)
		evaluator := NewEvaluator(in, NewIndex(global), NewIndex(local))
		first, err := evaluator.Adjustments(context.Background())
		if err != nil {
			r.Fatal(err)
		}
		second, err := evaluator.Effects(context.Background(), in.Assessment)
		if err != nil {
			r.Fatal(err)
		}
		for _, m := range append(first.Matched, second.Matched...) {
			checkMatch(r, m)
		}
	})
}

// checkMatch holds for every match there is.
func checkMatch(t interface{ Fatalf(string, ...any) }, m Match) {
	if m.Err != nil && (m.Effect == v1alpha1.EffectAllow || m.Adjustment < 0) {
		t.Fatalf("an error relaxes: %+v", m)
	}
	if m.Adjustment < 0 && !m.Rule.Global() {
		t.Fatalf("a namespace lowers: %+v", m)
	}
	if m.Effect != v1alpha1.EffectAdjustRisk && m.Effect != v1alpha1.EffectRequireApproval && m.Effect != m.Rule.Spec().Effect {
		t.Fatalf("another effect than the rule's: %+v", m)
	}
	for _, text := range []string{m.Reason, m.Note} {
		if oneLine(text, maxReason) != text {
			t.Fatalf("a text is not fit to be shown: %q", text)
		}
	}
}
