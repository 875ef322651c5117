// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"fmt"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// DecisionCodesHelp ends the help of commands whose exit code is the decision.
const DecisionCodesHelp = `
Exit codes: 0 approved, 1 refused or failed, 2 wrong usage, 4 denied, 5 not yet
decided, 6 nobody decided in time, 7 cancelled. Nothing but 0 means: go ahead.`

// card is what is known of an action, for who has to go on from there.
type card struct {
	session *session.Session
	text    strings.Builder
}

// printResult prints the ID, the decision, the risk, why it is so, and what
// comes next.
func printResult(s *session.Session, action *v1alpha1.AgentAction) {
	c, status, style := &card{session: s}, &action.Status, s.Style()
	c.line("ID", terminal.Safe(action.Name))
	c.line("Decision", style.Paint(DecisionRole(status.Decision), DecisionWord(status.Decision)))
	if status.Risk != nil {
		c.line("Risk", ScoreWord(status.Risk)+" "+LevelWord(status.Risk))
	}
	if status.Reason != "" {
		c.line("Reason", terminal.Safe(status.Reason))
		c.line("", terminal.Safe(status.Message))
	}
	if rule := status.DecidingRule; rule != nil {
		c.line("Rule", ruleWord(rule))
	}
	for i, next := range nextSteps(action, s.Clock.Now(), s.NamespaceFlag(action.Namespace)) {
		label := ""
		if i == 0 {
			label = "Next"
		}
		c.line(label, next)
	}
	fmt.Fprint(s.Out, c.text.String())
}

// line adds a line, wrapped below its own beginning. The text is safe.
func (c *card) line(label, text string) {
	const margin = 10
	if text == "" {
		return
	}
	lines := []string{text}
	if width := c.session.Screen.Width; width > margin && !strings.Contains(text, "\x1b") { // painted words are short
		lines = terminal.Wrap(text, width-margin, "")
	}
	for i, line := range lines {
		if i > 0 {
			label = ""
		}
		c.text.WriteString(strings.TrimRight(fmt.Sprintf("%-*s%s", margin, label, line), " ") + "\n")
	}
}

// nextSteps says what the requester can do now. The flag goes behind commands.
func nextSteps(action *v1alpha1.AgentAction, now time.Time, flag string) []string {
	name, status := terminal.Safe(action.Name), &action.Status
	switch status.Decision {
	case v1alpha1.DecisionNone:
		return []string{fmt.Sprintf("the operator has not looked at it yet: ascend wait %s%s", name, flag)}
	case v1alpha1.DecisionPending:
		return pendingSteps(action, now, flag)
	case v1alpha1.DecisionApproved:
		if outcome := action.Spec.Outcome; outcome != nil {
			return []string{"do not act again; the outcome was reported: " + terminal.Safe(string(outcome.Result))}
		}
		if until := status.ValidUntil; until != nil && !now.Before(until.Time) {
			return []string{"the approval was good until " + terminal.Moment(until.Time) + "; submit the action again"}
		} else if until != nil {
			return []string{"act before " + terminal.Deadline(now, until.Time),
				fmt.Sprintf("then say how it went: ascend actions report %s%s --succeeded", name, flag)}
		}
		return []string{fmt.Sprintf("act, then say how it went: ascend actions report %s%s --succeeded", name, flag)}
	case v1alpha1.DecisionDenied:
		return []string{fmt.Sprintf("do not act; the whole reasoning: ascend explain %s%s", name, flag)}
	case v1alpha1.DecisionTimedOut:
		return []string{"do not act; nobody decided in time, so submit it again when somebody is there"}
	case v1alpha1.DecisionCancelled:
		return []string{"do not act; it was withdrawn"}
	default:
		return []string{"do not act; this version of ascend does not know the decision, use a newer one"}
	}
}

func pendingSteps(action *v1alpha1.AgentAction, now time.Time, flag string) []string {
	name, approval := terminal.Safe(action.Name), action.Status.Approval
	wait := fmt.Sprintf("wait for it: ascend wait %s%s", name, flag)
	if approval == nil || approval.Stage == "" {
		return []string{wait}
	}
	steps := []string{"waits in " + StageWord(approval)}
	if len(approval.PendingApprovers) > 0 {
		steps = append(steps, fmt.Sprintf("%s can agree: kubectl approve %s%s", EntryList(approval.PendingApprovers), name, flag))
	}
	if approval.Deadline != nil {
		steps = append(steps, "until "+terminal.Deadline(now, approval.Deadline.Time))
	}
	return append(steps, wait)
}

// byDecision is the end of a command whose exit code is the decision: nil only
// for an approval that is still good.
func byDecision(action *v1alpha1.AgentAction, now time.Time) error {
	status := &action.Status
	switch status.Decision {
	case v1alpha1.DecisionApproved:
		if outcome := action.Spec.Outcome; outcome != nil {
			return fmt.Errorf("the approval of %s is used: it was reported that it %s", terminal.Safe(action.Name), strings.ToLower(terminal.Safe(string(outcome.Result))))
		}
		if until := status.ValidUntil; until != nil && !now.Before(until.Time) {
			return fmt.Errorf("the approval of %s is no longer good, since %s (%s)", terminal.Safe(action.Name), terminal.Moment(until.Time), terminal.Safe(status.Reason))
		}
		return nil
	case v1alpha1.DecisionDenied:
		return session.ExitCodeError(session.ExitDenied)
	case v1alpha1.DecisionTimedOut:
		return session.ExitCodeError(session.ExitTimedOut)
	case v1alpha1.DecisionCancelled:
		return session.ExitCodeError(session.ExitCancelled)
	case v1alpha1.DecisionNone, v1alpha1.DecisionPending:
		return session.ExitCodeError(session.ExitPending)
	default:
		return fmt.Errorf("the decision about %s is \"%s\", which this version of ascend does not know; use a newer one", terminal.Safe(action.Name), terminal.Safe(string(status.Decision)))
	}
}

// finish prints an action in the format that was asked for, and ends the
// command with its decision.
func finish(s *session.Session, output *session.Output, action *v1alpha1.AgentAction) error {
	if output.ForPeople() {
		printResult(s, action)
	} else if err := output.Print(s.Out, action); err != nil {
		return err
	}
	return byDecision(action, s.Clock.Now())
}
