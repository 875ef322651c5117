// SPDX-License-Identifier: Apache-2.0

package match_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
)

func TestGlobContains(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		outer, inner string
		want         bool
	}{
		"itself":                                 {"database_*", "database_*", true},
		"in another case":                        {"Database_*", "database_READ", true},
		"everything":                             {"*", "a?b*", true},
		"a longer prefix":                        {"database_*", "database_read*", true},
		"a shorter prefix":                       {"database_read*", "database_*", false},
		"an exact name":                          {"*_delete", "user_delete", true},
		"a star in the middle":                   {"*_delete", "db_*_delete", true},
		"an exact pattern covers no star":        {"a", "a*", false},
		"a question covers a letter":             {"a?", "ab", true},
		"a question covers a question":           {"a?", "a?", true},
		"a question covers no star":              {"a?", "a*", false},
		"a star covers questions":                {"a*", "a??", true},
		"a question covers more than one byte":   {"a?", "aé", true},
		"a letter covers no question":            {"ab", "a?", false},
		"a question and stars are not looked at": {"?*", "a*", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := match.NewGlob(c.outer).Contains(match.NewGlob(c.inner)); got != c.want {
				t.Errorf("%q contains %q: %t, want %t", c.outer, c.inner, got, c.want)
			}
		})
	}
}

// Containment is never claimed where a name speaks against it.
func TestWhatIsContainedMatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab?*é]{0,6}`)
		outer, inner := match.NewGlob(pattern.Draw(t, "outer")), match.NewGlob(pattern.Draw(t, "inner"))
		// A name made out of the inner pattern, so that it matches often.
		var name strings.Builder
		for _, r := range inner.String() {
			switch r {
			case '*':
				name.WriteString(rapid.StringMatching(`[abé]{0,3}`).Draw(t, "run"))
			case '?':
				name.WriteString(rapid.StringMatching(`[abé]`).Draw(t, "one"))
			default:
				name.WriteRune(r)
			}
		}
		if !inner.Match(name.String()) {
			t.Fatalf("%q does not match %q, which was made from it", inner, name.String())
		}
		if outer.Contains(inner) && !outer.Match(name.String()) {
			t.Fatalf("%q contains %q, but does not match %q", outer, inner, name.String())
		}
	})
}

func TestGlobsContain(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		outer, inner []string
		want         bool
	}{
		"all and all":            {nil, nil, true},
		"all and some":           {nil, []string{"a"}, true},
		"some and all":           {[]string{"a*"}, nil, false},
		"a star and all":         {[]string{"b", "*"}, nil, true},
		"each in one of them":    {[]string{"a*", "b*"}, []string{"b1", "a1", "a2"}, true},
		"one in none of them":    {[]string{"a*", "b*"}, []string{"a1", "c"}, false},
		"only in both together":  {[]string{"a", "b"}, []string{"?"}, false},
		"some and fewer of them": {[]string{"a", "b"}, []string{"b"}, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := match.NewGlobs(c.outer).Contains(match.NewGlobs(c.inner)); got != c.want {
				t.Errorf("%q contain %q: %t, want %t", c.outer, c.inner, got, c.want)
			}
		})
	}
}

func TestAgentContains(t *testing.T) {
	t.Parallel()
	agents := func(selector *metav1.LabelSelector, names ...v1alpha1.Glob) match.Agent {
		out, err := match.NewAgent(&v1alpha1.AgentMatch{Names: names, Selector: selector})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	labelled := func(pairs ...string) *metav1.LabelSelector {
		out := &metav1.LabelSelector{MatchLabels: map[string]string{}}
		for i := 0; i < len(pairs); i += 2 {
			out.MatchLabels[pairs[i]] = pairs[i+1]
		}
		return out
	}
	cases := map[string]struct {
		outer, inner match.Agent
		want         bool
	}{
		"all and all":           {match.Agent{}, match.Agent{}, true},
		"all and some":          {match.Agent{}, agents(labelled("a", "b"), "x"), true},
		"names":                 {agents(nil, "bot-*"), agents(nil, "bot-1"), true},
		"other names":           {agents(nil, "bot-*"), agents(nil, "app-1"), false},
		"labels and all":        {agents(labelled("a", "b")), agents(nil, "x"), false},
		"no labels and all":     {agents(labelled()), agents(nil, "x"), true},
		"the same labels":       {agents(labelled("a", "b")), agents(labelled("a", "b")), true},
		"more labels are fewer": {agents(labelled("a", "b")), agents(labelled("c", "d", "a", "b")), true},
		"fewer labels are more": {agents(labelled("a", "b", "c", "d")), agents(labelled("a", "b")), false},
		"other labels":          {agents(labelled("a", "b")), agents(labelled("a", "c")), false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.outer.Contains(c.inner); got != c.want {
				t.Errorf("contains: %t, want %t", got, c.want)
			}
		})
	}
}

func TestGlobsThatMatchNothing(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ pattern, actionType, agent string }{
		"a name":          {"database_read", "", "lower-case letters, digits and - ."},
		"a glob":          {"db*", "", ""},
		"questions":       {"??", "", ""},
		"upper case":      {"DB*", "", ""},
		"blanks around":   {" db ", "", ""},
		"only blanks":     {"  ", "is blank", "is blank"},
		"a blank inside":  {"database read", "lower-case letters, digits and _ . : / -", "lower-case"},
		"a comma":         {"a,b", "lower-case", "lower-case"},
		"a regex":         {"database_(read|write)", "lower-case", "lower-case"},
		"another letter":  {"größe", "lower-case", "lower-case"},
		"a dot at first":  {".read", "begins and ends", "begins and ends"},
		"a slash at last": {"db/", "begins and ends", "lower-case"},
		"a slash inside":  {"db/read", "", "lower-case"},
		"an open end":     {"db_*", "", "lower-case"},
		"too long":        {strings.Repeat("a", 129) + "*", "longer than", ""},
		"questions long":  {strings.Repeat("?", 254), "longer than", "longer than"},
		"stars":           {strings.Repeat("*", 256), "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := match.NewGlob(c.pattern)
			for _, got := range [][2]string{{g.WhyNoActionType(), c.actionType}, {g.WhyNoAgent(), c.agent}} {
				if (got[0] == "") != (got[1] == "") || !strings.Contains(got[0], got[1]) {
					t.Errorf("got %q, want one with %q", got[0], got[1])
				}
			}
		})
	}
}

func TestPathologicalGlobsAreComparedInLittleTime(t *testing.T) {
	t.Parallel()
	for what, pattern := range pathological {
		start := time.Now()
		for other := range pathological {
			match.NewGlob(pattern).Contains(match.NewGlob(pathological[other]))
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s took %s", what, took)
		}
	}
}
