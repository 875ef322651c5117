// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"fmt"
	"slices"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
)

// Person is somebody as the API server knows them, with all their groups.
type Person struct {
	Username string
	UID      string
	Groups   []string
}

// Seat is what entitles a person to a verdict: the stamps that say so, and the
// workflows on each of which the person has to hold the verb.
type Seat struct {
	// As is the entry of the approvers that the person is, or belongs to.
	As string
	// Stage is what the verdict has to name.
	Stage string
	// Workflows on which the verb has to be held: approve on that of the stage,
	// override on every one whose emergencyOverride names the person. The zero
	// Key stands for every workflow of the action's namespace.
	Workflows []Key
}

// NoSeatError says why somebody may not give a verdict.
type NoSeatError struct {
	// Problem says who may, and why this person may not.
	Problem string
	// Self says that the person is barred because the action is their own.
	Self bool
}

// Error returns the problem.
func (e *NoSeatError) Error() string { return e.Problem }

// Seat finds what entitles a person to a verdict now, for the stage that waits
// or for the emergency override. stage is what the person named: empty, or the
// id with or without its round. It fails with a *NoSeatError.
//
// This is where groups count: what follows knows only the stamp that comes of
// it. Whether the verdict then counts (in time, once, with a comment) Evaluate
// says.
func (c Chain) Seat(in Input, who Person, verdict v1alpha1.Verdict, stage string) (Seat, error) {
	if c.Empty() {
		c = NewChain([]*Workflow{Missing(Key{})})
	}
	t := c.newTally(in)
	t.replay()
	switch {
	case t.firstDeny() != nil:
		return Seat{}, noSeat("somebody has denied it already")
	case t.current == len(c.stages):
		return Seat{}, noSeat("every stage has been passed already")
	case t.expired:
		return Seat{}, noSeat("the deadline of stage %s, %s, has passed", t.roundID(t.current), clock(t.passed[t.current].limit.at))
	case verdict == v1alpha1.VerdictOverride:
		return t.overrideSeat(who, stage)
	default:
		return t.stageSeat(who, stage)
	}
}

func noSeat(format string, args ...any) *NoSeatError {
	return &NoSeatError{Problem: fmt.Sprintf(format, args...)}
}

// stageSeat finds a seat in the stage that waits.
func (t *tally) stageSeat(who Person, stage string) (Seat, error) {
	l := t.chain.stages[t.current]
	w := t.chain.workflows[l.workflow]
	id := t.roundID(t.current)
	if stage != "" && t.chain.find(stage, t.requestedAt) != t.current {
		return Seat{}, noSeat("it waits in stage %s, not in %s", id, quote(stage))
	}
	if err := t.ownAction(w, who); err != nil {
		return Seat{}, err
	}
	p := t.passed[t.current]
	circle := l.approvers
	if t.escalated(p) {
		circle = circle.with(l.escalation.approvers)
	}
	if as, found := circle.seat(who); found {
		return Seat{As: as, Stage: t.freeID(id, l.id, who), Workflows: []Key{w.key}}, nil
	}
	if l.escalation != nil && !p.escalateAt.IsZero() {
		if _, found := l.escalation.approvers.seat(who); found {
			return Seat{}, noSeat("%s is an approver of stage %s only after its escalation at %s", readable(who.Username, maxName), id, clock(p.escalateAt))
		}
	}
	return Seat{}, noSeat("%s is not an approver of stage %s of workflow %s; who may: %s",
		readable(who.Username, maxName), id, w.title(), list(circle.labels()))
}

// overrideSeat finds a seat in the emergency override.
func (t *tally) overrideSeat(who Person, stage string) (Seat, error) {
	if stage != "" && plainID(stage, t.requestedAt) != v1alpha1.OverrideStage {
		return Seat{}, noSeat("an Override goes with stage %s, not with %s", v1alpha1.OverrideStage, quote(stage))
	}
	var may []string
	var best Seat
	for _, w := range t.chain.workflows {
		if w.override == nil {
			continue
		}
		if err := t.ownAction(w, who); err != nil {
			return Seat{}, err
		}
		may = append(may, w.override.approvers.labels()...)
		if as, found := w.override.approvers.seat(who); found {
			if seats := t.overrides(who, as); len(seats) > len(best.Workflows) {
				best = Seat{As: as, Workflows: seats}
			}
		}
	}
	switch {
	case len(may) == 0:
		return Seat{}, noSeat("none of the workflows that have to be passed has an emergencyOverride")
	case len(best.Workflows) == 0:
		slices.Sort(may)
		return Seat{}, noSeat("%s is not named in the emergencyOverride of the workflows that have to be passed; who may: %s",
			readable(who.Username, maxName), list(slices.Compact(may)))
	}
	best.Stage = t.freeID(v1alpha1.OverrideStage, v1alpha1.OverrideStage, who)
	return best, nil
}

// overrides are the workflows in whose emergencyOverride somebody counts as the
// entry of that label.
func (t *tally) overrides(who Person, as string) []Key {
	var out []Key
	for _, w := range t.chain.workflows {
		if w.override != nil && w.override.approvers.has(who.Username, as) {
			out = append(out, w.key)
		}
	}
	return out
}

// freeID is the id that somebody's next verdict names: with the round, where
// they have used up the plain one in an earlier round. An entry is one a person
// and stage for ever.
func (t *tally) freeID(id, plain string, who Person) string {
	for _, v := range t.votes {
		if v.void && v.Stage == plain && v.Approver == who.Username {
			return inRound(plain, t.requestedAt)
		}
	}
	return id
}

// InRound is the other id of a stage that waits, for whom the plain one is taken.
func InRound(stage string, status *v1alpha1.ApprovalStatus) string {
	if status == nil || status.RequestedAt == nil {
		return stage
	}
	return inRound(stage, micro(status.RequestedAt.Time))
}

// Anew is an id of a stage that waits, with or without its round, for whom both
// are taken by entries that do not count: one for the moment at which they give
// their verdict anew.
func Anew(stage string, status *v1alpha1.ApprovalStatus, at time.Time) string {
	if status == nil || status.RequestedAt == nil {
		return stage
	}
	requestedAt := micro(status.RequestedAt.Time)
	return inRound(plainID(stage, requestedAt), later(micro(at), requestedAt))
}

// ownAction refuses whose own action it is, also through a group of theirs.
func (t *tally) ownAction(w *Workflow, who Person) error {
	if w.spec.AllowSelfApproval {
		return nil
	}
	why := t.bars.person(who.Username, who.UID)
	for _, group := range who.Groups {
		if why == "" {
			why = t.bars.groups[match.Fold(group)]
		}
	}
	if why == "" {
		return nil
	}
	return &NoSeatError{Self: true, Problem: fmt.Sprintf("%s %s, and workflow %s does not allow self-approval",
		readable(who.Username, maxName), why, w.title())}
}

// seat finds the entry of the circle that a person is, otherwise one that they
// belong to, in the order of the labels, otherwise the verb.
func (c circle) seat(who Person) (label string, found bool) {
	for _, m := range c.members {
		if !m.open() && m.username == who.Username {
			return m.label, true
		}
	}
	for _, group := range slices.Sorted(slices.Values(who.Groups)) {
		if c.has(who.Username, groupPrefix+group) {
			return groupPrefix + group, true
		}
	}
	if c.has(who.Username, VerbApprove) {
		return VerbApprove, true
	}
	return "", false
}

// labels of all entries.
func (c circle) labels() []string {
	out := make([]string, len(c.members))
	for i, m := range c.members {
		out[i] = m.label
	}
	return out
}
