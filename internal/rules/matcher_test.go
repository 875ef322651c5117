// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Every part of spec.match, for a rule that restricts and for one that relaxes.
func TestMatch(t *testing.T) {
	t.Parallel()
	type globs = []v1alpha1.Glob
	unknownResource := func(in *Input) { in.Request.ResourceUnknown = true }
	unknownClass := func(in *Input) { in.Assessment.ClassificationUnknown = true }
	claimsProduction := func(in *Input) { in.Assessment.Environments = []string{"production", "sandbox"} }
	twoResources := func(in *Input) { in.Request.Resources = []string{"users", "orders"} }
	selector := func(team string) *v1alpha1.AgentMatch {
		return &v1alpha1.AgentMatch{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": team}}}
	}
	for name, test := range map[string]struct {
		match       v1alpha1.RuleMatch
		input       func(*Input)
		restricting bool
		relaxing    bool
	}{
		"everything":              {match: v1alpha1.RuleMatch{}, restricting: true, relaxing: true},
		"action type":             {match: v1alpha1.RuleMatch{ActionTypes: globs{"database_delete"}}, restricting: true, relaxing: true},
		"action type, in capital": {match: v1alpha1.RuleMatch{ActionTypes: globs{"Database_DELETE"}}, restricting: true, relaxing: true},
		"action type by prefix":   {match: v1alpha1.RuleMatch{ActionTypes: globs{"x", "database_*"}}, restricting: true, relaxing: true},
		"action type by suffix":   {match: v1alpha1.RuleMatch{ActionTypes: globs{"*_delete"}}, restricting: true, relaxing: true},
		"another action type":     {match: v1alpha1.RuleMatch{ActionTypes: globs{"database_read", "file_*"}}},
		"agent by name":           {match: v1alpha1.RuleMatch{Agents: &v1alpha1.AgentMatch{Names: globs{"tut*"}}}, restricting: true, relaxing: true},
		"another agent":           {match: v1alpha1.RuleMatch{Agents: &v1alpha1.AgentMatch{Names: globs{"other"}}}},
		"agent by label":          {match: v1alpha1.RuleMatch{Agents: selector("data")}, restricting: true, relaxing: true},
		"agents of another label": {match: v1alpha1.RuleMatch{Agents: selector("sales")}},
		"label of a missing agent": {match: v1alpha1.RuleMatch{Agents: selector("data")},
			input: func(in *Input) { in.Agent = nil }},
		"environment":            {match: v1alpha1.RuleMatch{Environments: []v1alpha1.Environment{"Sandbox"}}, restricting: true, relaxing: true},
		"another environment":    {match: v1alpha1.RuleMatch{Environments: []v1alpha1.Environment{"production"}}},
		"one environment of two": {match: v1alpha1.RuleMatch{Environments: []v1alpha1.Environment{"production"}}, input: claimsProduction, restricting: true},
		"both environments": {match: v1alpha1.RuleMatch{Environments: []v1alpha1.Environment{"production", "sandbox"}},
			input: claimsProduction, restricting: true, relaxing: true},
		"classification":         {match: v1alpha1.RuleMatch{DataClassifications: []v1alpha1.DataClassification{"PII"}}, restricting: true, relaxing: true},
		"another classification": {match: v1alpha1.RuleMatch{DataClassifications: []v1alpha1.DataClassification{"phi"}}},
		"unknown classification": {match: v1alpha1.RuleMatch{DataClassifications: []v1alpha1.DataClassification{"phi"}}, input: unknownClass, restricting: true},
		"resource":               {match: v1alpha1.RuleMatch{Resources: globs{"users"}}, restricting: true, relaxing: true},
		"another resource":       {match: v1alpha1.RuleMatch{Resources: globs{"orders", "log*"}}},
		"unknown resource":       {match: v1alpha1.RuleMatch{Resources: globs{"orders"}}, input: unknownResource, restricting: true},
		"unknown beside a known": {match: v1alpha1.RuleMatch{Resources: globs{"users"}}, input: unknownResource, restricting: true},
		"one resource of two":    {match: v1alpha1.RuleMatch{Resources: globs{"orders"}}, input: twoResources, restricting: true},
		"both resources":         {match: v1alpha1.RuleMatch{Resources: globs{"ord*", "users"}}, input: twoResources, restricting: true, relaxing: true},
		"the score itself":       {match: v1alpha1.RuleMatch{MinRiskScore: "5.3"}, restricting: true, relaxing: true},
		"a higher score":         {match: v1alpha1.RuleMatch{MinRiskScore: "5.4"}},
		"all of it": {match: v1alpha1.RuleMatch{ActionTypes: globs{"database_*"}, Agents: selector("data"),
			Environments: []v1alpha1.Environment{"sandbox"}, DataClassifications: []v1alpha1.DataClassification{"pii"},
			Resources: globs{"users"}, MinRiskScore: "1"}, restricting: true, relaxing: true},
		"all but one": {match: v1alpha1.RuleMatch{ActionTypes: globs{"database_*"}, Agents: selector("data"),
			Environments: []v1alpha1.Environment{"sandbox"}, DataClassifications: []v1alpha1.DataClassification{"pii"},
			Resources: globs{"users"}, MinRiskScore: "9"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for kind, want := range map[string]struct {
				edit func(*v1alpha1.SmartRule)
				want bool
			}{
				"Deny":            {effect(v1alpha1.EffectDeny), test.restricting},
				"RequireApproval": {effect(v1alpha1.EffectRequireApproval), test.restricting},
				"raising":         {adjust("+1.0"), test.restricting},
				"Allow":           {effect(v1alpha1.EffectAllow), test.relaxing},
				"lowering":        {adjust("-1.0"), test.relaxing},
			} {
				in := asked(t, bulkDelete)
				if test.input != nil {
					test.input(&in)
				}
				got := only(t, in, rule("r", want.edit, covers(test.match))) != nil
				if got != want.want {
					t.Errorf("%s: matched %v, want %v", kind, got, want.want)
				}
			}
		})
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) *time.Time { v := evaluated.Add(d); return &v }
	for name, test := range map[string]struct {
		from, to *time.Time
		matches  bool
		change   *time.Time
	}{
		"no window":             {matches: true},
		"began just now":        {from: at(0), matches: true},
		"begins in a moment":    {from: at(time.Nanosecond), change: at(time.Nanosecond)},
		"ends just now":         {to: at(0)},
		"ends in a moment":      {to: at(time.Nanosecond), matches: true, change: at(time.Nanosecond)},
		"within":                {from: at(-time.Hour), to: at(time.Hour), matches: true, change: at(time.Hour)},
		"before, with both":     {from: at(time.Hour), to: at(2 * time.Hour), change: at(time.Hour)},
		"after, with both":      {from: at(-2 * time.Hour), to: at(-time.Hour)},
		"begun, without an end": {from: at(-time.Hour), matches: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, kind := range []func(*v1alpha1.SmartRule){effect(v1alpha1.EffectDeny), adjust("+1.0")} {
				adjustments, effects := evaluate(t, asked(t, bulkDelete), nil, indexed(rule("r", kind, during(test.from, test.to))))
				if got := len(adjustments.Matched)+len(effects.Matched) == 1; got != test.matches {
					t.Errorf("matched %v, want %v", got, test.matches)
				}
				want := time.Time{}
				if test.change != nil {
					want = *test.change
				}
				got := adjustments.NextChange
				if got.IsZero() {
					got = effects.NextChange
				}
				if !got.Equal(want) {
					t.Errorf("NextChange is %v, want %v", got, want)
				}
			}
		})
	}
}

func TestNextChangeIsTheEarliestOfCoveringRules(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) *time.Time { v := evaluated.Add(d); return &v }
	_, got := evaluate(t, asked(t, bulkDelete), nil, indexed(
		rule("late", during(at(3*time.Hour), nil)),
		rule("early", during(nil, at(2*time.Hour))),
		rule("false", during(nil, at(time.Hour)), when("false")),
		rule("elsewhere", during(at(time.Minute), nil), covers(v1alpha1.RuleMatch{ActionTypes: []v1alpha1.Glob{"other"}})),
		rule("disabled", during(at(time.Minute), nil), mode(v1alpha1.RuleDisabled)),
	))
	if want := evaluated.Add(time.Hour); !got.NextChange.Equal(want) {
		t.Errorf("NextChange is %v, want %v", got.NextChange, want)
	}
}
