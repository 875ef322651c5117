// SPDX-License-Identifier: Apache-2.0

package match

import "slices"

// Globs are several patterns, any of which may match.
type Globs []Glob

// NewGlobs compiles patterns; no patterns give nil.
func NewGlobs[S ~string](patterns []S) Globs {
	if len(patterns) == 0 {
		return nil
	}
	globs := make(Globs, len(patterns))
	for i, p := range patterns {
		globs[i] = NewGlob(string(p))
	}
	return globs
}

// Match says whether any pattern covers the folded name.
func (gs Globs) Match(name string) bool {
	for _, g := range gs {
		if g.Match(name) {
			return true
		}
	}
	return false
}

// MatchAny says whether any pattern covers any of the folded names.
func (gs Globs) MatchAny(names []string) bool {
	return slices.ContainsFunc(names, gs.Match)
}

// MatchAll says whether there are names and each is covered by some pattern.
func (gs Globs) MatchAll(names []string) bool {
	for _, n := range names {
		if !gs.Match(n) {
			return false
		}
	}
	return len(names) > 0
}
