// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"iter"
	"slices"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// comparisons bounds how many patterns are compared in search of a shadow, so
// that no set of rules takes more than a moment. What is not looked at counts
// as not shadowed.
const comparisons = 1 << 18

// Shadows says whether other certainly decides nothing because of the
// receiver, which has no conditions and covers, from now on, every action that
// other covers: because it denies them, without exceptions, or because other
// allows what it requires approval for. Where it says no, the receiver may
// still shadow the other.
func (r *Rule) Shadows(other *Rule, now time.Time) bool {
	return r.certain(now) && r.reaches(other) && r.beats(other) && r.lasts(other, now) && r.contains(other)
}

// ShadowOf returns the first of the rules that shadows the receiver, and nil
// where none is found.
func (r *Rule) ShadowOf(rules iter.Seq[*Rule], now time.Time) *Rule {
	left := comparisons
	for other := range rules {
		if !other.certain(now) || !other.reaches(r) || !other.beats(r) {
			continue
		}
		if left -= other.effort(r); left < 0 {
			return nil
		}
		if other.Shadows(r, now) {
			return other
		}
	}
	return nil
}

// Shadowed returns the first of the rules that the receiver shadows and how
// many it does; nil where none is found.
func (r *Rule) Shadowed(rules iter.Seq[*Rule], now time.Time) (first *Rule, count int) {
	if !r.certain(now) {
		return nil, 0
	}
	left := comparisons
	for other := range rules {
		if !r.reaches(other) || !r.beats(other) || other.match.ended(now) {
			continue
		}
		if left -= r.effort(other); left < 0 {
			break
		}
		if !r.Shadows(other, now) {
			continue
		}
		count++
		if first == nil {
			first = other
		}
	}
	return first, count
}

// Ended says whether the rule's notAfter has passed.
func (r *Rule) Ended(now time.Time) bool { return r.match.ended(now) }

func (m *matcher) ended(now time.Time) bool { return !m.notAfter.IsZero() && !now.Before(m.notAfter) }

// certain says whether the rule has its effect on whatever it covers.
func (r *Rule) certain(now time.Time) bool {
	return r.err == nil && r.mode == v1alpha1.RuleEnforce && len(r.conditions) == 0 && !r.match.ended(now)
}

// reaches says whether the rule is evaluated wherever other is, and other has
// an effect that could be in vain.
func (r *Rule) reaches(other *Rule) bool {
	return r.key != other.key && other.err == nil && other.mode == v1alpha1.RuleEnforce &&
		(r.Global() || r.key.Namespace == other.key.Namespace)
}

// beats says whether the effect of the rule leaves nothing of the other's on
// an action that both cover. Of two that deny, the one reported first does; an
// exception from the other is in vain, whichever is.
func (r *Rule) beats(other *Rule) bool {
	switch r.effect { //nolint:exhaustive // the others beat nothing, by default
	case v1alpha1.EffectDeny:
		return r.spec.ExceptionWorkflowRef == nil &&
			(other.effect != v1alpha1.EffectDeny || other.spec.ExceptionWorkflowRef != nil || Compare(r, other) < 0)
	case v1alpha1.EffectRequireApproval:
		// A condition that fails would make the other ask a human of its own.
		return other.effect == v1alpha1.EffectAllow && len(other.conditions) == 0
	default:
		return false
	}
}

// lasts says whether the rule is active whenever other is, from now on.
func (r *Rule) lasts(other *Rule, now time.Time) bool {
	mine, theirs := &r.match, &other.match
	if mine.notBefore.After(now) && mine.notBefore.After(theirs.notBefore) {
		return false
	}
	return mine.notAfter.IsZero() || !theirs.notAfter.IsZero() && !theirs.notAfter.After(mine.notAfter)
}

// contains says whether the rule, which restricts, certainly covers every action
// that other covers. What restricts covers at least what relaxes by the same
// words. Rules that adjust the score see it before the others do, so they are
// contained only where the score does not count.
func (r *Rule) contains(other *Rule) bool {
	mine, theirs := &r.match, &other.match
	if mine.minScore > theirs.minScore || mine.minScore > 0 && other.phase() == adjusting {
		return false
	}
	return containWords(mine.environments, theirs.environments) &&
		containWords(mine.classifications, theirs.classifications) &&
		mine.agent.Contains(theirs.agent) &&
		mine.actionTypes.Contains(theirs.actionTypes) &&
		mine.resources.Contains(theirs.resources)
}

// containWords: no words are all words.
func containWords(mine, theirs []string) bool {
	if len(mine) == 0 {
		return true
	}
	missing := func(word string) bool { return !slices.Contains(mine, word) }
	return len(theirs) > 0 && !slices.ContainsFunc(theirs, missing)
}

// effort is what it may take to find out whether the rule contains other.
func (r *Rule) effort(other *Rule) int {
	mine, theirs := &r.match, &other.match
	return 1 + mine.actionTypes.Effort(theirs.actionTypes) + mine.resources.Effort(theirs.resources) +
		mine.agent.Names().Effort(theirs.agent.Names())
}
