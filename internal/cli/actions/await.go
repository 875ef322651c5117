// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

const (
	// firstAnswer is how long a command that need not wait gives the operator,
	// so that what it prints is the answer and not that there is none yet.
	firstAnswer = 3 * time.Second
	// pollEvery is how often an action is read by who may not watch it.
	pollEvery = time.Second
)

// waiter waits for what becomes of an action.
type waiter struct {
	session *session.Session
	cl      client.WithWatch
	key     client.ObjectKey
	// enough says that there is no need to wait any longer.
	enough func(*v1alpha1.AgentAction) bool
	// progress is told while it waits; nil: nobody wants to know.
	progress *progress

	latest  *v1alpha1.AgentAction
	gone    bool
	failure error // that ended the waiting
}

// isDecided says whether the decision is final.
func isDecided(action *v1alpha1.AgentAction) bool { return action.Status.Decision.IsFinal() }

// isEvaluated says whether the operator has looked at the action at all.
func isEvaluated(action *v1alpha1.AgentAction) bool {
	return action.Status.Decision != v1alpha1.DecisionNone
}

// wait waits until there is enough, for as long as limit says, and without end
// where it is 0. It returns the action as it was seen last, also when the time
// was over. It fails when ctx ends, when the action is not there or not there
// any more, and when it may not be read. It outlives a connection that is cut.
func (w *waiter) wait(ctx context.Context, limit time.Duration) (*v1alpha1.AgentAction, error) {
	waiting, stop := context.WithCancel(ctx)
	if limit > 0 {
		waiting, stop = context.WithTimeout(ctx, limit)
	}
	defer stop()
	defer w.progress.begin()()
	err := w.watch(waiting, stop)
	if isRefused(err) { // to watch, or to list
		err = w.poll(waiting)
	}
	switch {
	case w.failure != nil:
		return nil, w.failure
	case w.gone:
		return nil, fmt.Errorf("%s was deleted while it waited; nothing is known of a decision", terminal.Safe(w.key.Name))
	case w.latest != nil && w.enough(w.latest):
		return w.latest, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case waiting.Err() != nil && w.latest != nil:
		return w.latest, nil // the time is over
	case waiting.Err() != nil:
		return nil, fmt.Errorf("could not read action %s within %s; is the cluster reachable? -v 6 shows every request", terminal.Safe(w.key.Name), limit)
	default:
		return nil, err
	}
}

// watch follows the action until there is enough.
func (w *waiter) watch(ctx context.Context, stop func()) error {
	follower := &session.Follower{Client: w.cl, Options: []client.ListOption{
		client.InNamespace(w.key.Namespace), client.MatchingFields{metav1.ObjectNameField: w.key.Name}}}
	err := follower.Run(ctx, func(change session.Change) {
		switch change.Kind {
		case session.Present:
			if w.see(change.Action) {
				stop()
			}
		case session.Listed:
			if w.latest == nil {
				w.failure = session.Missing(ctx, w.cl, session.ActionKind, w.key)
				stop()
			}
		case session.Gone:
			w.gone = true
			stop()
		case session.Lost:
			w.progress.lost(change.Err)
		case session.Listing, session.Found:
		}
	})
	if isRefused(err) {
		return err
	}
	return w.session.Failed(err, w.doing())
}

// poll is watch for those who may not.
func (w *waiter) poll(ctx context.Context) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		action := &v1alpha1.AgentAction{}
		err := w.cl.Get(ctx, w.key, action)
		switch {
		case err == nil && w.see(action):
			return nil
		case err == nil:
		case apierrors.IsNotFound(err) && w.latest != nil:
			w.gone = true
			return nil
		case apierrors.IsNotFound(err) && !session.IsKindMissing(err):
			return session.Missing(ctx, w.cl, session.ActionKind, w.key)
		case w.latest == nil || isRefused(err) || apierrors.IsUnauthorized(err):
			return w.session.Failed(err, w.doing())
		default:
			w.progress.lost(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// see takes note of the action as it is now, and says whether that is enough.
func (w *waiter) see(action *v1alpha1.AgentAction) bool {
	if w.latest != nil && w.latest.UID != action.UID {
		w.gone = true // and another came under its name
		return true
	}
	w.latest = action
	w.progress.show(action)
	return w.enough(action)
}

func (w *waiter) doing() string {
	return fmt.Sprintf("wait for action %s in namespace %s", terminal.Safe(w.key.Name), terminal.Safe(w.key.Namespace))
}

func isRefused(err error) bool {
	return err != nil && (apierrors.IsForbidden(err) || apierrors.IsMethodNotSupported(err))
}

// interrupted says what goes on after Ctrl-C. Other errors stay.
func interrupted(s *session.Session, err error, key client.ObjectKey) error {
	if !errors.Is(err, context.Canceled) {
		return err
	}
	fmt.Fprintf(s.ErrOut, "interrupted; the action goes on: ascend wait %s%s\n", terminal.Safe(key.Name), s.NamespaceFlag(key.Namespace))
	return session.ExitCodeError(session.ExitPending)
}
