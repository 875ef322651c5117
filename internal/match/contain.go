// SPDX-License-Identifier: Apache-2.0

package match

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
)

// Contains says whether the pattern certainly covers every name that the other
// covers. Where it says no, it may still do so: patterns with a `?` in the one
// and a `*` in the other are compared by their text only. It takes the time of
// one Match.
func (g Glob) Contains(other Glob) bool {
	if g.pattern == other.pattern || g.pattern == "*" {
		return true
	}
	if strings.Contains(g.pattern, "?") && strings.Contains(other.pattern, "*") {
		return false
	}
	// The wildcards of the other stand for themselves here. Without a `?`, only
	// a star can cover them, and it then covers whatever stands in their place.
	// A `?` covers one character, and one that stands in the place of a `?` too.
	return g.Match(other.pattern)
}

// Contains says whether the patterns certainly cover every name that the
// others cover; nil stands for all names on either side.
func (gs Globs) Contains(others Globs) bool {
	if gs == nil {
		return true
	}
	if others == nil {
		return slices.ContainsFunc(gs, func(g Glob) bool { return g.pattern == "*" })
	}
	for _, other := range others {
		if !slices.ContainsFunc(gs, func(g Glob) bool { return g.Contains(other) }) {
			return false
		}
	}
	return true
}

// Effort is what Contains may take, in comparisons of plain patterns; one with
// a `?` counts 64 times.
func (gs Globs) Effort(others Globs) int {
	const slow = 64
	effort := len(gs) * len(others)
	if slices.ContainsFunc(gs, func(g Glob) bool { return strings.Contains(g.pattern, "?") }) {
		effort *= slow
	}
	return effort
}

// Contains says whether the selector certainly covers every agent that the
// other covers. Label selectors are compared requirement by requirement, by
// their text.
func (a Agent) Contains(other Agent) bool {
	if !a.names.Contains(other.names) {
		return false
	}
	if a.selector == nil {
		return true
	}
	if other.selector == nil {
		return a.selector.Empty()
	}
	mine, selectable := a.selector.Requirements()
	theirs, theirsSelectable := other.selector.Requirements()
	if !selectable || !theirsSelectable {
		return false
	}
	known := make(map[string]bool, len(theirs))
	for _, r := range theirs {
		known[r.String()] = true
	}
	return !slices.ContainsFunc(mine, func(r labels.Requirement) bool { return !known[r.String()] })
}

// alphabet says which names there can be of a kind.
type alphabet struct {
	what  string
	inner string // besides lower-case letters and digits
	most  int    // characters
}

// The names that globs are held against. Source: the schema of
// AgentActionSpec.ActionType, and RFC 1123 as Kubernetes reads it for names of objects.
var (
	actionTypeNames = alphabet{"an action type", "_.:/-", 128}
	objectNames     = alphabet{"the name of an Agent", "-.", 253}
)

// WhyNoActionType says why the pattern can match no action type that the
// schema takes; empty where it may match one.
func (g Glob) WhyNoActionType() string { return actionTypeNames.whyNone(g) }

// WhyNoAgent says why the pattern can match no name of an Agent; empty where
// it may match one.
func (g Glob) WhyNoAgent() string { return objectNames.whyNone(g) }

// WhyNoActionType says why none of the patterns can match an action type;
// empty where one may, and where there are none, which stands for all.
func (gs Globs) WhyNoActionType() string { return gs.whyNone(Glob.WhyNoActionType) }

// WhyNoAgent says why none of the patterns can match the name of an Agent;
// empty where one may, and where there are none, which stands for all.
func (gs Globs) WhyNoAgent() string { return gs.whyNone(Glob.WhyNoAgent) }

func (gs Globs) whyNone(of func(Glob) string) (why string) {
	for _, g := range gs {
		if why = of(g); why == "" {
			return ""
		}
	}
	return why
}

func (a alphabet) whyNone(g Glob) string {
	const ends = "abcdefghijklmnopqrstuvwxyz0123456789"
	if g.pattern == "" {
		return "it is blank, and " + a.what + " never is"
	}
	runes := []rune(g.pattern)
	least := 0
	for i, r := range runes {
		switch {
		case r == '*':
			continue
		case r == '?':
		case !strings.ContainsRune(ends+a.inner, r):
			return a.what + " has only lower-case letters, digits and " + strings.Join(strings.Split(a.inner, ""), " ")
		case (i == 0 || i == len(runes)-1) && !strings.ContainsRune(ends, r):
			return a.what + " begins and ends with a letter or a digit"
		}
		least++
	}
	if least > a.most {
		return "it is longer than " + a.what + " can be"
	}
	return ""
}
