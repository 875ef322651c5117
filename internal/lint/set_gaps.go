// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"iter"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// gaps tell for which scores no workflow is ever chosen: once for all
// namespaces that have no selectors of their own, and once for each that has.
func (s *survey) gaps() []Found {
	if len(s.namespaces) == 0 {
		return nil
	}
	global := s.Snapshot.Namespace(v1alpha1.GlobalNamespace).Workflows
	out := gap(v1alpha1.GlobalNamespace, "", global.All())
	for _, name := range s.namespaces {
		own := s.Snapshot.Namespace(name).Workflows
		if name == v1alpha1.GlobalNamespace || !hasSelector(own) {
			continue
		}
		out = append(out, gap(name, " of namespace "+name, func(yield func(*approval.Workflow) bool) {
			for _, set := range []*approval.Set{global, own} {
				for w := range set.All() {
					if !yield(w) {
						return
					}
				}
			}
		})...)
	}
	return out
}

func hasSelector(set *approval.Set) bool {
	for w := range set.All() {
		if w.Spec().Selector != nil {
			return true
		}
	}
	return false
}

// gap is what to say where no selector covers some scores; nothing where all
// are covered by one.
func gap(namespace, whose string, workflows iter.Seq[*approval.Workflow]) []Found {
	var covered [risk.MaxScore + 1]bool
	for w := range workflows {
		for score := risk.MinScore; score <= risk.MaxScore; score++ {
			covered[score] = covered[score] || w.CoversScore(score)
		}
	}
	var ranges []string
	for score := risk.MinScore; score <= risk.MaxScore; score++ {
		if covered[score] {
			continue
		}
		from := score
		for score < risk.MaxScore && !covered[score+1] {
			score++
		}
		ranges = append(ranges, rangeOf(from, score))
	}
	if len(ranges) == 0 {
		return nil
	}
	return []Found{{Namespace: namespace, Finding: Finding{
		Code: Gap, Severity: Info, Path: "spec.selector",
		Message: fmt.Sprintf("no ApprovalWorkflow%s has a selector that covers %s; an action with such a score is pending until one person with the verb approve agrees, "+
			"unless a rule decides or its agent names a workflow", whose, strings.Join(ranges, ", ")),
	}}}
}

// rangeOf says which scores, and of which levels.
func rangeOf(from, to risk.Score) string {
	if from == risk.MinScore && to == risk.MaxScore {
		return "any score"
	}
	levels := string(from.Level())
	if to.Level() != from.Level() {
		levels += " to " + string(to.Level())
	}
	return fmt.Sprintf("scores from %s to %s (%s)", from, to, levels)
}
