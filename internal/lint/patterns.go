// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
)

// uselessActionTypes warns of patterns that match no action type there can be;
// all says what follows when none of them does.
func (f *findings) uselessActionTypes(path string, patterns []v1alpha1.Glob, all string) {
	f.useless(path, patterns, all, match.Glob.WhyNoActionType)
}

// uselessAgents warns of patterns that match the name of no Agent there can be.
func (f *findings) uselessAgents(path string, of *v1alpha1.AgentMatch, all string) {
	if of != nil {
		f.useless(path+".names", of.Names, all, match.Glob.WhyNoAgent)
	}
}

// blank warns of patterns that match nothing because they are blank.
func (f *findings) blank(path string, patterns []v1alpha1.Glob, all string) {
	f.useless(path, patterns, all, func(g match.Glob) string {
		if g.String() == "" {
			return "it is blank"
		}
		return ""
	})
}

// useless warns of the first pattern that matches nothing, and of how many do.
func (f *findings) useless(path string, patterns []v1alpha1.Glob, all string, why func(match.Glob) string) {
	first, reason, count := -1, "", 0
	for i, p := range patterns {
		no := why(match.NewGlob(string(p)))
		if no == "" {
			continue
		}
		count++
		if first < 0 {
			first, reason = i, no
		}
	}
	if count == 0 {
		return
	}
	text := fmt.Sprintf("%s can never match: %s", quoted(string(patterns[first])), reason)
	switch {
	case count == len(patterns):
		text += "; " + all
	case count > 1:
		text += fmt.Sprintf("; nor can %d more of these patterns", count-1)
	}
	f.add(NeverMatches, indexed(path, first), "%s", text)
}
