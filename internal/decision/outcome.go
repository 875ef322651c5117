// SPDX-License-Identifier: Apache-2.0

package decision

import (
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// The bounds of what an Outcome reports; the schema has the same.
const (
	maxMatchedRules = 64
	maxNearRules    = 16
	maxMessage      = 2048
)

// Outcome is a decision and the whole reasoning behind it. The zero Outcome
// denies nothing and allows nothing: its Decision is empty.
type Outcome struct {
	// Decision is Pending, Approved, Denied, TimedOut or Cancelled.
	Decision v1alpha1.Decision
	// Reason is one of the v1alpha1 reasons of decisions.
	Reason string
	// Message says the reason to people.
	Message string

	// Risk is nil where there was nothing to score: no such agent, an invalid
	// request, or a cancelled one.
	Risk         *v1alpha1.RiskStatus
	MatchedRules []v1alpha1.MatchedRule
	NearRules    []v1alpha1.NearRule
	DecidingRule *v1alpha1.RuleReference
	// Approval is nil where nobody has to agree.
	Approval *v1alpha1.ApprovalStatus

	SpecDigest     string
	PolicyRevision string
	// ValidFor is how long an approval is good; zero unless Approved.
	ValidFor time.Duration
	// NextCheck is when the outcome may change by the passing of time alone;
	// zero when it will not.
	NextCheck time.Time
	// RulesEvaluated counts the rules that were looked at.
	RulesEvaluated int
}

// clip shortens text to a number of bytes, at the start of a character.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const mark = "…"
	end := limit - len(mark)
	for end > 0 && text[end]&0xC0 == 0x80 {
		end--
	}
	return text[:end] + mark
}
