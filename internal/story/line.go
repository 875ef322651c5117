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
	switch r.Event {
	case v1alpha1.EventActionApproved, v1alpha1.EventActionExecuted:
		if r.BreakGlass {
			return terminal.Marked
		}
		return terminal.Good
	case v1alpha1.EventActionDenied, v1alpha1.EventActionTimeout, v1alpha1.EventActionFailed, v1alpha1.EventPolicyViolation,
		audit.EventRefused, audit.EventNotApplied, audit.EventWithdrawn, audit.EventNotEnforced:
		return terminal.Bad
	case v1alpha1.EventActionPending, v1alpha1.EventActionEscalated:
		return terminal.Waiting
	case audit.EventOverridden, v1alpha1.EventAgentSuspended:
		return terminal.Marked
	case audit.EventResumed:
		if r.Journal != nil && r.Journal.Lost > 0 {
			return terminal.Bad
		}
		return terminal.Waiting
	case audit.EventStarted, audit.EventCheckpoint, audit.EventStopped, audit.EventEvaluated, audit.EventCollected:
		return terminal.Faint
	case audit.EventApprovalRecorded, audit.EventPolicyCreated, audit.EventPolicyUpdated, audit.EventPolicyDeleted, audit.EventPurged:
		return terminal.Strong
	default:
		return terminal.Plain
	}
}
