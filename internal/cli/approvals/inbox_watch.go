// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// inboxWatch is an inbox that goes on.
type inboxWatch struct {
	*inbox
	box     *mailbox
	display *display // nil: not on a terminal
	listed  bool
	// said is the latest line about each letter, where it is not a terminal; it
	// outlasts a list that is made again.
	said map[types.UID]string
	note string
}

// follow keeps the list up to date until ctx ends, which is no failure.
func (o *inbox) follow(ctx context.Context) error {
	w := &inboxWatch{inbox: o, box: o.newMailbox(), said: map[types.UID]string{}}
	w.box.elsewhere = map[types.UID]bool{}
	if o.session.Screen.Terminal {
		w.display = newDisplay(o.session)
		defer w.display.close()
	}
	follower := &session.Follower{Client: o.judge.cl, Options: o.choice.scope(o.namespace)}
	err := live(ctx, follower, func(change session.Change) bool { w.hear(ctx, change); return false }, w.redraw)
	if interrupted(ctx, err) {
		return nil
	}
	return o.failed(err, "watch")
}

func (w *inboxWatch) hear(ctx context.Context, change session.Change) {
	now := w.session.Clock.Now()
	switch change.Kind {
	case session.Listing:
		w.listed = false
		w.box.empty()
		w.judge.policy = newPolicy(w.judge.cl)
	case session.Present:
		w.box.put(ctx, change.Action, now)
		w.tell(ctx, change.Action, now)
	case session.Gone:
		w.box.remove(change.Action.UID)
		w.tell(ctx, change.Action, now)
	case session.Listed:
		w.listed = true
		w.greet(ctx)
	case session.Lost:
		w.say(lostLine(change))
	case session.Found:
		w.say("")
	}
}

// greet begins the lines of a pipe with what waits already, in its order, and
// takes leave of what has gone while the connection was lost.
func (w *inboxWatch) greet(ctx context.Context) {
	if w.display != nil {
		return
	}
	if len(w.box.letters) == 0 && len(w.said) == 0 {
		for _, line := range w.nothing(w.box) {
			fmt.Fprintln(w.session.ErrOut, line)
		}
	}
	byName := map[string]types.UID{}
	for uid, l := range w.box.letters {
		byName[l.namespace+"/"+l.name] = uid
	}
	for _, l := range w.box.sorted() {
		w.line(byName[l.namespace+"/"+l.name], l, w.session.Clock.Now())
	}
	for uid, line := range w.said {
		if w.box.letters[uid] == nil {
			key, _, _ := strings.Cut(line, "\x00")
			namespace, name, _ := strings.Cut(key, "/")
			w.leave(ctx, uid, namespace, name)
		}
	}
}

// tell says on a line of its own what has changed for the user.
func (w *inboxWatch) tell(ctx context.Context, action *v1alpha1.AgentAction, now time.Time) {
	if w.display != nil || !w.listed {
		return
	}
	if l := w.box.letters[action.UID]; l != nil {
		w.line(action.UID, l, now)
		return
	}
	if w.said[action.UID] != "" {
		w.leave(ctx, action.UID, action.Namespace, action.Name)
	}
}

// line tells of a letter that is new, or says something else than before.
func (w *inboxWatch) line(uid types.UID, l *letter, now time.Time) {
	text := fmt.Sprintf("%s: %s on %s, risk %s, agent %s, stage %s %s", terminal.Safe(l.name), l.kind, l.resource, l.risk, l.agent, l.stage, l.given)
	if w.choice.allNamespaces {
		text = terminal.Safe(l.namespace) + "/" + text
	}
	if !l.deadline.IsZero() {
		text += ", until " + l.deadline.UTC().Format("15:04:05")
	}
	if l.suspicious > 0 {
		text += ", " + strings.ToUpper(suspiciousWords(l.suspicious))
	}
	word := "waits"
	switch {
	case !l.place.mine:
		word = "waits for " + l.place.others
	case w.said[uid] != "" && !strings.HasSuffix(w.said[uid], "\x00"):
		word = "still waits"
	}
	said := l.namespace + "/" + l.name + "\x00" + text
	if w.said[uid] == said {
		return
	}
	w.said[uid] = said
	fmt.Fprintf(w.session.Out, "%s  %-11s  %s\n", clockWord(now), word, text)
}

// leave tells of a letter that no longer waits for the user, and why. One that
// waits for others is told of again when it is decided.
func (w *inboxWatch) leave(ctx context.Context, uid types.UID, namespace, name string) {
	key := namespace + "/" + name + "\x00"
	text := terminal.Safe(name)
	if w.choice.allNamespaces {
		text = terminal.Safe(namespace) + "/" + text
	}
	now := w.session.Clock.Now()
	word := "gone"
	action := &v1alpha1.AgentAction{}
	err := w.judge.cl.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, action)
	switch {
	case apierrors.IsNotFound(err) || err == nil && action.UID != uid:
		word = "deleted"
	case err != nil: // it is not known what became of it
	case action.Status.Decision == v1alpha1.DecisionPending:
		if w.said[uid] != key {
			w.said[uid] = key
			fmt.Fprintf(w.session.Out, "%s  %-11s  %s: waits for %s\n", clockWord(now), "passed on", text, w.judge.placeOf(ctx, action, now).others)
		}
		return
	default:
		word = strings.ToLower(actions.DecisionWord(action.Status.Decision))
		if action.Status.Message != "" {
			text += ": " + terminal.Mark(action.Status.Message)
		}
	}
	delete(w.said, uid)
	fmt.Fprintf(w.session.Out, "%s  %-11s  %s\n", clockWord(now), word, text)
}

// say shows a note below the table, or on stderr.
func (w *inboxWatch) say(note string) {
	w.note = note
	if w.display == nil && note != "" {
		fmt.Fprintln(w.session.ErrOut, note)
	}
}

func (w *inboxWatch) redraw() {
	if w.display == nil || !w.listed && w.note == "" {
		return
	}
	w.display.draw(2, func(width int) []string {
		now := w.session.Clock.Now()
		letters := w.box.sorted()
		var text strings.Builder
		if len(letters) > 0 {
			if err := w.table(letters, now, width).Flush(&text); err != nil {
				return nil
			}
		}
		lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
		if len(letters) == 0 {
			lines = nil
		}
		lines = append(lines, w.closing(w.box, letters)...)
		if w.note != "" {
			lines = append(lines, "! "+w.note)
		}
		return lines
	})
}

// clockWord is the time of day of a line.
func clockWord(now time.Time) string { return now.UTC().Format("15:04:05") }
