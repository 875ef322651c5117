// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

const (
	// briefText is how many characters of a value are shown before a verdict.
	briefText = 400
	// briefWarnings is how many suspicious words are listed likewise.
	briefWarnings = 5
)

// brief is what is judged, in short: what the user agrees to when the verdict is
// given in the next moment. Cut says that something is too long to be shown.
func (j *judge) brief(action *v1alpha1.AgentAction, as string, found *findings) (s *sheet, cut bool) {
	s = &sheet{width: j.session.Screen.Width, style: j.session.Style()}
	s.add("", fmt.Sprintf("%s in namespace %s: %s on %s, %s", terminal.Safe(action.Name), terminal.Safe(action.Namespace),
		terminal.Mark(action.Spec.ActionType), resource(action), riskWords(action.Status.Risk)), terminal.Strong)
	cut = j.briefRequest(s, action)
	s.field("stage", j.stageLine(action, as))
	if digest, err := request.Digest(&action.Spec); err == nil {
		s.digest("request", "", digest)
	}
	if found.count > 0 {
		s.alarm(suspiciousWords(found.count) + ":")
		for _, line := range found.lines(briefWarnings) {
			s.add("  ! ", line, terminal.Bad)
		}
	}
	return s, cut
}

// briefRequest is who asks for what.
func (j *judge) briefRequest(s *sheet, action *v1alpha1.AgentAction) (cut bool) {
	spec := &action.Spec
	name := "an unknown requester"
	if by := spec.Requester; by != nil && by.Username != "" {
		name = terminal.Mark(by.Username)
	}
	field := func(label, text string) {
		if shown := bounded(text, briefText); shown != text {
			text, cut = shown, true
		}
		s.field(label, text)
	}
	s.field("asked by", fmt.Sprintf("%s for agent %s, %s", name, terminal.Mark(string(spec.AgentRef.Name)),
		terminal.Ago(j.session.Clock.Now(), actions.SubmittedAt(action))))
	if spec.Description != "" {
		field("description", quoted(spec.Description))
	}
	if exception := spec.ExceptionRequest; exception != nil {
		field("exception", "from rule "+terminal.Mark(string(exception.RuleName))+": "+quoted(exception.Justification))
	}
	if spec.Parameters != nil {
		field("parameters", short(spec.Parameters, 0))
	}
	if spec.Context != nil {
		field("context", short(spec.Context, 0))
	}
	if cut {
		s.field("", "All of it: "+reviewCommand(action))
	}
	return cut
}

// reviewCommand shows everything.
func reviewCommand(action *v1alpha1.AgentAction) string {
	return fmt.Sprintf("ascend review %s -n %s --full", terminal.ShellWord(action.Name), terminal.ShellWord(action.Namespace))
}

// askUnseen asks whether to approve what is too long to be shown here: what
// matters may stand where it was cut. Who gives its digest has seen it in
// ascend review, who says --yes wants no question. It fails when that is refused.
func (j *judge) askUnseen(ctx context.Context, action *v1alpha1.AgentAction, cut bool) error {
	if !cut || j.digest != "" || j.choice.yes || j.dryRun.On() || j.verdict == v1alpha1.VerdictDeny {
		return nil
	}
	yes, err := j.session.Confirm(ctx, fmt.Sprintf("%s %s, though not all of it was shown?", j.verb(), terminal.Safe(action.Name)))
	switch {
	case errors.Is(err, session.ErrNoAnswer):
		return fmt.Errorf("nothing was approved: %s is too long to be shown here, and %w\nLook at all of it and take the command at its end: %s", terminal.Safe(action.Name), err, reviewCommand(action))
	case err != nil:
		return fmt.Errorf("interrupted; nothing was approved")
	case !yes:
		return fmt.Errorf("nothing was approved, as you wish; all of it: %s", reviewCommand(action))
	default:
		return nil
	}
}

// askSuspicious asks whether to approve what has suspicious characters. A denial
// needs no such question, nor does a dry run. It fails when that is refused.
func (j *judge) askSuspicious(ctx context.Context, names []string, count int) error {
	if count == 0 || j.accept || j.dryRun.On() || j.verdict == v1alpha1.VerdictDeny {
		return nil
	}
	what, have, is := terminal.Safe(strings.Join(names, ", ")), "has", "is"
	if len(names) > 1 {
		have, is = "have", "are"
	}
	yes, err := j.session.Confirm(ctx, fmt.Sprintf("%s %s all the same, with %s?", j.verb(), what, suspiciousWords(count)))
	switch {
	case errors.Is(err, session.ErrNoAnswer):
		return fmt.Errorf("nothing was approved: %s %s %s, and %w\nLook at it with ascend review; if it means what you think, say so with --accept-suspicious",
			what, have, suspiciousWords(count), err)
	case err != nil:
		return fmt.Errorf("interrupted; nothing was approved")
	case !yes:
		return fmt.Errorf("nothing was approved, as you wish; what %s suspicious can be denied: kubectl deny %s --reason TEXT", is, strings.ReplaceAll(what, ",", ""))
	default:
		return nil
	}
}

// stageLine says where the verdict goes, and as whom it counts.
func (j *judge) stageLine(action *v1alpha1.AgentAction, as string) string {
	if j.verdict == v1alpha1.VerdictOverride {
		return "emergency override of " + actions.WorkflowNames(action.Status.Approval.Workflows)
	}
	return strings.TrimPrefix(actions.StageWord(action.Status.Approval), "stage ") + countsAs(as)
}
