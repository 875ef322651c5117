// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Why an action is not replayed.
const (
	missingRecord  = "its record has no request: --audit-requests=false, or an operator that did not write it yet"
	missingRequest = "what was asked cannot be read any more"
)

// Report says what another policy would have changed.
type Report struct {
	// Actions that were replayed.
	Actions int `json:"actions"`
	// First and Last are when the first and the last of them were submitted.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	// Matrix counts them by decision before and after, from the laxest to the
	// strictest; only what occurs.
	Matrix []Transition `json:"matrix"`
	// Loosened and Tightened count the flips by direction.
	Loosened  int `json:"loosened"`
	Tightened int `json:"tightened"`
	// OtherApprovers counts actions that are Pending by both, but other people,
	// or more or fewer, have to agree.
	OtherApprovers int `json:"otherApprovers"`
	// OtherScore counts actions with the same decision and another score.
	OtherScore int `json:"otherScore"`
	// Groups have the flips by what makes the difference, the largest first.
	Groups []Group `json:"groups"`
	// NotReplayed and PassedOver count by why, the most first.
	NotReplayed []Count `json:"notReplayed,omitempty"`
	PassedOver  []Count `json:"passedOver,omitempty"`
}

// Transition counts actions by what became of what policy says.
type Transition struct {
	Before v1alpha1.Decision `json:"before"`
	After  v1alpha1.Decision `json:"after"`
	Count  int               `json:"count"`
}

// Group is flips that have one cause.
type Group struct {
	Cause
	Loosened  int `json:"loosened"`
	Tightened int `json:"tightened"`
	// OtherApprovers is 0 unless Options.ApproversFlip.
	OtherApprovers int `json:"otherApprovers,omitempty"`
	// Flips by time of submission, namespace and name.
	Flips []Flip `json:"flips"`
}

// Direction of a flip.
type Direction string

// The directions. Approved is laxer than Pending, and that laxer than Denied.
const (
	Loosened       Direction = "loosened"
	Tightened      Direction = "tightened"
	OtherApprovers Direction = "other-approvers"
)

// Flip is an action about which policy says something else.
type Flip struct {
	Namespace   string    `json:"namespace"`
	Name        string    `json:"name"`
	SubmittedAt time.Time `json:"submittedAt"`
	Agent       string    `json:"agent"`
	ActionType  string    `json:"actionType"`
	Resource    string    `json:"resource,omitempty"`
	Direction   Direction `json:"direction"`
	Before      Opinion   `json:"before"`
	After       Opinion   `json:"after"`
}

// Opinion is what policy says about an action, in a report.
type Opinion struct {
	Decision  v1alpha1.Decision `json:"decision"`
	Reason    string            `json:"reason"`
	Message   string            `json:"message"`
	Score     v1alpha1.Score    `json:"score,omitempty"`
	Workflows []string          `json:"workflows,omitempty"`
}

// Count is how often something was not compared, and why.
type Count struct {
	Why   string `json:"why"`
	Count int    `json:"count"`
	// Examples are at most five actions, as NAMESPACE/NAME, in order; none for
	// what is no action.
	Examples []string `json:"examples,omitempty"`
}

// Flips counts all flips.
func (r *Report) Flips() int {
	n := 0
	for i := range r.Groups {
		n += len(r.Groups[i].Flips)
	}
	return n
}

// Total counts the actions with a decision, before and after.
func (r *Report) Total(decision v1alpha1.Decision) (before, after int) {
	for _, t := range r.Matrix {
		if t.Before == decision {
			before += t.Count
		}
		if t.After == decision {
			after += t.Count
		}
	}
	return before, after
}

// strictness orders decisions of policy.
func strictness(d v1alpha1.Decision) int {
	return slices.Index(decisions, d)
}

var decisions = []v1alpha1.Decision{v1alpha1.DecisionApproved, v1alpha1.DecisionPending, v1alpha1.DecisionDenied}

// report is made when all is read.
func (s *simulation) report() *Report {
	b := &builder{
		simulation: s, report: &Report{}, matrix: map[Transition]int{}, groups: map[Cause]*Group{},
		notReplayed: counts{}, passedOver: counts{},
	}
	for _, e := range s.table.index {
		if !e.at().Before(s.since) {
			b.add(e)
		}
	}
	for why, n := range s.table.skipped {
		b.passedOver.at(why).Count += n
	}
	return b.finish()
}

// builder counts in any order, and brings all into one at the end.
type builder struct {
	*simulation
	report      *Report
	matrix      map[Transition]int
	groups      map[Cause]*Group
	notReplayed counts
	passedOver  counts
}

func (b *builder) add(e *entry) {
	t, name := b.table, b.table.text(e.namespace)+"/"+e.name
	before := t.beforeOf(e)
	if b.before != nil {
		before = e.before
	}
	switch {
	case e.recorded.decision == v1alpha1.DecisionNone:
		b.passedOver.add(t.text(e.skip), name)
		return
	case !e.asked:
		b.notReplayed.add(missingRecord, name)
		return
	case e.missing != 0:
		b.notReplayed.add(t.text(e.missing), name)
		return
	}
	r := b.report
	r.Actions++
	if r.First.IsZero() || e.submitted.Before(r.First) {
		r.First = e.submitted
	}
	if e.submitted.After(r.Last) {
		r.Last = e.submitted
	}
	b.matrix[Transition{Before: before.decision, After: e.after.decision}]++
	b.compare(e, &before)
}

// compare finds out in what two verdicts differ.
func (b *builder) compare(e *entry, before *side) {
	r, after := b.report, &e.after
	change := strictness(after.decision) - strictness(before.decision)
	if change == 0 && before.score != after.score && before.score >= 0 && after.score >= 0 {
		r.OtherScore++
	}
	switch {
	case change > 0:
		r.Tightened++
		b.flip(e, before, Tightened)
	case change < 0:
		r.Loosened++
		b.flip(e, before, Loosened)
	case after.decision == v1alpha1.DecisionPending && before.revision != 0 && after.revision != 0 && before.revision != after.revision:
		r.OtherApprovers++
		if b.approversFlip {
			b.flip(e, before, OtherApprovers)
		}
	}
}

func (b *builder) flip(e *entry, before *side, direction Direction) {
	why := b.table.cause(before, &e.after, direction)
	if why.Kind == CauseAgent {
		why.Name = b.table.text(e.namespace) + "/" + b.table.text(e.agent)
	}
	group := b.groups[why]
	if group == nil {
		group = &Group{Cause: why}
		b.groups[why] = group
	}
	switch direction {
	case Loosened:
		group.Loosened++
	case Tightened:
		group.Tightened++
	case OtherApprovers:
		group.OtherApprovers++
	}
	t := b.table
	group.Flips = append(group.Flips, Flip{
		Namespace: t.text(e.namespace), Name: e.name, SubmittedAt: e.submitted,
		Agent: t.text(e.agent), ActionType: t.text(e.actionType), Resource: e.resource,
		Direction: direction, Before: t.opinion(before), After: t.opinion(&e.after),
	})
}

func (t *table) opinion(s *side) Opinion {
	o := Opinion{Decision: s.decision, Reason: t.text(s.reason), Message: t.text(s.message), Workflows: t.list(s.workflows)}
	if s.score >= 0 {
		o.Score = v1alpha1.Score(fmt.Sprintf("%d.%d", s.score/10, s.score%10))
	}
	return o
}

func (b *builder) finish() *Report {
	r := b.report
	r.Matrix = []Transition{}
	for transition, n := range b.matrix {
		transition.Count = n
		r.Matrix = append(r.Matrix, transition)
	}
	slices.SortFunc(r.Matrix, func(a, b Transition) int {
		return cmp.Or(cmp.Compare(strictness(a.Before), strictness(b.Before)), cmp.Compare(strictness(a.After), strictness(b.After)))
	})
	r.Groups = []Group{}
	for _, group := range b.groups {
		slices.SortFunc(group.Flips, byTime)
		r.Groups = append(r.Groups, *group)
	}
	slices.SortFunc(r.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(len(b.Flips), len(a.Flips)), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Field, b.Field))
	})
	r.NotReplayed, r.PassedOver = b.notReplayed.sorted(), b.passedOver.sorted()
	return r
}

func byTime(a, b Flip) int {
	return cmp.Or(a.SubmittedAt.Compare(b.SubmittedAt), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
