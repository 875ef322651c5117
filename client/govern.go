// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Govern submits an action, waits for the decision as long as ctx allows, and
// runs the function if, and only if, exactly this was approved and still holds
// at that moment. Then it reports how that went. It returns the function's error.
//
// The function runs at most once, and at once: between the last look at the
// action and the function nothing is tried again. It does not run where this
// call has not made the action itself, such as with an IdempotencyKey that was
// used before (*ConflictError); where Action's Parameters were changed after
// they were submitted (*IntegrityError); where the approval is not good any more
// by the cluster's clock (*ExpiredError, *SuspendedError); and where any of this
// cannot be told. What was not approved is a *DeniedError, a *PendingTimeoutError
// or a *CancelledError, each also a *NotApprovedError; besides those it fails as
// Submit and Wait do. What is not decided when Govern gives up, because ctx has
// ended or the operator is absent, is withdrawn, so that nobody approves it in
// vain; that may take Options.Timeout more. The function has run if, and only if,
// it was called: no error tells that by itself, but that a *ReportError is only of
// one that ran.
//
// An error or a panic of the function is reported as Failed, with its text up to
// 4,096 characters: keep secrets out of errors. A report that fails is joined to
// the error as a *ReportError, and what the function did stays done.
func (c *Client) Govern(ctx context.Context, action Action, run func(context.Context) error) error {
	asked, err := c.submit(ctx, &action)
	if err == nil && !asked.created {
		return notOurs(resultOf(asked.action, false))
	}
	if err == nil && !isFinal(asked.action) {
		err = c.settle(ctx, asked)
	}
	if err != nil {
		return c.giveUp(ctx, asked, err)
	}
	if !resultOf(asked.action, true).Approved() {
		return notApproved(resultOf(asked.action, true))
	}
	at, err := c.pass(ctx, asked, &action)
	if err != nil {
		return err
	}
	return c.carryOut(ctx, asked, at, run)
}

// settle waits until the action is decided.
func (c *Client) settle(ctx context.Context, asked *submission) error {
	one := c.watcher.begin(asked.action.Name, true, asked.uid())
	defer c.watcher.end(one)
	c.watcher.made(one, asked.action)
	latest, err := c.await(ctx, one, isFinal)
	if latest != nil {
		asked.action = latest
	}
	return err
}

// giveUp withdraws an action that was not decided in time, or whose caller has
// lost interest, and returns the error that says so; any other error as it is.
// asked is nil where nothing was made. It takes a time of its own.
func (c *Client) giveUp(ended context.Context, asked *submission, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ended), c.options.Timeout)
	defer cancel()
	if asked != nil && asked.uid() == "" {
		asked = c.undecided(ctx, asked)
	}
	var (
		timeout *WaitTimeoutError
		absent  *OperatorAbsentError
	)
	late := errors.As(err, &timeout)
	if asked == nil || !asked.created || !late && !errors.Is(err, ended.Err()) {
		return err
	}
	result := resultOf(asked.action, true)
	became, help := "it was not run, and was withdrawn", "Ask again when somebody can decide."
	if c.withdraw(ctx, asked) != nil {
		became = "it was not run, and will not be by this call"
		help = "Withdraw it, so that nobody approves it in vain:\n  ascend actions cancel " + result.ID + " -n " + c.options.Namespace
	}
	if !late || errors.As(err, &absent) {
		return fmt.Errorf("action %s: %s: %w", result.ID, became, err)
	}
	return &PendingTimeoutError{NotApprovedError{Result: result, Problem: Problem{
		Message: timeout.Message + "; " + became, Help: help, Reason: result.Reason, cause: err,
	}}}
}

// undecided is the action that this call has made although nobody said so before
// ctx ended; nil where there is none, or nothing that could be withdrawn.
func (c *Client) undecided(ctx context.Context, asked *submission) *submission {
	found, _, err := c.read(ctx, asked.action.Name)
	if err != nil || isFinal(found) || found.Annotations[SubmissionAnnotation] != asked.action.Annotations[SubmissionAnnotation] {
		return nil
	}
	return &submission{action: found, created: true, digest: asked.digest}
}

// withdraw takes back what nobody will run any more, so that nobody is asked to
// approve it.
func (c *Client) withdraw(ctx context.Context, asked *submission) error {
	return c.patch(ctx, asked.action.Name, asked.uid(), map[string]any{"cancelled": true})
}

// pass looks at the action once more and asks the gate.
func (c *Client) pass(ctx context.Context, asked *submission, action *Action) (reading, error) {
	now, at, err := c.read(ctx, asked.action.Name)
	if err != nil {
		return at, err
	}
	_, digest, err := action.object(c.options.Namespace, c.options.Agent)
	if err != nil {
		return at, doubt("the parameters were changed after they were submitted: %v", err)
	}
	if ctx.Err() != nil {
		return at, fmt.Errorf("action %s was not run: %w", asked.action.Name, ctx.Err())
	}
	return at, gate(asked, now, at, digest)
}

// carryOut runs the function and reports how it went, also where it panics or
// ends its goroutine.
func (c *Client) carryOut(ctx context.Context, asked *submission, at reading, run func(context.Context) error) (err error) {
	started, returned := at.about(), false
	defer func() {
		if returned {
			return
		}
		message := "the function ended its goroutine"
		problem := recover()
		if problem != nil {
			message = fmt.Sprintf("panic: %v", problem)
		}
		// Nobody can be told of a report that fails: what happened goes on.
		_ = c.report(ctx, asked, Outcome{Result: v1alpha1.OutcomeFailed, Message: message, StartedAt: started, CompletedAt: at.about()})
		if problem != nil {
			panic(problem)
		}
	}()
	err = run(ctx)
	returned = true
	outcome := Outcome{Result: v1alpha1.OutcomeSucceeded, StartedAt: started, CompletedAt: at.about()}
	if err != nil {
		outcome.Result, outcome.Message = v1alpha1.OutcomeFailed, fmt.Sprintf("%T: %v", err, err)
	}
	if unreported := c.report(ctx, asked, outcome); unreported != nil {
		return errors.Join(err, unreported)
	}
	return err
}

// reportTime bounds the report of a run, which goes on when ctx has ended: what
// was done is done, and the record has to say so.
const reportTime = 30 * time.Second

func (c *Client) report(ctx context.Context, asked *submission, outcome Outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportTime)
	defer cancel()
	err := c.reportOutcome(ctx, asked.action.Name, asked.uid(), outcome)
	if err == nil {
		return nil
	}
	how := " --succeeded"
	if outcome.Result == v1alpha1.OutcomeFailed {
		how = " --failed"
	}
	return &ReportError{ActionID: asked.action.Name, Problem: Problem{
		Message: "action " + asked.action.Name + " was run, and its outcome " + string(outcome.Result) + " could not be reported: " + err.Error(),
		Help:    "Report it later:\n  ascend actions report " + asked.action.Name + " -n " + c.options.Namespace + how, cause: err,
	}}
}
