// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"strings"

	"github.com/ow-kai/ascend-operator/internal/match"
)

// maxSteps bounds what it takes to compare patterns, so that no set of them
// takes more than a moment. What is not compared counts as meeting.
const maxSteps = 1 << 22

// disjoint says whether certainly no name is covered by both lists of patterns;
// nil stands for all names.
func disjoint(a, b match.Globs) bool {
	if a == nil || b == nil {
		return false
	}
	left := maxSteps
	for _, one := range a {
		for _, other := range b {
			if left -= 1 + len(one.String())*len(other.String()); left < 0 || meet(one, other) {
				return false
			}
		}
	}
	return true
}

// meet says whether some name is covered by both patterns. It holds every place
// in the one against every place in the other.
func meet(a, b match.Glob) bool {
	switch {
	case b.Exact():
		return a.Match(b.String())
	case a.Exact():
		return b.Match(a.String())
	case !strings.HasPrefix(a.Prefix(), b.Prefix()) && !strings.HasPrefix(b.Prefix(), a.Prefix()):
		return false
	}
	one, other := []rune(a.String()), []rune(b.String())
	// from[j] says whether what follows in one meets other[j:].
	from := make([]bool, len(other)+1)
	for i := len(one); i >= 0; i-- {
		next := make([]bool, len(other)+1)
		for j := len(other); j >= 0; j-- {
			next[j] = meetAt(one[i:], other[j:], j, from, next)
		}
		from = next
	}
	return from[0]
}

// meetAt says whether the rests of two patterns meet. from has the answers for
// the rest of the first without its first character, at has those with it.
func meetAt(one, other []rune, j int, from, at []bool) bool {
	switch {
	case starred(one):
		return from[j] || len(other) > 0 && at[j+1]
	case starred(other):
		return at[j+1] || len(one) > 0 && from[j]
	case len(one) == 0 || len(other) == 0:
		return len(one) == len(other)
	default:
		return (one[0] == other[0] || one[0] == '?' || other[0] == '?') && from[j+1]
	}
}

func starred(pattern []rune) bool { return len(pattern) > 0 && pattern[0] == '*' }
