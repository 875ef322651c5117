// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// tellAfter is at which loss in a row a waiting command tells of it: one alone,
// as when an API server is restarted, concerns nobody.
const tellAfter = 2

// losses are how often the connection was lost since it was there last, and why.
type losses struct {
	inARow int
	why    error
}

// lost takes note of a lost connection. In a pipe, where there is no progress to
// look at, it tells once that what is waited for cannot be seen at the moment.
func (w *waiter) lost(why error) {
	w.losses = losses{w.losses.inARow + 1, why}
	w.progress.lost(why)
	if w.progress == nil && w.losses.inARow == tellAfter {
		fmt.Fprintf(w.session.ErrOut, "connection lost (%s); trying again until it is back\n", session.LossReason(why))
	}
}

// found takes note of a connection that is back.
func (w *waiter) found() {
	if w.progress == nil && w.losses.inARow >= tellAfter {
		fmt.Fprintln(w.session.ErrOut, "connection is back")
	}
	w.losses = losses{}
}

// tellTimeOver says that there was no decision within the time, and where the
// connection is lost, that there may be one.
func (w *waiter) tellTimeOver(action *v1alpha1.AgentAction, limit time.Duration) {
	switch {
	case isDecided(action):
	case w.losses.inARow > 0:
		fmt.Fprintf(w.session.ErrOut, "not known to be decided within %s: the connection to %s is lost (%s)\nWhat was known last follows; look again with ascend wait\n",
			limit, w.session.Cluster(), session.LossReason(w.losses.why))
	default:
		fmt.Fprintf(w.session.ErrOut, "not decided within %s\n", limit)
	}
}

// lastLook is how long the last look may take.
const lastLook = 2 * time.Second

// lookAgain reads the action once more when the time is over: a connection that
// hangs says nothing by itself, and what was seen last may be old. It does
// nothing where there is an answer already, or nothing to look at.
func (w *waiter) lookAgain(ctx context.Context) {
	if ctx.Err() != nil || w.latest == nil || w.gone || w.enough(w.latest) {
		return
	}
	ctx, stop := context.WithTimeout(ctx, lastLook)
	defer stop()
	action, status := &v1alpha1.AgentAction{}, apierrors.APIStatus(nil)
	err := w.cl.Get(ctx, w.key, action)
	switch {
	case err == nil:
		w.losses = losses{}
		w.see(action)
	case isAbsent(err):
		w.gone = true
	case !errors.As(err, &status): // otherwise the API server did answer
		w.losses = losses{w.losses.inARow + 1, err}
	}
}
