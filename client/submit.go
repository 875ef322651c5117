// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// Submit asks whether an action may be done, and returns as soon as the operator
// has looked at it: Approved, Denied, or Pending where people have to agree, for
// which Wait waits. A denial is a Result, no error.
//
// A call whose answer was lost makes no second action. Where an earlier call
// with the same IdempotencyKey has made it, that one is returned, with Created
// false; if it asked for something else Submit fails with a *ConflictError. It
// fails with a *ValidationError before anything is sent, an *OperatorAbsentError
// where the operator has not looked at it within Options.Timeout, an
// *AgentNotRegisteredError, a *SuspendedError, and as every request does.
func (c *Client) Submit(ctx context.Context, action Action) (*Result, error) {
	asked, err := c.submit(ctx, &action)
	if err != nil {
		return nil, err
	}
	return resultOf(asked.action, asked.created), nil
}

// submission is an action that was asked for, as it is known last.
type submission struct {
	action  *v1alpha1.AgentAction
	created bool   // by this very call
	digest  string // of what was asked
}

func (s *submission) uid() types.UID { return s.action.UID }

// submit is Submit. With an error it returns the submission where that was made;
// without a UID where ctx ended before anybody said whether it was.
func (c *Client) submit(ctx context.Context, action *Action) (*submission, error) {
	object, digest, err := action.object(c.options.Namespace, c.options.Agent)
	if err != nil {
		return nil, err
	}
	key := action.IdempotencyKey
	if key == "" {
		key = randomKey()
	}
	object.Name = actionName(c.options.Namespace, c.options.Agent, key)
	object.Annotations = map[string]string{SubmissionAnnotation: randomKey()}

	// Whoever waits before it is made misses nothing of it.
	one := c.watcher.begin(object.Name, false, "")
	defer c.watcher.end(one)
	if c.watcher.isClosed() {
		return nil, ErrClosed
	}
	made, created, err := c.create(ctx, object, digest)
	switch {
	case err != nil && ctx.Err() != nil:
		return &submission{action: object, digest: digest}, err
	case err != nil:
		return nil, err
	}
	asked := &submission{action: made, created: created, digest: digest}
	c.watcher.made(one, made)

	waiting, stop := context.WithTimeout(ctx, c.options.Timeout)
	defer stop()
	latest, err := c.await(waiting, one, func(a *v1alpha1.AgentAction) bool { return a.Status.Decision != v1alpha1.DecisionNone })
	if latest != nil {
		asked.action = latest
	}
	switch {
	case err == nil:
		return asked, nil
	case ctx.Err() == nil && waiting.Err() != nil:
		return asked, c.lookAgain(ctx, asked, err)
	default:
		return asked, err
	}
}

// lookAgain looks once more at an action that nothing was heard of: while no watch
// can be had, it was read last up to PollInterval ago. late is why it is asked for.
func (c *Client) lookAgain(ctx context.Context, asked *submission, late error) error {
	now, err := c.readOnce(ctx, asked.action.Name)
	missing := (*NotFoundError)(nil)
	switch {
	case errors.As(err, &missing), err == nil && now.UID != asked.uid():
		return gone(asked.action.Name)
	case err == nil && now.Status.Decision != v1alpha1.DecisionNone:
		asked.action = now
		return nil
	default:
		return c.notLooked(asked, late)
	}
}

// notLooked is the error of an action that the operator has not looked at.
func (c *Client) notLooked(asked *submission, err error) error {
	return &OperatorAbsentError{WaitTimeoutError{
		Problem: Problem{
			Message: fmt.Sprintf("the operator has not looked at action %s in namespace %s within %s; it may still do so", asked.action.Name, c.options.Namespace, c.options.Timeout),
			Help:    operatorHelp, cause: errors.Unwrap(err),
		},
		Last: resultOf(asked.action, asked.created),
	}}
}

// create makes the action, however often that takes, and says whether this call
// has made it.
func (c *Client) create(ctx context.Context, object *v1alpha1.AgentAction, digest string) (*v1alpha1.AgentAction, bool, error) {
	body, err := json.Marshal(object)
	if err != nil {
		return nil, false, invalidf("Action", "", "%v", err)
	}
	made := &v1alpha1.AgentAction{}
	_, err = c.call(ctx, &call{verb: "create", resource: "agentactions", method: http.MethodPost, path: c.actions(""),
		contentType: "application/json", body: body}, made)
	exists := (*ConflictError)(nil)
	switch {
	case errors.As(err, &exists) && exists.Reason == "AlreadyExists":
		return c.existing(ctx, object, digest)
	case err != nil:
		return nil, false, err
	case made.Name != object.Name || made.UID == "":
		return nil, false, unreadable("create agentactions")
	}
	return made, true, sameRequest(made, digest)
}

// existing is the action that has the name already: this call's own, whose
// answer was lost, or an earlier one of the same key.
func (c *Client) existing(ctx context.Context, object *v1alpha1.AgentAction, digest string) (*v1alpha1.AgentAction, bool, error) {
	found, _, err := c.read(ctx, object.Name)
	if err != nil {
		return nil, false, err
	}
	if found.Annotations[SubmissionAnnotation] == object.Annotations[SubmissionAnnotation] {
		return found, true, sameRequest(found, digest)
	}
	if stored, err := request.Digest(&found.Spec); err != nil || stored != digest {
		return nil, false, &ConflictError{
			Problem: Problem{
				Message: "action " + found.Name + " has the same IdempotencyKey and asks for something else; " + resultOf(found, false).standing(),
				Help:    "Give another request another IdempotencyKey.", Status: http.StatusConflict, Reason: "AlreadyExists",
			},
			Existing: resultOf(found, false),
		}
	}
	return found, false, nil
}

// sameRequest holds what was stored to what was sent.
func sameRequest(stored *v1alpha1.AgentAction, digest string) error {
	if found, err := request.Digest(&stored.Spec); err != nil || found != digest {
		return &IntegrityError{Problem{Message: "action " + stored.Name + " was stored as another request than the one that was sent; nothing was run",
			Help: "Something between here and the operator changes requests: look for mutating webhooks, and proxies."}}
	}
	return nil
}

// await waits until there is enough, and returns the action as it is known last,
// also with an error: a *WaitTimeoutError when ctx's deadline came first, ctx's
// error when it was cancelled.
func (c *Client) await(ctx context.Context, one *waiter, enough func(*v1alpha1.AgentAction) bool) (*v1alpha1.AgentAction, error) {
	began := time.Now()
	for {
		latest, failure, trouble := c.watcher.state(one)
		switch {
		case latest != nil && enough(latest):
			return latest, nil
		case failure != nil:
			return latest, failure
		}
		select {
		case <-one.changed:
		case <-ctx.Done():
			return latest, c.waitEnded(ctx, one.name, latest, trouble, time.Since(began))
		}
	}
}

func (c *Client) waitEnded(ctx context.Context, name string, latest *v1alpha1.AgentAction, trouble error, took time.Duration) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("wait for action %s: %w", name, ctx.Err())
	}
	timeout := &WaitTimeoutError{Problem: Problem{
		Message: fmt.Sprintf("no decision about action %s within %s", name, took.Round(time.Millisecond)),
		Help:    "It goes on: wait again, or withdraw it:\n  ascend actions cancel " + name + " -n " + c.options.Namespace,
		cause:   ctx.Err(),
	}}
	if latest != nil {
		timeout.Last = resultOf(latest, false)
		timeout.Message += ": " + timeout.Last.standing()
	}
	if trouble != nil {
		timeout.cause = errors.Join(ctx.Err(), trouble)
		timeout.Message += "; it could not be read last: " + trouble.Error()
	}
	return timeout
}
