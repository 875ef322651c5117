// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// submitted is when every test action was submitted: a Tuesday, 13:30 in UTC
// and 15:30 in Berlin. evaluated is when it is evaluated, an hour later.
var (
	submitted = time.Date(2026, 6, 9, 13, 30, 0, 0, time.UTC)
	evaluated = submitted.Add(time.Hour)
)

// shared is one Compiler for all tests, as a process has one.
var shared = sync.OnceValue(func() *Compiler {
	c, err := NewCompiler()
	if err != nil {
		panic(err)
	}
	return c
})

// rule makes a rule in namespace team-a, which the edits change.
func rule(name string, edits ...func(*v1alpha1.SmartRule)) *v1alpha1.SmartRule {
	r := &v1alpha1.SmartRule{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: name}}
	r.Spec.Effect = v1alpha1.EffectDeny
	for _, edit := range edits {
		edit(r)
	}
	return r
}

func global(r *v1alpha1.SmartRule) { r.Namespace = v1alpha1.GlobalNamespace }

func effect(e v1alpha1.RuleEffect) func(*v1alpha1.SmartRule) {
	return func(r *v1alpha1.SmartRule) { r.Spec.Effect = e }
}

func adjust(delta v1alpha1.Delta) func(*v1alpha1.SmartRule) {
	return func(r *v1alpha1.SmartRule) {
		r.Spec.Effect, r.Spec.RiskAdjustment = v1alpha1.EffectAdjustRisk, delta
	}
}

func onError(policy v1alpha1.ErrorPolicy) func(*v1alpha1.SmartRule) {
	return func(r *v1alpha1.SmartRule) { r.Spec.OnError = policy }
}

func mode(m v1alpha1.RuleMode) func(*v1alpha1.SmartRule) {
	return func(r *v1alpha1.SmartRule) { r.Spec.Mode = m }
}

func priority(p int32) func(*v1alpha1.SmartRule) {
	return func(r *v1alpha1.SmartRule) { r.Spec.Priority = &p }
}

// when adds conditions, named by their position: c0, c1, ...
func when(expressions ...string) func(*v1alpha1.SmartRule) {
	return func(r *v1alpha1.SmartRule) {
		for _, expression := range expressions {
			name := "c" + string(rune('0'+len(r.Spec.Conditions)))
			r.Spec.Conditions = append(r.Spec.Conditions, v1alpha1.RuleCondition{Name: name, Expression: expression})
		}
	}
}

func covers(match v1alpha1.RuleMatch) func(*v1alpha1.SmartRule) {
	return func(r *v1alpha1.SmartRule) { r.Spec.Match = match }
}

func because(reason, expression string) func(*v1alpha1.SmartRule) {
	return func(r *v1alpha1.SmartRule) { r.Spec.Reason, r.Spec.ReasonExpression = reason, expression }
}

func during(from, to *time.Time) func(*v1alpha1.SmartRule) {
	return func(r *v1alpha1.SmartRule) {
		if from != nil {
			r.Spec.NotBefore = &metav1.Time{Time: *from}
		}
		if to != nil {
			r.Spec.NotAfter = &metav1.Time{Time: *to}
		}
	}
}

// indexed compiles rules into an index.
func indexed(written ...*v1alpha1.SmartRule) *Index {
	compiled := make([]*Rule, len(written))
	for i, r := range written {
		compiled[i] = shared().Compile(r)
	}
	return NewIndex(compiled)
}

// bulkDelete is the parameters of most test actions.
const bulkDelete = `{"table": "users", "affected_rows": 150, "ratio": 2.5, "text": "abc", "tags": ["a", "bcd"], ` +
	`"nested": {"x": 1}, "ip": "10.1.2.3", "nothing": null, "flag": true}`

// asked is the input for an action with these parameters.
func asked(tb testing.TB, parameters string, edits ...func(*Input)) Input {
	tb.Helper()
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team-a", Name: "act-1", UID: "uid-1", CreationTimestamp: metav1.NewTime(submitted),
		Labels: map[string]string{"ticket": "t-1"}, Annotations: map[string]string{"note": "n"},
	}}
	action.Spec = v1alpha1.AgentActionSpec{
		AgentRef: v1alpha1.LocalReference{Name: "tutorial"}, ActionType: "database_delete",
		Description: "delete old users", Resource: "Users",
		Parameters: &runtime.RawExtension{Raw: []byte(parameters)},
		Context:    &runtime.RawExtension{Raw: []byte(`{"ticket_id": "T-1"}`)},
	}
	req, err := request.Read(action, v1alpha1.Requester{Username: "sa", UID: "u", Groups: []v1alpha1.UserName{"g1", "g2"}}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	in := Input{
		Request: req,
		Agent: &v1alpha1.Agent{
			ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "tutorial", Labels: map[string]string{"team": "data"}},
			Spec: v1alpha1.AgentSpec{DisplayName: "Tutorial", Type: v1alpha1.AgentTypeAutonomous, Environment: "sandbox",
				Owner: "owner@example.com", State: v1alpha1.AgentActive},
		},
		Assessment: &risk.Assessment{
			Vector: "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:H/A:H", Base: 81, Score: 53,
			Factors:         []v1alpha1.RiskFactor{{Name: "data-classification", Value: "pii"}},
			Classifications: []string{"pii"}, Environments: []string{"sandbox"},
		},
		Namespace: &NamespaceObject{Name: "team-a", Labels: map[string]string{"tier": "gold"}},
		Now:       evaluated,
	}
	for _, edit := range edits {
		edit(&in)
	}
	return in
}

// evaluate runs both passes, without adjusting the score in between.
func evaluate(tb testing.TB, in Input, global, local *Index) (adjustments, effects Result) {
	tb.Helper()
	evaluator := NewEvaluator(in, global, local)
	adjustments, err := evaluator.Adjustments(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	effects, err = evaluator.Effects(context.Background(), in.Assessment)
	if err != nil {
		tb.Fatal(err)
	}
	return adjustments, effects
}

// only is the one match of a rule set, nil when there is none.
func only(tb testing.TB, in Input, written ...*v1alpha1.SmartRule) *Match {
	tb.Helper()
	adjustments, effects := evaluate(tb, in, nil, indexed(written...))
	matches := slices.Concat(adjustments.Matched, effects.Matched)
	switch len(matches) {
	case 0:
		return nil
	case 1:
		return &matches[0]
	}
	tb.Fatalf("got %d matches, want one at most", len(matches))
	return nil
}
