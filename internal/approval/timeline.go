// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// tally is one evaluation: the votes, replayed on a timeline.
type tally struct {
	chain       Chain
	in          Input
	now         time.Time
	prior       *v1alpha1.ApprovalStatus // nil unless of the same revision
	requestedAt time.Time
	bars        barred
	votes       []*vote

	glass   []breakGlass // by workflow
	passed  []passage    // by stage; beyond current only zero ones
	current int          // the stage that waits or timed out; the number of stages when all are passed
	expired bool         // the current stage is beyond its deadline
}

// passage is how a stage went.
type passage struct {
	started    time.Time // zero: it never began
	limit      limit
	escalateAt time.Time // zero: it does not escalate
	by         []*vote   // who counted, in order
	at         time.Time // when the last one required counted; zero: not passed
}

// breakGlass is how far the override of a workflow is.
type breakGlass struct {
	by         []*vote
	at         time.Time // when it was complete; zero: it is not
	overridden bool      // it took the place of the workflow's stages
}

// limit is a deadline, and what happens at it.
type limit struct {
	at       time.Time
	policy   v1alpha1.TimeoutPolicy
	workflow int // whose deadline it is
}

// newTally reads the input.
func (c Chain) newTally(in Input) *tally {
	t := &tally{
		chain:   c,
		in:      in,
		now:     micro(in.Now),
		bars:    in.Parties.bar(),
		glass:   make([]breakGlass, len(c.workflows)),
		passed:  make([]passage, len(c.stages)),
		current: len(c.stages),
	}
	t.requestedAt = t.now
	if p := in.Prior; p != nil && p.Revision == c.revision && !p.RequestedAt.IsZero() {
		t.prior = p
		t.requestedAt = micro(p.RequestedAt.Time)
	}
	t.readVotes(in.Approvals)
	return t
}

// replay passes one workflow after the other, until one waits.
func (t *tally) replay() {
	for i := range t.chain.workflows {
		t.glass[i] = t.breakGlass(i)
	}
	start := t.requestedAt
	for i := range t.chain.workflows {
		next, isPassed := t.pass(i, start)
		if !isPassed {
			break
		}
		start = next
	}
	if t.current < len(t.chain.stages) {
		t.expired = !t.now.Before(t.passed[t.current].limit.at)
	}
	t.leftOver()
}

// pass passes the stages of a workflow from start on, and returns when the last
// of them, or its override, was complete. A stage begins when the one before it
// has been passed.
func (t *tally) pass(workflow int, start time.Time) (end time.Time, isPassed bool) {
	glass := &t.glass[workflow]
	for i, l := range t.chain.stages {
		if l.workflow != workflow {
			continue
		}
		p := t.count(i, start)
		t.passed[i] = p
		if !glass.at.IsZero() && !glass.at.After(p.limit.at) && (p.at.IsZero() || glass.at.Before(p.at)) {
			glass.overridden = true
			return later(start, glass.at), true
		}
		if p.at.IsZero() {
			t.current = i
			return time.Time{}, false
		}
		start = p.at
	}
	return start, true
}

// count counts the approvals of a stage that began at start. What status has
// promised about the stage before is kept.
func (t *tally) count(i int, start time.Time) passage {
	p := passage{started: start}
	kept := t.promised(i)
	if kept != nil && !kept.StageStartedAt.IsZero() {
		p.started = later(micro(kept.StageStartedAt.Time), t.requestedAt)
	}
	p.limit = t.limit(i, p.started)
	if kept != nil && !kept.Deadline.IsZero() && !t.anyGlass() {
		p.limit.at = micro(kept.Deadline.Time)
	}
	p.escalateAt = t.chain.stages[i].escalatesAt(p)
	for _, v := range t.votes {
		if v.stage != i || v.reason != "" || v.Verdict != v1alpha1.VerdictApprove {
			continue
		}
		if v.reason = t.objection(i, &p, v); v.reason != "" {
			continue
		}
		p.by = append(p.by, v)
		if len(p.by) == t.chain.stages[i].required {
			p.at = later(v.at, p.started)
		}
	}
	return p
}

// promised is what status has said about a stage that waited under this revision, or nil.
func (t *tally) promised(i int) *v1alpha1.ApprovalStatus {
	if t.prior == nil || t.chain.find(t.prior.Stage, t.requestedAt) != i {
		return nil
	}
	return t.prior
}

// anyGlass says whether any override is complete, which can move deadlines.
func (t *tally) anyGlass() bool {
	for i := range t.glass {
		if !t.glass[i].at.IsZero() {
			return true
		}
	}
	return false
}

// escalatesAt is when a stage escalates; zero where that is never, or not before
// its deadline.
func (l link) escalatesAt(p passage) time.Time {
	if l.escalation == nil {
		return time.Time{}
	}
	after := l.escalation.after
	if after == 0 {
		after = l.timeout
	}
	if at := p.started.Add(after); at.Before(p.limit.at) {
		return at
	}
	return time.Time{}
}

// limit is the deadline of a stage: the earliest among its own timeout, granted
// once more where the stage escalates at it, and the timeouts of its workflow and
// of those after it that have not been overridden. Where several fall together
// and one of them denies, it denies.
func (t *tally) limit(i int, start time.Time) limit {
	l := t.chain.stages[i]
	own := t.chain.workflows[l.workflow]
	out := limit{t.requestedAt.Add(own.timeout), own.onTimeout, l.workflow}
	if l.timeout > 0 {
		at := start.Add(l.timeout)
		if l.escalation != nil && l.escalation.after == 0 {
			at = at.Add(l.timeout)
		}
		out = out.earlier(limit{at, own.onTimeout, l.workflow})
	}
	for j := l.workflow + 1; j < len(t.chain.workflows); j++ {
		if w := t.chain.workflows[j]; t.glass[j].at.IsZero() {
			out = out.earlier(limit{t.requestedAt.Add(w.timeout), w.onTimeout, j})
		}
	}
	return out
}

func (a limit) earlier(b limit) limit {
	if b.at.Before(a.at) || (b.at.Equal(a.at) && a.policy != v1alpha1.OnTimeoutDenied && b.policy == v1alpha1.OnTimeoutDenied) {
		return b
	}
	return a
}

// breakGlass counts the overrides of a workflow, which can be given from the
// beginning of the round until the workflow's timeout.
func (t *tally) breakGlass(workflow int) breakGlass {
	w := t.chain.workflows[workflow]
	var out breakGlass
	if w.override == nil {
		return out
	}
	deadline := t.requestedAt.Add(w.timeout)
	for _, v := range t.votes {
		if v.Verdict != v1alpha1.VerdictOverride || v.reason != "" || v.at.After(deadline) ||
			t.overrideObjection(w, v) != "" || v.oneOf(out.by) {
			continue
		}
		out.by = append(out.by, v)
		if len(out.by) == w.override.required {
			out.at = later(v.at, t.requestedAt)
		}
	}
	return out
}

// firstDeny is the earliest Deny that counts, or nil. Anybody who may approve a
// stage, whether it has its turn or not, can deny as long as the decision has not
// been recorded: also after the quorum is full, but not after the deadline.
func (t *tally) firstDeny() *vote {
	var first *vote
	for _, v := range t.votes {
		if v.Verdict != v1alpha1.VerdictDeny || v.reason != "" {
			continue
		}
		if v.reason = t.denyObjection(v); v.reason == "" && first == nil {
			first = v
		}
	}
	return first
}

// roundID is the id of a stage to be named by the next approvals: with the round,
// where somebody has used up the plain one in an earlier round.
func (t *tally) roundID(i int) string {
	id := t.chain.stages[i].id
	for _, v := range t.votes {
		if v.void && v.Stage == id {
			return inRound(id, t.requestedAt)
		}
	}
	return id
}
