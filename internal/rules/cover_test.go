// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func TestCovers(t *testing.T) {
	t.Parallel()
	types := func(globs ...v1alpha1.Glob) func(*v1alpha1.SmartRule) {
		return covers(v1alpha1.RuleMatch{ActionTypes: globs})
	}
	score := covers(v1alpha1.RuleMatch{MinRiskScore: "5.0"})
	anything := covers(v1alpha1.RuleMatch{Resources: []v1alpha1.Glob{"*"}})
	type edits = []func(*v1alpha1.SmartRule)
	allow := effect(v1alpha1.EffectAllow)
	for name, c := range map[string]struct {
		outer, inner edits
		want         bool
	}{
		"more types":                      {edits{types("db_*")}, edits{types("db_read")}, true},
		"fewer types":                     {edits{types("db_read")}, edits{types("db_*")}, false},
		"what restricts, what relaxes":    {nil, edits{allow}, true},
		"what relaxes, what restricts":    {edits{allow}, nil, false},
		"what relaxes, what relaxes":      {edits{allow}, edits{allow, types("db_*")}, true},
		"what relaxes, named resources":   {edits{allow, anything}, edits{allow}, false},
		"what relaxes, resources of both": {edits{allow, anything}, edits{allow, covers(v1alpha1.RuleMatch{Resources: []v1alpha1.Glob{"a"}})}, true},
		"what restricts, any resource":    {edits{anything}, edits{allow}, true},
		"one with conditions":             {edits{when("true")}, nil, false},
		"one that ends first":             {edits{window(-1, 2)}, edits{window(-1, 3)}, false},
		"one of another namespace":        {edits{elsewhere}, nil, false},
		"an adjustment of the same score": {edits{adjust("+1.0"), score}, edits{adjust("+1.0"), score}, false},
		"an adjustment by another score":  {edits{adjust("+1.0"), score}, edits{score}, false},
		"an adjustment of every score":    {edits{adjust("+1.0")}, edits{score}, true},
	} {
		outer, inner := shared().Compile(rule("outer", c.outer...)), shared().Compile(rule("z-inner", c.inner...))
		if got := outer.Covers(inner, evaluated); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}

func TestRepeats(t *testing.T) {
	t.Parallel()
	type edits = []func(*v1alpha1.SmartRule)
	asks := effect(v1alpha1.EffectRequireApproval)
	for name, c := range map[string]struct {
		outer, inner edits
		same, want   bool
	}{
		"the same":            {edits{asks}, edits{asks}, true, true},
		"other people":        {edits{asks}, edits{asks}, false, false},
		"another effect":      {nil, edits{asks}, true, false},
		"reported after":      {edits{asks, priority(1)}, edits{asks}, true, false},
		"one that may fail":   {edits{asks}, edits{asks, when("risk.score > 1.0")}, true, false},
		"one that is broken":  {edits{asks}, edits{asks, mode("Odd")}, true, false},
		"another that is not": {edits{asks, mode("Odd")}, edits{asks}, true, false},
		"less":                {edits{asks, window(-1, 1)}, edits{asks}, true, false},
	} {
		outer, inner := shared().Compile(rule("outer", c.outer...)), shared().Compile(rule("z-inner", c.inner...))
		found := inner.Repeats(slices.Values([]*Rule{inner, outer}), evaluated, func(*Rule) bool { return c.same })
		if (found == outer) != c.want || (found == nil) == c.want {
			t.Errorf("%s: found %v, want %t", name, found, c.want)
		}
	}
	long := make([]v1alpha1.Glob, 64)
	for i := range long {
		long[i] = v1alpha1.Glob(string(rune('a'+i%26)) + "?*" + string(rune('a'+i/26)))
	}
	wide := covers(v1alpha1.RuleMatch{ActionTypes: long})
	outer, inner := shared().Compile(rule("outer", asks, wide)), shared().Compile(rule("z-inner", asks, wide))
	if found := inner.Repeats(slices.Values(slices.Repeat([]*Rule{outer}, 10)), evaluated, func(*Rule) bool { return false }); found != nil {
		t.Error("the search is bounded")
	}
}

func TestNeverTrueTogether(t *testing.T) {
	t.Parallel()
	from7 := covers(v1alpha1.RuleMatch{MinRiskScore: "7.0"})
	deletes := covers(v1alpha1.RuleMatch{ActionTypes: []v1alpha1.Glob{"db_delete", "DB_Drop"}})
	globs := covers(v1alpha1.RuleMatch{ActionTypes: []v1alpha1.Glob{"db_delete", "db_*"}})
	none := func(*v1alpha1.SmartRule) {}
	for name, c := range map[string]struct {
		edit       func(*v1alpha1.SmartRule)
		conditions []string
		want       []string
	}{
		"a level below the match":       {from7, []string{"risk.level == 'Medium'"}, []string{"c0"}},
		"a level that the match leaves": {from7, []string{"risk.level == 'High'"}, nil},
		"a level that there is not":     {none, []string{"risk.level == 'high'"}, []string{"c0"}},
		"a score beyond all":            {none, []string{"risk.score > 10.0"}, []string{"c0"}},
		"a whole number":                {none, []string{"risk.score > 10"}, []string{"c0"}},
		"a whole number that is there":  {none, []string{"risk.score >= 10"}, nil},
		"an exact score":                {none, []string{"risk.score == 5.3"}, nil},
		"a score between two":           {none, []string{"risk.score > 5.3 && risk.score < 5.4"}, []string{"c0"}},
		"each against the other":        {none, []string{"true", "risk.score > 5.0", "risk.level == 'Low'"}, []string{"c1", "c2"}},
		"a list":                        {from7, []string{"risk.level in ['Low', 'Medium']"}, []string{"c0"}},
		"a list with one":               {from7, []string{"risk.level in ['Low', 'High']"}, nil},
		"a list with what is not known": {from7, []string{"risk.level in ['Low', action.name]"}, nil},
		"a list that is a field":        {none, []string{"risk.level in risk.environments"}, nil},
		"what is not known in a list":   {none, []string{"action.name in ['a']"}, nil},
		"types that it does not cover":  {deletes, []string{"action.actionType == 'db_read'"}, []string{"c0"}},
		"types that it covers":          {deletes, []string{"action.actionType == 'db_drop'"}, nil},
		"types by their beginning":      {deletes, []string{"action.actionType.startsWith('file_')"}, []string{"c0"}},
		"types by their end":            {deletes, []string{"action.actionType.endsWith('_read')"}, []string{"c0"}},
		"types by a part":               {deletes, []string{"action.actionType.contains('x')"}, []string{"c0"}},
		"types by another function":     {deletes, []string{"action.actionType.matches('x')"}, nil},
		"a function of more":            {deletes, []string{"action.actionType.lowerAscii() == 'x'"}, nil},
		"what is not known by a part":   {deletes, []string{"action.name.contains('x')"}, nil},
		"types by patterns":             {globs, []string{"action.actionType == 'file_read'"}, nil},
		"whether there is a field":      {none, []string{"has(action.parameters.n)"}, nil},
		"within a loop":                 {none, []string{"action.resources.exists(risk, risk == 'x')"}, nil},
		"never by itself":               {none, []string{"false", "risk.score > 10.0"}, nil},
		"no conditions":                 {from7, nil, nil},
		"broken":                        {mode("Odd"), []string{"risk.score > 10.0"}, nil},
	} {
		r := shared().Compile(rule("r", c.edit, when(c.conditions...)))
		if (r.Err() != nil) != (name == "broken") {
			t.Fatalf("%s: %v", name, r.Err())
		}
		if got := r.NeverTrueTogether(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	many := make([]v1alpha1.Glob, 64)
	for i := range many {
		many[i] = v1alpha1.Glob("a" + string(rune('a'+i%26)) + string(rune('a'+i/26)))
	}
	r := shared().Compile(rule("r", covers(v1alpha1.RuleMatch{ActionTypes: many}), when("risk.score > 10.0")))
	if got := r.NeverTrueTogether(); got != nil {
		t.Errorf("the search is bounded, but found %v", got)
	}
}
