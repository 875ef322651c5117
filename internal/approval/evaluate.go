// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"slices"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Evaluate says where the chain stands.
//
// The round begins when approval is first asked for under the chain's revision
// (Prior.RequestedAt, otherwise Now). Verdicts are replayed in the order of their
// stamped times; entries at the same time in the order Deny, Approve, Override,
// then by approver. Decisions in the finer points, each for the safe side:
//
//   - A stage begins when the one before it has its quorum. An approval of a stage
//     that has not begun does not count, then or later (but see ClockSkew).
//   - A verdict at the very deadline is in time; an evaluation at the very
//     deadline is too late.
//   - A Deny counts in any stage of the chain, and also when it was given after
//     the quorum was full but before the decision was recorded. It beats
//     approvals and overrides of the same time. It does not count after the
//     deadline, when the action has timed out.
//   - Whose own action it is may not deny either; a requester can cancel.
//   - Nobody counts twice in a stage or an override, under no spelling of the
//     name and no other name of the same uid.
//   - An override counts towards every workflow of the chain whose
//     emergencyOverride names the person, from the beginning of the round.
//   - A chain without workflows is not Granted: one person who holds the verb
//     approve has to agree.
//   - What Prior says about the waiting stage under the same revision, its start
//     and its deadline, is kept, whatever the clock does; only a completed
//     override moves a deadline.
//   - Whether somebody counts never depends on Now, so the passing of time alone
//     turns Waiting into TimedOut and into nothing else.
func (c Chain) Evaluate(in Input) State {
	if c.Empty() {
		c = NewChain([]*Workflow{Missing(Key{})})
	}
	t := c.newTally(in)
	t.replay()
	deny := t.firstDeny()
	state := State{ValidFor: c.ValidFor(), Overridden: t.anyOverridden(), Status: t.status()}
	switch {
	case deny != nil:
		state.Result = Denied
		state.By, state.Comment = deny.Approver, deny.Comment
		state.DecidingWorkflow = c.workflows[c.stages[deny.stage].workflow].key
	case t.current == len(c.stages):
		state.Result = Granted
		state.DecidingWorkflow = c.workflows[len(c.workflows)-1].key
	case t.expired:
		state.Result = TimedOut
		state.DecidingWorkflow = c.workflows[t.passed[t.current].limit.workflow].key
	default:
		state.Result = Waiting
		state.DecidingWorkflow = c.workflows[c.stages[t.current].workflow].key
		state.Status.PendingApprovers = t.pendingLabels()
		state.NextChange = t.nextChange()
		state.Status.EscalateAt = nil
		if p := t.passed[t.current]; !t.escalated(p) {
			state.Status.EscalateAt = microTime(p.escalateAt)
		}
	}
	if t.current < len(c.stages) {
		state.OnTimeout = t.passed[t.current].limit.policy
	}
	if state.Result == Waiting {
		state.Obstacle = t.obstacle()
	}
	state.Message = t.message(&state, deny)
	return state
}

// The bounds of the schema.
const (
	maxWorkflows = 64
	maxPending   = 400
	maxUncounted = 64
	maxReason    = 512
)

// status is what to write, but for what only a waiting chain has.
func (t *tally) status() v1alpha1.ApprovalStatus {
	out := v1alpha1.ApprovalStatus{
		Workflows:   t.workflows(),
		Revision:    t.chain.revision,
		StageIndex:  int32(t.current),           //nolint:gosec // a handful of stages
		StageCount:  int32(len(t.chain.stages)), //nolint:gosec // a handful of stages
		RequestedAt: microTime(t.requestedAt),
		Uncounted:   t.uncounted(),
	}
	if t.current < len(t.chain.stages) {
		p := t.passed[t.current]
		out.Stage = t.roundID(t.current)
		out.Required = int32(t.chain.stages[t.current].required) //nolint:gosec // out of an int32
		out.Granted = int32(len(p.by))                           //nolint:gosec // fewer than required
		out.StageStartedAt = microTime(p.started)
		out.Deadline = microTime(p.limit.at)
		out.Escalated = t.escalated(p)
	}
	return out
}

// workflows are those of the chain that have a name, as many as the schema takes.
func (t *tally) workflows() []v1alpha1.ObjectReference {
	var out []v1alpha1.ObjectReference
	for _, w := range t.chain.workflows {
		if w.key != (Key{}) && len(out) < maxWorkflows {
			out = append(out, v1alpha1.ObjectReference{
				Namespace: v1alpha1.ObjectName(w.key.Namespace),
				Name:      v1alpha1.ObjectName(w.key.Name),
			})
		}
	}
	return out
}

func (t *tally) uncounted() []v1alpha1.UncountedApproval {
	var out []v1alpha1.UncountedApproval
	for _, v := range t.votes {
		if v.reason == "" || len(out) == maxUncounted {
			continue
		}
		out = append(out, v1alpha1.UncountedApproval{
			Approver: orUnnamed(cut(v.Approver, maxStage)),
			Stage:    orUnnamed(cut(v.Stage, maxStage)),
			Reason:   cut(v.reason, maxReason),
		})
	}
	return out
}

func (t *tally) anyOverridden() bool {
	return slices.ContainsFunc(t.glass, func(g breakGlass) bool { return g.overridden })
}

// escalated says whether the stage's escalation has come.
func (t *tally) escalated(p passage) bool {
	return !p.escalateAt.IsZero() && !t.now.Before(p.escalateAt)
}

func (t *tally) nextChange() time.Time {
	p := t.passed[t.current]
	if !p.escalateAt.IsZero() && t.now.Before(p.escalateAt) {
		return p.escalateAt
	}
	return p.limit.at
}

// pendingLabels are the approvers who can still approve the current stage.
func (t *tally) pendingLabels() []string {
	l := t.chain.stages[t.current]
	circle := l.approvers
	if t.escalated(t.passed[t.current]) {
		circle = circle.with(l.escalation.approvers)
	}
	var out []string
	for _, m := range t.remaining(circle) {
		if len(out) < maxPending {
			out = append(out, m.label)
		}
	}
	return out
}

// remaining are those of a circle who can still approve the current stage: who
// are not barred and have not counted.
func (t *tally) remaining(of circle) []member {
	l := t.chain.stages[t.current]
	w := t.chain.workflows[l.workflow]
	return slices.DeleteFunc(slices.Clone(of.members), func(m member) bool {
		who := &vote{Approval: &v1alpha1.Approval{Approver: m.username, As: m.label}}
		if m.open() {
			return !w.spec.AllowSelfApproval && t.bars.as(m.label) != ""
		}
		who.person = fold(m.username)
		return t.selfApproval(w, who) != "" ||
			who.oneOf(t.passed[t.current].by) ||
			(w.distinct && t.countedBefore(t.current, who))
	})
}
