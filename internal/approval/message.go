// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/ow-kai/ascend-operator/internal/match"
)

// The bounds of what messages quote, in characters.
const (
	maxName    = 128
	maxComment = 512
	maxListed  = 5
)

// message says the state to people.
func (t *tally) message(state *State, deny *vote) string {
	switch state.Result {
	case Granted:
		return t.grantedMessage()
	case Denied:
		text := fmt.Sprintf("denied by %s in stage %s", deny.role(), t.chain.stages[deny.stage].id)
		if deny.commented() {
			text += ": " + readable(strings.TrimSpace(deny.Comment), maxComment)
		}
		return text
	case TimedOut:
		return t.timedOutMessage(state)
	case Waiting:
		return t.waitingMessage(state)
	default:
		return ""
	}
}

func (t *tally) waitingMessage(state *State) string {
	p := t.passed[t.current]
	l := t.chain.stages[t.current]
	var b strings.Builder
	fmt.Fprintf(&b, "waiting for %s in stage %s", missing(l.required-len(p.by), l.required), state.Status.Stage)
	if len(state.Status.PendingApprovers) > 0 {
		b.WriteString(" from " + t.asked(state.Status.PendingApprovers))
	}
	if at := state.Status.EscalateAt; at != nil {
		b.WriteString("; escalates at " + clock(at.Time))
	}
	b.WriteString("; deadline " + clock(p.limit.at))
	w := t.chain.workflows[l.workflow]
	if glass := t.glass[l.workflow]; len(glass.by) > 0 {
		fmt.Fprintf(&b, "; emergency override: %d of %d", len(glass.by), w.override.required)
	}
	if n := len(state.Status.Uncounted); n > 0 {
		fmt.Fprintf(&b, "; %d of the verdicts given do not count, status.approval.uncounted says why", n)
	}
	if fold(t.in.Parties.Requester) == "" {
		b.WriteString("; the requester is not known, so nobody is barred from approving as the requester")
	}
	if state.Obstacle != "" {
		b.WriteString("; " + state.Obstacle)
	}
	return b.String()
}

// obstacle is what keeps the current stage from being passed as it was meant,
// so that waiting alone will not help; "" when nothing does.
func (t *tally) obstacle() string {
	why := t.hopeless()
	w := t.chain.workflows[t.chain.stages[t.current].workflow]
	if w.err == nil {
		return why
	}
	if why != "" {
		why += "; "
	}
	return why + fmt.Sprintf("workflow %s has errors: %s", w.title(), readable(w.err.Error(), maxComment))
}

// asked is who is waited for.
func (t *tally) asked(labels []string) string {
	if len(labels) != 1 || labels[0] != VerbApprove {
		return list(labels)
	}
	workflow := t.chain.workflows[t.chain.stages[t.current].workflow]
	if workflow.key == (Key{}) {
		return "anyone who holds the verb approve on approvalworkflows"
	}
	return "anyone who holds the verb approve on approvalworkflows " + workflow.title()
}

// hopeless says so where the stage names too few people who could still approve.
func (t *tally) hopeless() string {
	l := t.chain.stages[t.current]
	p := t.passed[t.current]
	circle := l.approvers
	if !p.escalateAt.IsZero() {
		circle = circle.with(l.escalation.approvers)
	}
	people := map[string]bool{}
	for _, m := range t.remaining(circle) {
		if m.open() {
			return ""
		}
		people[fold(m.username)] = true
	}
	if len(p.by)+len(people) >= l.required {
		return ""
	}
	return fmt.Sprintf("this cannot be reached, for only %d more can approve: name more approvers in workflow %s",
		len(people), t.chain.workflows[l.workflow].title())
}

func (t *tally) timedOutMessage(state *State) string {
	p := t.passed[t.current]
	l := t.chain.stages[t.current]
	return fmt.Sprintf("nobody decided in time: stage %s lacked %s at the deadline %s of workflow %s", state.Status.Stage,
		missing(l.required-len(p.by), l.required), clock(p.limit.at), t.chain.workflows[p.limit.workflow].title())
}

func (t *tally) grantedMessage() string {
	var approved, overrode, overridden []string
	for i, l := range t.chain.stages {
		if !t.glass[l.workflow].overridden {
			approved = appendNew(approved, t.passed[i].by)
		}
	}
	for i, g := range t.glass {
		if g.overridden {
			overrode = appendNew(overrode, g.by)
			overridden = append(overridden, t.chain.workflows[i].title())
		}
	}
	var parts []string
	if len(approved) > 0 {
		parts = append(parts, "approved by "+list(approved))
	}
	if len(overridden) > 0 {
		parts = append(parts, fmt.Sprintf("emergency override of workflow %s by %s", list(overridden), list(overrode)))
	}
	return strings.Join(parts, "; ")
}

// appendNew appends the approvers of votes that are not there yet.
func appendNew(names []string, votes []*vote) []string {
	for _, v := range votes {
		found := false
		for _, n := range names {
			found = found || n == v.Approver
		}
		if !found {
			names = append(names, v.Approver)
		}
	}
	return names
}

// missing is "1 approval", or "1 of 2 approvals".
func missing(n, of int) string {
	if of == 1 {
		return "1 approval"
	}
	return fmt.Sprintf("%d of %d approvals", n, of)
}

// title is how messages name a workflow.
func (w *Workflow) title() string {
	if w.key == (Key{}) {
		return "(none)"
	}
	return w.key.String()
}

// list writes names one after the other, the first few of many.
func list(names []string) string {
	var b strings.Builder
	for i, n := range names {
		if i == maxListed {
			fmt.Fprintf(&b, " and %d more", len(names)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(readable(n, maxName))
	}
	return b.String()
}

func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func fold(name string) string { return match.Fold(name) }

func quote(s string) string { return `"` + readable(s, maxName) + `"` }

// readable makes text of others safe to show on one line: what does not print,
// such as newlines, escapes and marks that turn the direction of writing, is
// written as Go writes it in a string, and long text is cut.
func readable(s string, limit int) string {
	s = strings.ToValidUTF8(cut(s, limit), "\uFFFD")
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		escaped := strconv.QuoteRune(r)
		b.WriteString(escaped[1 : len(escaped)-1])
	}
	return b.String()
}

// cut shortens text to a number of characters.
func cut(s string, limit int) string {
	n := 0
	for i := range s {
		if n == limit-1 && len([]rune(s[i:])) > 1 {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

func orUnnamed(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}
