// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ow-kai/ascend-operator/internal/match"
)

func TestMeet(t *testing.T) {
	t.Parallel()
	for patterns, want := range map[string]bool{
		"a b": false, "a a": true, "a *": true, "a* *b": true, "a* b*": false, "a?c abd": false, "a?c ab?": true,
		"db_* *_read": true, "db_*_x file_*": false, "*a *b": false, "a*b a*c": false, "a*é a?é": true, "? ??": false, "?* *?": true, "*?a* b?c": true, "*?a* b": false,
	} {
		a, b, _ := strings.Cut(patterns, " ")
		one, other := match.NewGlob(a), match.NewGlob(b)
		if meet(one, other) != want || meet(other, one) != want {
			t.Errorf("%s: want %t", patterns, want)
		}
	}
}

// Two patterns meet where some name is covered by both: here every name of few
// letters is tried.
func TestMeetIsExact(t *testing.T) {
	t.Parallel()
	names := []string{""}
	for from, length := 0, 0; length < 6; length++ {
		to := len(names)
		for _, name := range names[from:to] {
			names = append(names, name+"a", name+"b")
		}
		from = to
	}
	rapid.Check(t, func(rt *rapid.T) {
		a := match.NewGlob(rapid.StringMatching(`[ab?*]{0,4}`).Draw(rt, "a"))
		b := match.NewGlob(rapid.StringMatching(`[ab?*]{0,4}`).Draw(rt, "b"))
		want := false
		for _, name := range names {
			want = want || a.Match(name) && b.Match(name)
		}
		// A name that both cover need not be longer than both patterns together.
		if got := meet(a, b); got != want && (want || len(a.String())+len(b.String()) <= 6) {
			rt.Fatalf("%q and %q: %t, want %t", a, b, got, want)
		}
	})
}

func TestDisjoint(t *testing.T) {
	t.Parallel()
	globs := match.NewGlobs[string]
	if disjoint(nil, globs([]string{"a"})) || disjoint(globs([]string{"a"}), nil) || disjoint(globs([]string{"a", "b"}), globs([]string{"c", "b"})) {
		t.Error("these meet")
	}
	if !disjoint(globs([]string{"a", "b*"}), globs([]string{"c", "a?"})) {
		t.Error("these do not meet")
	}
	long := make([]string, 64)
	for i := range long {
		long[i] = strings.Repeat("*a?", 80) + string(rune('a'+i))
	}
	start := time.Now()
	if disjoint(globs(append([]string{"0"}, long...)), globs(append([]string{"1"}, long[1:]...))) {
		t.Error("what is not compared counts as meeting")
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}
