// SPDX-License-Identifier: Apache-2.0

package story

import (
	"slices"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// Standing is the decision about one action that holds by its records, which may come
// in any order of the replicas, each chain in its own. The zero Standing has no record.
type Standing struct {
	held, before finding
}

// finding is a decision, and the record that tells of it.
type finding struct {
	Ruling
	told        bool // by a record of what came before or after, not by its own
	chain, base string
	sequence    uint64
	at          time.Time
}

// Ruling is a decision with what made it; zero where there is none.
type Ruling struct {
	Event      v1alpha1.EventType
	Decision   v1alpha1.Decision
	Reason     string
	BreakGlass bool
}

// rulings are the events that are decisions, or that people are asked.
var rulings = []v1alpha1.EventType{
	v1alpha1.EventActionPending, v1alpha1.EventActionEscalated, v1alpha1.EventActionApproved,
	v1alpha1.EventActionDenied, v1alpha1.EventActionTimeout, v1alpha1.EventActionCancelled,
}

// silent are the events whose records name a decision that they neither make nor find.
var silent = []v1alpha1.EventType{audit.EventEvaluated, audit.EventRefused, audit.EventWithdrawn}

// Learn takes a record of the action in.
func (s *Standing) Learn(r *audit.Record) {
	now := finding{
		Ruling: Ruling{r.Event, r.Decision, r.Reason, r.BreakGlass}, told: !slices.Contains(rulings, r.Event),
		chain: r.Chain, base: r.ResourceVersion, sequence: r.Sequence, at: r.Time,
	}
	switch {
	case r.Event == audit.EventNotApplied:
		s.takeBack(&now)
	case r.Decision == v1alpha1.DecisionNone || slices.Contains(silent, r.Event):
	default:
		s.learn(now)
	}
}

func (s *Standing) takeBack(tried *finding) {
	if s.held.base == tried.base && !s.held.told && tried.follows(&s.held) {
		s.held, s.before = s.before, finding{}
	}
}

func (s *Standing) learn(now finding) {
	switch {
	case s.held.Decision == v1alpha1.DecisionNone || s.held.told && (!now.told || now.follows(&s.held)):
		s.held = now
	case now.told:
	case !now.follows(&s.held):
		if now.follows(&s.before) {
			s.before = now
		}
	default:
		if now.base != s.held.base || now.base == "" {
			s.before = s.held
		}
		s.held = now
	}
}

// Ruling is the decision that holds. Where the record of it was not learned, it is as
// others tell of it. A decision that decision.not-applied takes back does not hold: the
// one before it does.
func (s *Standing) Ruling() Ruling { return s.held.Ruling }

// follows says whether a finding is later than another one: in a chain by its place, for
// the clock may have been put back, otherwise by its time.
func (f *finding) follows(other *finding) bool {
	if f.chain == other.chain {
		return f.sequence > other.sequence
	}
	return !f.at.Before(other.at)
}
