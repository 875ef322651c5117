// SPDX-License-Identifier: Apache-2.0

package match_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
)

func TestFactsCoverage(t *testing.T) {
	t.Parallel()
	type want struct{ restricting, relaxing bool }
	globs := match.NewGlobs[string]
	resources := func(patterns []string) func(*match.Facts, match.Sense) bool {
		return func(f *match.Facts, s match.Sense) bool { return f.CoversResources(globs(patterns), s) }
	}
	classifications := func(words ...string) func(*match.Facts, match.Sense) bool {
		return func(f *match.Facts, s match.Sense) bool { return f.CoversClassifications(words, s) }
	}
	environments := func(words ...string) func(*match.Facts, match.Sense) bool {
		return func(f *match.Facts, s match.Sense) bool { return f.CoversEnvironments(words, s) }
	}
	both, neither, onlyRestricting := want{true, true}, want{}, want{restricting: true}
	for name, test := range map[string]struct {
		facts  match.Facts
		covers func(*match.Facts, match.Sense) bool
		want   want
	}{
		"no resources are asked for":          {match.Facts{}, resources(nil), both},
		"the only resource":                   {match.Facts{Resources: []string{"users"}}, resources([]string{"user*"}), both},
		"one of two resources":                {match.Facts{Resources: []string{"users", "log"}}, resources([]string{"users"}), onlyRestricting},
		"both resources, by several globs":    {match.Facts{Resources: []string{"users", "log"}}, resources([]string{"users", "l?g"}), both},
		"another resource":                    {match.Facts{Resources: []string{"log"}}, resources([]string{"users"}), neither},
		"no resource is known":                {match.Facts{ResourceUnknown: true}, resources([]string{"users"}), onlyRestricting},
		"others besides the one":              {match.Facts{Resources: []string{"users"}, ResourceUnknown: true}, resources([]string{"users"}), onlyRestricting},
		"no resource at all":                  {match.Facts{}, resources([]string{"*"}), neither},
		"no classifications are asked for":    {match.Facts{ClassificationUnknown: true}, classifications(), both},
		"the only classification":             {match.Facts{Classifications: []string{"pii"}}, classifications("pii", "phi"), both},
		"one of two classifications":          {match.Facts{Classifications: []string{"pii", "public"}}, classifications("public"), onlyRestricting},
		"another classification":              {match.Facts{Classifications: []string{"public"}}, classifications("pii"), neither},
		"the classification is unknown":       {match.Facts{ClassificationUnknown: true}, classifications("pii"), onlyRestricting},
		"claimed, but it may be anything":     {match.Facts{Classifications: []string{"public"}, ClassificationUnknown: true}, classifications("public"), onlyRestricting},
		"no classification at all":            {match.Facts{}, classifications("pii"), neither},
		"no environments are asked for":       {match.Facts{Environments: []string{""}}, environments(), both},
		"the only environment":                {match.Facts{Environments: []string{"sandbox"}}, environments("sandbox", "test"), both},
		"one of two environments":             {match.Facts{Environments: []string{"production", "sandbox"}}, environments("sandbox"), onlyRestricting},
		"another environment":                 {match.Facts{Environments: []string{"sandbox"}}, environments("production"), neither},
		"an environment that cannot be read":  {match.Facts{Environments: []string{"sandbox", ""}}, environments("staging"), onlyRestricting},
		"no environment":                      {match.Facts{}, environments("production"), onlyRestricting},
		"an unknown word may be production":   {match.Facts{Environments: []string{"prd"}}, environments("production"), onlyRestricting},
		"an unknown word is not staging":      {match.Facts{Environments: []string{"prd"}}, environments("staging"), neither},
		"an unknown word, by its own name":    {match.Facts{Environments: []string{"prd"}}, environments("prd"), both},
		"a known word is not production":      {match.Facts{Environments: []string{"development"}}, environments("production"), neither},
		"known words, none of them asked for": {match.Facts{Environments: []string{"test", "staging"}}, environments("sandbox"), neither},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := want{test.covers(&test.facts, match.Restricting), test.covers(&test.facts, match.Relaxing)}
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestFactsCoverActionAndAgent(t *testing.T) {
	t.Parallel()
	facts := match.Facts{ActionType: "database_read", Agent: "tutorial", AgentLabels: map[string]string{"team": "data"}}
	for pattern, want := range map[string]bool{"database_*": true, "DATABASE_READ": true, "database_write": false} {
		if got := facts.CoversAction(match.NewGlobs([]string{pattern})); got != want {
			t.Errorf("action type %s: got %v, want %v", pattern, got, want)
		}
	}
	if !facts.CoversAction(nil) {
		t.Error("no action types must cover all")
	}
	for team, want := range map[string]bool{"data": true, "sales": false} {
		selector, err := match.NewAgent(&v1alpha1.AgentMatch{
			Names: []v1alpha1.Glob{"tut*"}, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": team}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := facts.CoversAgent(selector); got != want {
			t.Errorf("agents of team %s: got %v, want %v", team, got, want)
		}
	}
}

// What relaxes never covers more than what restricts, whatever is known.
func TestRelaxingNeverCoversMore(t *testing.T) {
	t.Parallel()
	words := [][]string{nil, {""}, {"a"}, {"a", "b"}, {"production"}, {"sandbox", "zzz"}}
	for _, have := range words {
		for _, listed := range words {
			for _, unknown := range []bool{false, true} {
				f := match.Facts{Environments: have, Classifications: have, ClassificationUnknown: unknown, Resources: have, ResourceUnknown: unknown}
				globs := match.NewGlobs(listed)
				if f.CoversEnvironments(listed, match.Relaxing) && !f.CoversEnvironments(listed, match.Restricting) ||
					f.CoversClassifications(listed, match.Relaxing) && !f.CoversClassifications(listed, match.Restricting) ||
					f.CoversResources(globs, match.Relaxing) && !f.CoversResources(globs, match.Restricting) {
					t.Errorf("%v against %v, unknown %v: relaxing covers more", have, listed, unknown)
				}
			}
		}
	}
}
