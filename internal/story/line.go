// SPDX-License-Identifier: Apache-2.0

package story

import (
	"fmt"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// eventWidth is as wide as the longest name of an event, admission.not-enforced.
const eventWidth = 22

// wideEnough is a terminal on which the year and the milliseconds leave enough for
// the rest.
const wideEnough = 110

// Line is a record on one line of a terminal, Safe: when, which event, about what,
// and its Sentence. Where width is not 0, what does not fit is cut off.
func Line(r *audit.Record, style terminal.Style, width int) string {
	when := r.Time.UTC().Format("2006-01-02 15:04:05.000Z")
	if width > 0 && width < wideEnough {
		when = r.Time.UTC().Format("01-02 15:04:05Z")
	}
	event := terminal.Safe(string(r.Event))
	pad := strings.Repeat(" ", max(eventWidth-terminal.Columns(event), 0))
	rest := terminal.Safe(join("  ", About(r), Sentence(r)))
	if width > 0 {
		left := width - terminal.Columns(when) - 2 - max(eventWidth, terminal.Columns(event)) - 2
		rest = terminal.Cut(rest, max(left, 1))
	}
	return strings.TrimRight(fmt.Sprintf("%s  %s%s  %s", style.Paint(terminal.Faint, when), style.Paint(Role(r), event), pad, rest), " ")
}

// Role is how a record is painted.
func Role(r *audit.Record) terminal.Role {
	switch {
	case r.BreakGlass && r.Event == v1alpha1.EventActionApproved:
		return terminal.Marked
	case r.Event == audit.EventResumed && r.Journal != nil && r.Journal.Lost > 0:
		return terminal.Bad
	default:
		return roles[r.Event]
	}
}

// roles of events; the others are Plain.
var roles = map[v1alpha1.EventType]terminal.Role{
	v1alpha1.EventActionApproved:  terminal.Good,
	v1alpha1.EventActionExecuted:  terminal.Good,
	v1alpha1.EventActionDenied:    terminal.Bad,
	v1alpha1.EventActionTimeout:   terminal.Bad,
	v1alpha1.EventActionFailed:    terminal.Bad,
	v1alpha1.EventPolicyViolation: terminal.Bad,
	audit.EventRefused:            terminal.Bad,
	audit.EventNotApplied:         terminal.Bad,
	audit.EventWithdrawn:          terminal.Bad,
	audit.EventNotEnforced:        terminal.Bad,
	v1alpha1.EventActionPending:   terminal.Waiting,
	v1alpha1.EventActionEscalated: terminal.Waiting,
	audit.EventResumed:            terminal.Waiting,
	audit.EventOverridden:         terminal.Marked,
	v1alpha1.EventAgentSuspended:  terminal.Marked,
	audit.EventApprovalRecorded:   terminal.Strong,
	audit.EventPolicyCreated:      terminal.Strong,
	audit.EventPolicyUpdated:      terminal.Strong,
	audit.EventPolicyDeleted:      terminal.Strong,
	audit.EventPurged:             terminal.Strong,
	audit.EventStarted:            terminal.Faint,
	audit.EventCheckpoint:         terminal.Faint,
	audit.EventStopped:            terminal.Faint,
	audit.EventEvaluated:          terminal.Faint,
	audit.EventCollected:          terminal.Faint,
}
