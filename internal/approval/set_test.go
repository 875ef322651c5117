// SPDX-License-Identifier: Apache-2.0

package approval_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// specs of workflows by their names.
type specs map[string]string

func (s specs) set(tb testing.TB) *approval.Set {
	tb.Helper()
	var all []*approval.Workflow
	for name, spec := range s {
		all = append(all, workflow(tb, "shop", name, spec))
	}
	return approval.NewSet(all)
}

func names(workflows []*approval.Workflow) []string {
	var out []string
	for _, w := range workflows {
		out = append(out, w.Key().Name)
	}
	return out
}

func TestChoose(t *testing.T) {
	const asks, auto = "stages: [{name: s, approvers: {users: [alice]}}]\n", "autoApprove: true\n"
	starter := specs{
		"low":      auto + "selector: {riskLevels: [Low]}",
		"medium":   auto + "selector: {riskLevels: [Medium]}",
		"high":     asks + "selector: {riskLevels: [High]}",
		"critical": critical,
		"referred": asks,
	}
	at := func(score risk.Score) approval.Criteria {
		return approval.Criteria{Score: score, Facts: match.Facts{
			ActionType: "database_read", Agent: "tutorial-agent", Environments: []string{"sandbox"},
			AgentLabels: map[string]string{"team": "data"},
		}}
	}
	in := func(environments ...string) approval.Criteria {
		c := at(50)
		c.Facts.Environments = environments
		return c
	}
	byEnvironment := specs{
		"lenient": auto + "priority: 20\nselector: {environments: [Sandbox]}",
		"review":  asks + "priority: 10\nselector: {environments: [sandbox, test]}",
		"strict":  asks + "priority: 10\nselector: {environments: [production]}",
		"rest":    asks + "selector: {}",
	}
	cases := map[string]struct {
		specs    specs
		criteria approval.Criteria
		want     []string
	}{
		"by level: low":                    {starter, at(39), []string{"low"}},
		"by level: medium":                 {starter, at(40), []string{"medium"}},
		"by level: high":                   {starter, at(70), []string{"high"}},
		"by level: critical":               {starter, at(90), []string{"critical"}},
		"nothing that is only referred to": {specs{"referred": asks}, at(90), nil},
		"nothing where there is nothing":   {specs{}, at(90), nil},

		"the highest priority":                  {specs{"a": asks + "selector: {}", "b": asks + "priority: 1\nselector: {}"}, at(1), []string{"b"}},
		"all equals that have stages":           {specs{"b": asks + "selector: {}", "a": asks + "selector: {}"}, at(1), []string{"a", "b"}},
		"stages before autoApprove, of equals":  {specs{"a": auto + "selector: {}", "b": asks + "selector: {}"}, at(1), []string{"b"}},
		"autoApprove, of higher priority":       {specs{"a": auto + "priority: 1\nselector: {}", "b": asks + "selector: {}"}, at(1), []string{"a"}},
		"one of several that approve":           {specs{"b": auto + "selector: {}", "a": auto + "selector: {}"}, at(1), []string{"a"}},
		"by the lowest score":                   {specs{"a": asks + "selector: {minRiskScore: \"5.0\"}"}, at(50), []string{"a"}},
		"not below the lowest score":            {specs{"a": asks + "selector: {minRiskScore: \"5.0\"}"}, at(49), nil},
		"by the highest score":                  {specs{"a": asks + "selector: {maxRiskScore: \"5.0\"}"}, at(50), []string{"a"}},
		"not above the highest score":           {specs{"a": asks + "selector: {maxRiskScore: \"5.0\"}"}, at(51), nil},
		"by action type":                        {specs{"a": asks + "selector: {actionTypes: [\"Database_*\"]}"}, at(1), []string{"a"}},
		"not by another action type":            {specs{"a": asks + "selector: {actionTypes: [\"file_*\"]}"}, at(1), nil},
		"by the agent's name":                   {specs{"a": asks + "selector: {agents: {names: [\"Tutorial-*\"]}}"}, at(1), []string{"a"}},
		"by the agent's labels":                 {specs{"a": asks + "selector: {agents: {selector: {matchLabels: {team: data}}}}"}, at(1), []string{"a"}},
		"not by other labels":                   {specs{"a": asks + "selector: {agents: {selector: {matchLabels: {team: ops}}}}"}, at(1), nil},
		"what applies for certain":              {byEnvironment, in("production"), []string{"strict"}},
		"what approves, for certain only":       {byEnvironment, in("sandbox"), []string{"lenient"}},
		"a claim adds, and takes nothing away":  {byEnvironment, in("production", "sandbox"), []string{"rest", "review", "strict"}},
		"a word nobody knows may be production": {byEnvironment, in("prd"), []string{"rest", "strict"}},
		"where no environment is known, all":    {byEnvironment, in(), []string{"rest", "review", "strict"}},
		"a harmless neighbour is covered too":   {byEnvironment, in("sandbox", "test"), []string{"review"}},

		"a level that cannot be read covers all, beside what is certain": {
			specs{"broken": asks + "priority: 9\nselector: {riskLevels: [Severe]}", "sure": asks + "selector: {}"}, at(1), []string{"broken", "sure"}},
		"a score that cannot be read covers all": {specs{"a": asks + "selector: {minRiskScore: high}"}, at(1), []string{"a"}},
		"scores the wrong way round cover all":   {specs{"a": asks + "selector: {minRiskScore: \"9.0\", maxRiskScore: \"1.0\"}"}, at(50), []string{"a"}},
		"labels that cannot be read cover all":   {specs{"a": asks + "selector: {agents: {selector: {matchExpressions: [{key: a, operator: Like}]}}}"}, at(50), []string{"a"}},
		"what cannot be read does not approve":   {specs{"a": auto + "selector: {riskLevels: [Severe]}", "b": auto + "selector: {}"}, at(50), []string{"a"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, names(tc.specs.set(t).Choose(tc.criteria))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSetIsNeverChanged(t *testing.T) {
	var none *approval.Set
	if none.Len() != 0 || none.Get("a") != nil || none.Choose(approval.Criteria{}) != nil {
		t.Error("nil is not the empty Set")
	}
	one := specs{"a": onePerson + "selector: {}", "b": onePerson + "selector: {}"}.set(t)
	newer := sound(t, "shop", "b", twoPeople+"selector: {}")
	two := one.With([]*approval.Workflow{newer, sound(t, "shop", "c", onePerson)}, []approval.Key{{Namespace: "shop", Name: "a"}, {Name: "unknown"}})
	if one.Len() != 2 || one.Get("a") == nil || one.Get("b") == newer || !slices.Equal(names(one.Choose(approval.Criteria{})), []string{"a", "b"}) {
		t.Error("the old Set was changed")
	}
	if two.Len() != 2 || two.Get("a") != nil || two.Get("b") != newer || !slices.Equal(names(two.Choose(approval.Criteria{})), []string{"b"}) {
		t.Errorf("%v", names(two.Choose(approval.Criteria{})))
	}
	if empty := none.With(nil, nil); empty.Len() != 0 {
		t.Error("not empty")
	}
}

func TestDeletedWorkflowsCanComeBack(t *testing.T) {
	w := approval.Compile(&v1alpha1.ApprovalWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "a"}})
	set := approval.NewSet(nil).With([]*approval.Workflow{w}, []approval.Key{w.Key()})
	if set.Get("a") != w {
		t.Error("an upsert comes after the deletes")
	}
}
