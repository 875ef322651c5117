// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"iter"
	"slices"

	"github.com/ow-kai/ascend-operator/internal/risk"
)

// All yields the workflows of the set, by name.
func (s *Set) All() iter.Seq[*Workflow] {
	if s == nil {
		return func(func(*Workflow) bool) {}
	}
	all := make([]*Workflow, 0, len(s.byName))
	for _, w := range s.byName {
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b *Workflow) int { return a.key.Compare(b.key) })
	return slices.Values(all)
}

// CoversScore says whether the selector leaves actions of that score. Without
// a selector there are none.
func (w *Workflow) CoversScore(score risk.Score) bool {
	return w.selector != nil && w.selector.coversScore(score)
}

// EclipsedBy returns workflows of the set because of which nothing is ever
// chosen through the selector of the receiver: whatever it covers, one of them
// is chosen in its place. None where that is not certain, or the receiver has
// no selector or covers no score.
func (w *Workflow) EclipsedBy(set *Set) []*Workflow {
	if set == nil || w.selector == nil || w.err != nil {
		return nil
	}
	var above []*Workflow
	left := comparisons
	for _, other := range set.chosen {
		if !other.precedes(w) {
			continue
		}
		if left -= w.selector.effort(other.selector); left < 0 {
			break
		}
		if other.takesAll(w) {
			above = append(above, other)
		}
	}
	return w.taken(above)
}

// taken are the workflows that it takes to cover each score of the receiver;
// none where they do not cover all.
func (w *Workflow) taken(above []*Workflow) []*Workflow {
	var out []*Workflow
	for score := risk.MinScore; score <= risk.MaxScore; score++ {
		if !w.CoversScore(score) || slices.ContainsFunc(out, func(o *Workflow) bool { return o.CoversScore(score) }) {
			continue
		}
		i := slices.IndexFunc(above, func(o *Workflow) bool { return o.CoversScore(score) })
		if i < 0 {
			return nil
		}
		out = append(out, above[i])
	}
	return out
}

// precedes says whether the receiver is taken before other where both cover an
// action for certain. See Set.Choose.
func (w *Workflow) precedes(other *Workflow) bool {
	switch {
	case w.key == other.key || w.err != nil:
		return false
	case w.spec.Priority != other.spec.Priority:
		return w.spec.Priority > other.spec.Priority
	case !other.autoApprove:
		return false // beside an equal, stages have to be passed
	default:
		return !w.autoApprove || w.key.Compare(other.key) < 0
	}
}

// takesAll says whether, but for the score, the receiver covers for certain
// whatever other is chosen for. One with stages is chosen where it may cover an
// action, so that only a selector of all environments is certain to cover that.
func (w *Workflow) takesAll(other *Workflow) bool {
	mine, theirs := w.selector, other.selector
	everywhere := len(mine.environments) == 0 ||
		other.autoApprove && len(theirs.environments) > 0 && !slices.ContainsFunc(theirs.environments, func(word string) bool { return !mine.hasPlace(word) })
	return everywhere && mine.actionTypes.Contains(theirs.actionTypes) && mine.agents.Contains(theirs.agents)
}
