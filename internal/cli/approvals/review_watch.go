// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// follow shows the action until it is decided: on a terminal the page is drawn
// again in its place, otherwise the page comes once and a line for each change
// after it.
func (o *review) follow(ctx context.Context, action *v1alpha1.AgentAction) error {
	follower := &session.Follower{Client: o.judge.cl, Options: []client.ListOption{
		client.InNamespace(action.Namespace), client.MatchingFields{"metadata.name": action.Name}}}
	v := &reviewWatch{review: o, action: action, said: stateLine(action)}
	if o.session.Screen.Terminal {
		v.display = newDisplay(o.session)
		defer v.display.close()
	} else if err := o.sheetOf(ctx, action, o.session.Clock.Now(), o.session.Screen.Width).write(o.session.Out); err != nil {
		return err
	}
	if action.Status.Decision.IsFinal() {
		v.redraw(ctx)
		return nil
	}
	err := live(ctx, follower, v.hear, func() { v.redraw(ctx) })
	v.redraw(ctx)
	switch {
	case v.deleted:
		return fmt.Errorf("%s was deleted", terminal.Safe(action.Name))
	case err == nil || interrupted(ctx, err):
		return nil
	default:
		return o.judge.explained(o.session.Failed(err, "watch action "+terminal.Safe(action.Name)), action.Namespace)
	}
}

// reviewWatch is a review that goes on.
type reviewWatch struct {
	*review
	action  *v1alpha1.AgentAction
	display *display // nil: not on a terminal
	said    string   // the latest line, where it is not a terminal
	note    string
	deleted bool
	present bool // in the list that is being made
}

// hear takes in a change, and says whether it was the last.
func (v *reviewWatch) hear(change session.Change) bool {
	switch change.Kind {
	case session.Listing:
		v.present = false
	case session.Present:
		if change.Action.Name != v.action.Name || change.Action.Namespace != v.action.Namespace {
			return false
		}
		v.present = true
		v.action = change.Action
		v.judge.policy = newPolicy(v.judge.cl) // it may have changed, too
	case session.Gone:
		v.deleted = change.Action.UID == v.action.UID
	case session.Listed:
		v.deleted = !v.present
	case session.Lost:
		v.say(lostLine(change))
	case session.Found:
		v.say("")
	}
	if line := stateLine(v.action); line != v.said && v.display == nil && change.Kind == session.Present {
		v.said = line
		fmt.Fprintf(v.session.Out, "%s  %s\n", clockWord(v.session.Clock.Now()), line)
	}
	return v.deleted || v.action.Status.Decision.IsFinal()
}

// say shows a note below the page, or on stderr.
func (v *reviewWatch) say(note string) {
	v.note = note
	if v.display == nil && note != "" {
		fmt.Fprintln(v.session.ErrOut, note)
	}
}

func (v *reviewWatch) redraw(ctx context.Context) {
	if v.display == nil {
		return
	}
	_, height := v.display.size()
	v.display.draw(2*height/3, func(width int) []string {
		lines := v.sheetOf(ctx, v.action, v.session.Clock.Now(), width).lines
		if v.note != "" {
			lines = append(lines, "", v.note)
		}
		return lines
	})
}

// stateLine is how far an action is, on one line.
func stateLine(action *v1alpha1.AgentAction) string {
	status := &action.Status
	text := terminal.Safe(action.Name) + " " + actions.DecisionWord(status.Decision)
	if approval := status.Approval; approval != nil && approval.Stage != "" && !status.Decision.IsFinal() {
		text += ", " + actions.StageWord(approval)
	}
	if status.Message != "" {
		text += ": " + terminal.Mark(status.Message)
	}
	return text
}
