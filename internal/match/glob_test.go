// SPDX-License-Identifier: Apache-2.0

package match_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/ow-kai/ascend-operator/internal/match"
)

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"database_read", "database_read", true},
		{"database_read", "database_reads", false},
		{"database_read", "database_rea", false},
		{"Database_Read ", "database_read", true},
		{"*", "", true}, {"*", "anything/at all", true}, {"**", "", true}, {"", "", true}, {"", "a", false},
		{"?", "", false}, {"?", "a", true}, {"?", "é", true}, {"?", "ab", false}, {"??", "é", false}, {"*?", "é", true}, {"?*?", "é", false},
		{"secrets/*", "secrets/a/b", true}, {"secrets/*", "secrets/", true}, {"secrets/*", "secrets", false},
		{"*_delete", "user_delete", true}, {"*_delete", "_delete", true}, {"*_delete", "user_deleted", false},
		{"a*b*c", "abc", true}, {"a*b*c", "a-b-b-c", true}, {"a*b*c", "acb", false}, {"a*b*c", "ac", false},
		{"a*a", "a", false}, {"a*a", "aa", true}, {"*ab*ab", "ab", false}, {"*ab*ab", "abab", true},
		{"*a?c*", "xxabcxx", true}, {"*a?c*", "acc", true}, {"*a?c*", "ac", false}, {"*a??", "aab", true}, {"*?a", "aa", true}, {"*a?", "éa", false},
		{"a?c", "abc", true}, {"a?c", "a/c", true}, {"a?c", "ac", false}, {"a?c*", "abd", false}, {"?a", "b", false},
		{"kunden*", "kundenübersicht", true}, {"*ü*", "kundenübersicht", true}, {"*ü?ersicht", "kundenübersicht", true},
		{"[a-z]", "b", false}, {"[a-z]", "[a-z]", true}, {`a\*`, "a*", false}, {`a\*`, `a\b`, true}, {"a.c", "abc", false}, {"{a,b}", "a", false},
	} {
		if got := match.NewGlob(c.pattern).Match(c.name); got != c.want {
			t.Errorf("%q matches %q: %t, want %t", c.pattern, c.name, got, c.want)
		}
	}
	if !new(match.Glob).Match("") || new(match.Glob).Match("a") {
		t.Error("the zero Glob matches only the empty name")
	}
}

func TestGlobParts(t *testing.T) {
	for _, want := range []struct {
		pattern, text, prefix string
		literals              int
		exact                 bool
	}{
		{" Database_* ", "database_*", "database_", 9, false},
		{"a?c", "a?c", "a", 2, false},
		{"exact", "exact", "exact", 5, true},
		{"*", "*", "", 0, false},
		{"", "", "", 0, true},
	} {
		g := match.NewGlob(want.pattern)
		if g.String() != want.text || g.Prefix() != want.prefix || g.Literals() != want.literals || g.Exact() != want.exact {
			t.Errorf("%q: %q %q %d %t, want %+v", want.pattern, g.String(), g.Prefix(), g.Literals(), g.Exact(), want)
		}
	}
}

func TestGlobs(t *testing.T) {
	gs := match.NewGlobs([]string{"customers*", "crm/*"})
	for name, c := range map[string]struct {
		names    []string
		any, all bool
	}{
		"none":    {nil, false, false},
		"one":     {[]string{"customers_2024"}, true, true},
		"all":     {[]string{"customers", "crm/a"}, true, true},
		"some":    {[]string{"orders", "crm/a"}, true, false},
		"another": {[]string{"orders"}, false, false},
	} {
		if gs.MatchAny(c.names) != c.any || gs.MatchAll(c.names) != c.all {
			t.Errorf("%s: any %t, all %t", name, gs.MatchAny(c.names), gs.MatchAll(c.names))
		}
	}
	if match.NewGlobs([]string{}) != nil || match.NewGlobs[string](nil) != nil {
		t.Error("no patterns are not nil")
	}
	if match.Globs(nil).Match("a") || match.Globs(nil).MatchAny([]string{"a"}) || match.Globs(nil).MatchAll([]string{"a"}) {
		t.Error("no patterns match something")
	}
}

func TestFold(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{" Public ", "public"}, {"PUBLIC\u00a0", "public"}, {"\tÄ\n", "ä"}, {"a\xffb", "a\ufffdb"}, {"\u212aelvin", "kelvin"}, {"", ""},
	} {
		if got := match.Fold(c.text); got != c.want {
			t.Errorf("Fold(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

// reference is a slow matcher that is easy to believe: by the first character
// of the pattern, it tries everything.
func reference(pattern, name []rune) bool {
	switch {
	case len(pattern) == 0:
		return len(name) == 0
	case pattern[0] == '*':
		return reference(pattern[1:], name) || len(name) > 0 && reference(pattern, name[1:])
	default:
		return len(name) > 0 && (pattern[0] == '?' || pattern[0] == name[0]) && reference(pattern[1:], name[1:])
	}
}

func TestGlobIsTheReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab?*é]{0,8}`).Draw(t, "pattern")
		name := rapid.StringMatching(`[abé]{0,10}`).Draw(t, "name")
		if got, want := match.NewGlob(pattern).Match(name), reference([]rune(pattern), []rune(name)); got != want {
			t.Fatalf("%q matches %q: %t, want %t", pattern, name, got, want)
		}
	})
}

func FuzzGlob(f *testing.F) {
	for _, c := range [][2]string{{"a*b?c", "axxbyc"}, {"*é?", "éé"}, {"?*?", "ab"}, {"*ab*ab*", "abab"}, {"\xff*", "\xffa"}, {"İ*", "i̇x"}} {
		f.Add(c[0], c[1])
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		folded := match.Fold(name)
		if again := match.Fold(folded); again != folded || !utf8.ValidString(folded) {
			t.Fatalf("Fold(%q) = %q, folded again %q", name, folded, again)
		}
		if strings.Count(pattern, "*") > 6 || len(pattern) > 40 || len(name) > 40 {
			return // the reference would take forever
		}
		got := match.NewGlob(pattern).Match(folded)
		if want := reference([]rune(match.Fold(pattern)), []rune(folded)); got != want {
			t.Errorf("%q matches %q: %t, want %t", pattern, folded, got, want)
		}
	})
}

// Patterns that make other matchers take exponential or quadratic time.
var pathological = map[string]string{
	"stars":         strings.Repeat("*a", 128),
	"stars, no end": strings.Repeat("*a", 127) + "*b",
	"long segment":  "*" + strings.Repeat("a", 254) + "b",
	"questions":     "*" + strings.Repeat("?", 253) + "ab",
	"mixed":         strings.Repeat("*a?", 84) + "b",
	"middle":        "*" + strings.Repeat("a", 120) + "?b*" + strings.Repeat("a", 120) + "c",
}

// The longest pattern against the longest name that package request keeps, 4
// KiB: the worst takes a millisecond, and the limit is for machines that are
// busy with other things. A matcher that tries everything takes years.
func TestPathologicalGlobsTakeLittleTime(t *testing.T) {
	name := strings.Repeat("a", 4<<10)
	for what, pattern := range pathological {
		start := time.Now()
		match.NewGlob(pattern).Match(name)
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s took %s", what, took)
		}
	}
}

func BenchmarkGlob(b *testing.B) {
	cases := map[string][2]string{
		"exact": {"database_read", "database_read"}, "prefix": {"customers*", "customers_2024"}, "other": {"customers*", "orders"}, "suffix": {"*_delete", "user_delete"},
	}
	for what, pattern := range pathological {
		cases["pathological: "+what] = [2]string{pattern, strings.Repeat("a", 4096)}
	}
	for name, c := range cases {
		b.Run(name, func(b *testing.B) {
			g := match.NewGlob(c[0])
			b.ReportAllocs()
			for b.Loop() {
				g.Match(c[1])
			}
		})
	}
}
