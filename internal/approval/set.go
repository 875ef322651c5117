// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// Set is the workflows of one namespace, by name. It is never changed; nil is
// the empty Set.
type Set struct {
	byName map[string]*Workflow
	chosen []*Workflow // those with a selector, highest priority first, then by key
}

// Criteria is what workflows are chosen by.
type Criteria struct {
	Facts match.Facts
	Score risk.Score
}

// NewSet makes a Set. Of two workflows with one name the later is taken.
func NewSet(workflows []*Workflow) *Set { return (*Set)(nil).With(workflows, nil) }

// With returns a Set that lacks the deleted workflows and has the others, in
// this order. The receiver stays as it is.
func (s *Set) With(upserts []*Workflow, deletes []Key) *Set {
	out := &Set{byName: map[string]*Workflow{}}
	if s != nil {
		out.byName = maps.Clone(s.byName)
	}
	for _, key := range deletes {
		delete(out.byName, key.Name)
	}
	for _, w := range upserts {
		out.byName[w.key.Name] = w
	}
	for _, w := range out.byName {
		if w.selector != nil {
			out.chosen = append(out.chosen, w)
		}
	}
	slices.SortFunc(out.chosen, func(a, b *Workflow) int {
		return cmp.Or(cmp.Compare(b.spec.Priority, a.spec.Priority), a.key.Compare(b.key))
	})
	return out
}

// Get returns the workflow of that name, or nil.
func (s *Set) Get(name string) *Workflow {
	if s == nil {
		return nil
	}
	return s.byName[name]
}

// Len is the number of workflows.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.byName)
}

// Choose returns the workflows that an action has to pass by its risk, in the
// order of their keys; none where no selector covers the action.
//
// The highest priority among the workflows that cover the action for certain is
// the bar: below it nothing is chosen, and at it or above everything with stages
// that may cover the action is. So a claim that reaches a workflow of high
// priority adds that workflow, but never takes away the one that applies without
// the claim. An autoApprove workflow is chosen, alone, only where it covers the
// action for certain, stands at the bar, and no workflow with stages does.
func (s *Set) Choose(c Criteria) []*Workflow {
	if s == nil {
		return nil
	}
	var staged []*Workflow
	var auto *Workflow
	settled, bar := false, int32(0)
	for _, w := range s.chosen {
		if settled && w.spec.Priority < bar {
			break
		}
		covers := w.selector.covers(c)
		if covers == certainly && !settled {
			settled, bar = true, w.spec.Priority
		}
		switch {
		case covers == not:
		case !w.autoApprove:
			staged = append(staged, w)
		case covers == certainly && auto == nil:
			auto = w
		}
	}
	if len(staged) == 0 && auto != nil {
		return []*Workflow{auto}
	}
	slices.SortFunc(staged, func(a, b *Workflow) int { return a.key.Compare(b.key) })
	return staged
}
