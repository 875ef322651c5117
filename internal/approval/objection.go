// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"fmt"
	"slices"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// objection is what speaks against counting an Approve in stage i, or "". What
// the approver can never mend comes before what is a matter of time.
func (t *tally) objection(i int, p *passage, v *vote) string {
	l := t.chain.stages[i]
	w := t.chain.workflows[l.workflow]
	if why := t.ineligible(i, p, v); why != "" {
		return why
	}
	switch {
	case w.spec.RequireComment && !v.commented():
		return fmt.Sprintf("workflow %s asks for a comment with every approval", w.title())
	case v.before(p.started):
		return fmt.Sprintf("it was given at %s, before stage %s began at %s", clock(v.at), l.id, clock(p.started))
	case v.at.After(p.limit.at):
		return late(v, p.limit)
	case v.oneOf(p.by):
		return "the same person has approved this stage already"
	case !p.at.IsZero():
		return fmt.Sprintf("stage %s had its %d already", l.id, l.required)
	case w.distinct && t.countedBefore(i, v):
		return fmt.Sprintf("the same person counts in an earlier stage already, and workflow %s wants different people in each", w.title())
	default:
		return ""
	}
}

// ineligible is what speaks against somebody giving a verdict in stage i at all, or "".
func (t *tally) ineligible(i int, p *passage, v *vote) string {
	l := t.chain.stages[i]
	w := t.chain.workflows[l.workflow]
	if why := t.selfApproval(w, v); why != "" {
		return why
	}
	if l.approvers.has(v.Approver, v.As) {
		return ""
	}
	if l.escalation == nil || !l.escalation.approvers.has(v.Approver, v.As) {
		return fmt.Sprintf("%s is not an approver of stage %s", v.role(), l.id)
	}
	switch {
	case p.escalateAt.IsZero() || v.before(p.escalateAt):
		return fmt.Sprintf("%s is an approver of stage %s only after its escalation", v.role(), l.id)
	case !p.at.IsZero() && p.at.Before(p.escalateAt):
		return fmt.Sprintf("stage %s was passed before it escalated", l.id)
	default:
		return ""
	}
}

// selfApproval is what speaks against somebody whose own action it is, or "".
func (t *tally) selfApproval(w *Workflow, v *vote) string {
	if w.spec.AllowSelfApproval {
		return ""
	}
	why := t.bars.person(v.Approver, v.UID)
	if why == "" && t.bars.as(v.As) != "" {
		why = groupSubject
	}
	if why == "" {
		return ""
	}
	return fmt.Sprintf("%s %s, and workflow %s does not allow self-approval", readable(v.Approver, maxName), why, w.title())
}

// overrideObjection is what speaks against counting an Override in a workflow, or "".
func (t *tally) overrideObjection(w *Workflow, v *vote) string {
	if why := t.selfApproval(w, v); why != "" {
		return why
	}
	switch {
	case !w.override.approvers.has(v.Approver, v.As):
		return fmt.Sprintf("%s is not named in the emergencyOverride of workflow %s", v.role(), w.title())
	case !v.commented():
		return "an Override needs a comment that says why"
	default:
		return ""
	}
}

// denyObjection is what speaks against a Deny, or "".
func (t *tally) denyObjection(v *vote) string {
	if why := t.ineligible(v.stage, &t.passed[v.stage], v); why != "" {
		return why
	}
	return t.afterTheEnd(v)
}

// countedBefore says whether somebody counts in an earlier stage of the same workflow.
func (t *tally) countedBefore(i int, v *vote) bool {
	for j := i - 1; j >= 0 && t.chain.stages[j].workflow == t.chain.stages[i].workflow; j-- {
		if v.oneOf(t.passed[j].by) {
			return true
		}
	}
	return false
}

// leftOver finds the reasons of approvals whose stage never had its turn, and of
// overrides that count in no workflow.
func (t *tally) leftOver() {
	for _, v := range t.votes {
		if v.reason != "" {
			continue
		}
		switch v.Verdict {
		case v1alpha1.VerdictApprove:
			if t.passed[v.stage].started.IsZero() {
				v.reason = t.noTurn(v)
			}
		case v1alpha1.VerdictOverride:
			v.reason = t.noOverride(v)
		case v1alpha1.VerdictDeny: // firstDeny sees to it
		}
	}
}

func (t *tally) noTurn(v *vote) string {
	l := t.chain.stages[v.stage]
	if why := t.ineligible(v.stage, &passage{}, v); why != "" {
		return why
	}
	if t.glass[l.workflow].overridden {
		return fmt.Sprintf("workflow %s was passed by emergency override", t.chain.workflows[l.workflow].title())
	}
	return fmt.Sprintf("it was given at %s, before stage %s began", clock(v.at), l.id)
}

// noOverride is why an override counts in no workflow, or "" when it does.
func (t *tally) noOverride(v *vote) string {
	why := "none of the workflows that have to be passed has an emergencyOverride"
	for i, w := range t.chain.workflows {
		switch glass := t.glass[i]; {
		case w.override == nil:
			continue
		case slices.Contains(glass.by, v):
			return t.afterTheEnd(v)
		}
		if why = t.overrideObjection(w, v); why != "" {
			continue
		}
		if v.oneOf(t.glass[i].by) {
			why = "the same person has overridden already"
		} else {
			why = late(v, limit{at: t.requestedAt.Add(w.timeout)})
		}
	}
	return why
}

// afterTheEnd is what speaks against a vote for another stage than the one that
// was not passed in time, or "".
func (t *tally) afterTheEnd(v *vote) string {
	if t.current < len(t.passed) && v.at.After(t.passed[t.current].limit.at) {
		return late(v, t.passed[t.current].limit)
	}
	return ""
}

// late is why a vote after a deadline does not count.
func late(v *vote, deadline limit) string {
	return fmt.Sprintf("it was given at %s, after the deadline of %s", clock(v.at), clock(deadline.at))
}

// role is who gives a verdict, and as what.
func (v *vote) role() string {
	if v.As == "" {
		return readable(v.Approver, maxName)
	}
	return readable(v.Approver, maxName) + " as " + quote(v.As)
}
