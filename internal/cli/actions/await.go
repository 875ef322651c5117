// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
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
	// uid of the action, where it is known before: another one of its name is
	// not waited for.
	uid types.UID
	// enough says that there is no need to wait any longer.
	enough func(*v1alpha1.AgentAction) bool
	// progress is told while it waits; nil: nobody wants to know.
	progress *progress

	latest  *v1alpha1.AgentAction
	losses  losses
	listed  bool // in the list that is being made
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
	if waiting.Err() != nil {
		w.lookAgain(ctx)
	}
	return w.result(ctx, waiting, limit, err)
}

// result is what came of waiting, which ended with err or because waiting did.
func (w *waiter) result(ctx, waiting context.Context, limit time.Duration, err error) (*v1alpha1.AgentAction, error) {
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
		case session.Listing:
			w.listed = false
		case session.Present:
			w.listed = true
			if w.see(change.Action) {
				stop()
			}
		case session.Listed:
			if !w.listed && !w.gone {
				w.failure = w.absent(ctx)
				stop()
			}
		case session.Gone:
			w.gone = true
			stop()
		case session.Lost:
			w.lost(change.Err)
		case session.Found:
			w.found()
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
			w.found()
		case isAbsent(err):
			return w.absent(ctx)
		case w.latest == nil || isRefused(err) || apierrors.IsUnauthorized(err):
			return w.session.Failed(err, w.doing())
		default:
			w.lost(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// absent takes note that the action is not there: one that is known was deleted,
// be it while the connection was lost; any other is missing, which is an error.
func (w *waiter) absent(ctx context.Context) error {
	if w.latest != nil || w.uid != "" {
		w.gone = true
		return nil
	}
	return w.session.Missing(ctx, w.cl, session.ActionKind, w.key)
}

// see takes note of the action as it is now, and says whether that is enough.
func (w *waiter) see(action *v1alpha1.AgentAction) bool {
	if w.uid != "" && w.uid != action.UID {
		w.gone = true // and another came under its name
		return true
	}
	w.latest, w.uid = action, action.UID
	w.progress.show(action)
	return w.enough(action)
}

func (w *waiter) doing() string {
	return fmt.Sprintf("wait for action %s in namespace %s", terminal.Safe(w.key.Name), terminal.Safe(w.key.Namespace))
}

func isRefused(err error) bool {
	return err != nil && (apierrors.IsForbidden(err) || apierrors.IsMethodNotSupported(err))
}

// isAbsent says whether there is no such object, in contrast to no such kind.
func isAbsent(err error) bool { return apierrors.IsNotFound(err) && !session.IsKindMissing(err) }

// interrupted says what goes on after Ctrl-C. Other errors stay.
func interrupted(s *session.Session, err error, key client.ObjectKey) error {
	if !errors.Is(err, context.Canceled) {
		return err
	}
	fmt.Fprintf(s.ErrOut, "interrupted; the action goes on: ascend wait %s%s\n", terminal.Safe(key.Name), s.NamespaceFlag(key.Namespace))
	return session.ExitCodeError(session.ExitPending)
}
