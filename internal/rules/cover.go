// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"iter"
	"time"

	"github.com/ow-kai/ascend-operator/internal/match"
)

// Covers says whether the receiver, which has no conditions, certainly has its
// effect on every action that other covers, from now on. Where it says no, it
// may still do so.
func (r *Rule) Covers(other *Rule, now time.Time) bool {
	if !r.certain(now) || !r.reaches(other) || !r.lasts(other, now) {
		return false
	}
	if r.match.sense == match.Relaxing {
		// The same words cover less than where they restrict, and the pattern *
		// less than no pattern: only resources that are named.
		if other.match.sense != match.Relaxing || r.match.resources != nil && other.match.resources == nil {
			return false
		}
	}
	if r.phase() != other.phase() && r.match.minScore > 0 {
		return false // they see different scores
	}
	return r.contains(other)
}

// Repeats returns the first of the rules, in their order, that is reported
// before the receiver, has the same effect on all that the receiver covers, and
// fulfills same; nil where none is found, and where the receiver has conditions,
// which may fail and then ask for more.
func (r *Rule) Repeats(rules iter.Seq[*Rule], now time.Time, same func(other *Rule) bool) *Rule {
	if r.err != nil || len(r.conditions) > 0 {
		return nil
	}
	left := comparisons
	for other := range rules {
		if other.effect != r.effect || !other.certain(now) || !other.reaches(r) || Compare(other, r) >= 0 {
			continue
		}
		if left -= other.effort(r); left < 0 {
			return nil
		}
		if other.Covers(r, now) && same(other) {
			return other
		}
	}
	return nil
}
