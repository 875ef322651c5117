// SPDX-License-Identifier: Apache-2.0

// Package match says whether patterns cover names: globs over action types,
// resources and agents, and label selectors over agents.
package match

import (
	"strings"
	"unicode/utf8"
)

// Glob is a compiled pattern: `*` stands for any run of characters, `/`
// included, `?` for exactly one, everything else for itself. The zero Glob
// matches only the empty name. Matching never goes back behind a `*`: it takes
// time in proportion to the name, and where a `?` follows a `*` in the same
// pattern, to the name times the text between the stars.
type Glob struct {
	pattern string
	prefix  int // length of the literal text before the first wildcard
}

// NewGlob compiles a pattern. Case does not count: names must be folded by
// Fold before they are matched.
func NewGlob(pattern string) Glob {
	folded := Fold(pattern)
	prefix := strings.IndexAny(folded, "*?")
	if prefix < 0 {
		prefix = len(folded)
	}
	return Glob{pattern: folded, prefix: prefix}
}

// Fold brings names and patterns to the one form in which they are compared:
// no space around, lower case, valid UTF-8. Folding twice changes nothing.
func Fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// String returns the pattern as it is compared.
func (g Glob) String() string { return g.pattern }

// Exact says whether the pattern has no wildcard.
func (g Glob) Exact() bool { return g.prefix == len(g.pattern) }

// Prefix returns the literal text before the first wildcard.
func (g Glob) Prefix() string { return g.pattern[:g.prefix] }

// Literals is the number of bytes that are not wildcards; more is more specific.
func (g Glob) Literals() int {
	n := 0
	for i := range len(g.pattern) {
		if c := g.pattern[i]; c != '*' && c != '?' {
			n++
		}
	}
	return n
}

// Match says whether the pattern covers the whole of a folded name. `?` stands
// for one character, which may be several bytes.
func (g Glob) Match(name string) bool {
	if !strings.HasPrefix(name, g.pattern[:g.prefix]) {
		return false
	}
	if g.Exact() {
		return len(name) == g.prefix
	}
	return matchWild(g.pattern[g.prefix:], name[g.prefix:])
}

// matchWild takes the pattern apart at its stars. The first segment has to
// begin the name, the last one to end it, and of those between each takes the
// first place it finds: a later one can then always take what an earlier one
// could have left.
func matchWild(pattern, name string) bool {
	segment, rest, starred := strings.Cut(pattern, "*")
	taken, matches := matchStart(segment, name)
	if !starred || !matches {
		return matches && taken == len(name)
	}
	for {
		name = name[taken:]
		segment, rest, starred = strings.Cut(rest, "*")
		if !starred {
			return matchEnd(segment, name)
		}
		if taken = findSegment(segment, name); taken < 0 {
			return false
		}
	}
}

// matchStart matches a segment without stars at the start of a name and
// returns how many bytes of the name it takes.
func matchStart(segment, name string) (taken int, matches bool) {
	for i := range len(segment) {
		switch {
		case taken == len(name):
			return 0, false
		case segment[i] == '?':
			_, size := utf8.DecodeRuneInString(name[taken:])
			taken += size
		case segment[i] == name[taken]:
			taken++
		default:
			return 0, false
		}
	}
	return taken, true
}

// matchEnd says whether a segment without stars ends a name.
func matchEnd(segment, name string) bool {
	for i := len(segment) - 1; i >= 0; i-- {
		switch {
		case name == "":
			return false
		case segment[i] == '?':
			_, size := utf8.DecodeLastRuneInString(name)
			name = name[:len(name)-size]
		case segment[i] == name[len(name)-1]:
			name = name[:len(name)-1]
		default:
			return false
		}
	}
	return true
}

// findSegment returns the end of the first place in a name that a segment
// without stars matches, or -1.
func findSegment(segment, name string) int {
	if strings.IndexByte(segment, '?') < 0 {
		at := strings.Index(name, segment)
		if at < 0 {
			return -1
		}
		return at + len(segment)
	}
	for at := range name {
		if taken, matches := matchStart(segment, name[at:]); matches {
			return at + taken
		}
	}
	return -1
}
