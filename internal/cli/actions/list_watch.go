// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// listWatch prints a list, and then every action that is new or changed.
type listWatch struct {
	*actionsList
	table actionTable
	live  bool
	// seen is what of each action was shown last, so that a list which has to be
	// made again shows only what changed.
	seen map[types.UID]string
	// rows and objects are of the list, until it is complete.
	rows    *newest[row]
	objects *newest[v1alpha1.AgentAction]
	failure error
}

// follow is the list with --watch. It ends with ctx, which is no error.
func (o *actionsList) follow(ctx context.Context, cl client.WithWatch, where listScope) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w := &listWatch{
		actionsList: o, seen: map[types.UID]string{},
		table:   newActionTable(o.session, o.allNamespaces, o.output.IsWide()),
		rows:    &newest[row]{limit: o.limit, byAge: rowByAge},
		objects: &newest[v1alpha1.AgentAction]{limit: o.limit, byAge: byAge},
	}
	follower := &session.Follower{Client: cl, Options: where.options}
	err := follower.Run(ctx, func(change session.Change) {
		if w.failure == nil {
			w.failure = w.hear(change)
		}
		if w.failure != nil {
			stop()
		}
	})
	switch {
	case w.failure != nil:
		return w.failure
	case errors.Is(err, context.Canceled):
		return nil
	default:
		return o.session.Failed(err, "watch actions "+where.words)
	}
}

func (w *listWatch) hear(change session.Change) error {
	switch change.Kind {
	case session.Listing:
		w.rows.forget()
		w.objects.forget()
	case session.Present:
		return w.present(change.Action)
	case session.Listed:
		return w.listed()
	case session.Gone:
		delete(w.seen, change.Action.UID)
	case session.Lost:
		fmt.Fprintf(w.session.ErrOut, "connection lost (%s); trying again in %s\n", session.LossReason(change.Err), terminal.Span(change.Again))
	case session.Found:
		fmt.Fprintln(w.session.ErrOut, "connection is back")
	}
	return nil
}

func (w *listWatch) present(action *v1alpha1.AgentAction) error {
	if !w.wanted(action) || w.seen[action.UID] == action.ResourceVersion {
		return nil
	}
	w.seen[action.UID] = action.ResourceVersion
	byRow := w.byRow()
	switch {
	case w.live && byRow:
		return w.showRow(rowOf(action))
	case w.live:
		return w.output.Print(w.session.Out, action)
	case byRow:
		w.rows.add(rowOf(action))
	default:
		w.objects.add(*action)
		if len(w.objects.kept) > mostObjects {
			return &tooManyError{w.output.Format() + " with --watch"}
		}
	}
	return nil
}

// byRow says whether a row of each action is enough.
func (w *listWatch) byRow() bool {
	return w.output.ForPeople() || w.output.Format() == session.OutputName
}

// listed prints what was listed, in its order.
func (w *listWatch) listed() error {
	w.live = true
	for _, r := range w.rows.sorted() {
		w.table.add(r, w.session.Clock.Now())
		if w.output.Format() == session.OutputName {
			fmt.Fprintf(w.session.Out, "%s/%s\n", actionResource, terminal.Safe(r.name))
		}
	}
	for _, action := range w.objects.sorted() {
		if err := w.output.Print(w.session.Out, &action); err != nil {
			return err
		}
	}
	w.rows.forget()
	w.objects.forget()
	if w.output.ForPeople() {
		return w.table.Flush(w.session.Out)
	}
	return nil
}

func (w *listWatch) showRow(r row) error {
	if w.output.Format() == session.OutputName {
		_, err := fmt.Fprintf(w.session.Out, "%s/%s\n", actionResource, terminal.Safe(r.name))
		return err
	}
	w.table.add(r, w.session.Clock.Now())
	return w.table.Flush(w.session.Out)
}
