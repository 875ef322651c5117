// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/client"
	"github.com/ow-kai/ascend-operator/client/clienttest"
)

// counted is a function that counts how often it ran.
func counted(runs *int, err error) func(context.Context) error {
	return func(context.Context) error { *runs++; return err }
}

func TestGovern(t *testing.T) {
	server := clienttest.New(t)
	c := server.Client(t)
	runs := 0
	before := time.Now().Add(-2 * time.Second)
	if err := c.Govern(t.Context(), harmless, counted(&runs, nil)); err != nil || runs != 1 {
		t.Fatalf("%d runs, %v", runs, err)
	}
	outcome := server.Actions()[0].Spec.Outcome
	if outcome == nil || outcome.Result != v1alpha1.OutcomeSucceeded || outcome.StartedAt.After(outcome.CompletedAt.Time) ||
		outcome.StartedAt.Time.Before(before) || outcome.CompletedAt.After(time.Now().Add(2*time.Second)) {
		t.Errorf("outcome %+v", outcome)
	}
}

func TestGovernWaitsForPeople(t *testing.T) {
	server := clienttest.New(t)
	c := server.Client(t)
	go func() {
		id := server.AwaitPending(t)
		if err := server.Approve(id, "system:serviceaccount:default:test-agent", approvers); err == nil {
			t.Error("the agent approved its own action")
		}
		if err := server.Approve(id, approver, approvers); err != nil {
			t.Error(err)
		}
	}()
	runs := 0
	if err := c.Govern(t.Context(), pending, counted(&runs, nil)); err != nil || runs != 1 {
		t.Fatalf("%d runs, %v", runs, err)
	}
}

// What goes wrong in the function is reported, and returned as it is.
func TestGovernReportsFailure(t *testing.T) {
	server := clienttest.New(t)
	c := server.Client(t)
	broken, runs := errors.New("disk full"), 0
	err := c.Govern(t.Context(), harmless, counted(&runs, broken))
	var report *client.ReportError
	if err != broken || errors.As(err, &report) || runs != 1 { //nolint:errorlint // returned as it is
		t.Fatalf("%d runs, %v", runs, err)
	}
	if outcome := server.Actions()[0].Spec.Outcome; outcome.Result != v1alpha1.OutcomeFailed || outcome.Message != "*errors.errorString: disk full" {
		t.Errorf("outcome %+v", outcome)
	}
}

func TestGovernReportsAPanic(t *testing.T) {
	server := clienttest.New(t)
	c := server.Client(t)
	func() {
		defer func() {
			if problem := recover(); problem != "no such table" {
				t.Errorf("recovered %v", problem)
			}
		}()
		_ = c.Govern(t.Context(), harmless, func(context.Context) error { panic("no such table") })
		t.Error("the panic was swallowed")
	}()
	if outcome := server.Actions()[0].Spec.Outcome; outcome == nil || outcome.Result != v1alpha1.OutcomeFailed || outcome.Message != "panic: no such table" {
		t.Errorf("outcome %+v", outcome)
	}
}

// The outcome is reported although the caller has lost interest.
func TestGovernReportsAfterCancellation(t *testing.T) {
	server := clienttest.New(t)
	c := server.Client(t)
	ctx, stop := context.WithCancel(t.Context())
	err := c.Govern(ctx, harmless, func(ctx context.Context) error { stop(); return ctx.Err() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if outcome := server.Actions()[0].Spec.Outcome; outcome == nil || outcome.Result != v1alpha1.OutcomeFailed {
		t.Errorf("outcome %+v", outcome)
	}
}

// The function never runs where this call was not given leave for it.
func TestGovernDoesNotRun(t *testing.T) {
	server := clienttest.New(t)
	keyed := harmless
	keyed.IdempotencyKey = "nightly"
	if err := server.Client(t).Govern(t.Context(), keyed, func(context.Context) error { return nil }); err != nil {
		t.Fatal(err)
	}
	changing := map[string]any{"table": "customers", "affected_rows": 1}
	for name, test := range map[string]struct {
		action client.Action
		then   func(t *testing.T, id string) // when it waits for people
		want   func(error) bool
	}{
		"denied by a rule": {forbidden, nil, is[*client.DeniedError]},
		"denied by people": {pending, func(t *testing.T, id string) {
			if err := server.Deny(id, approver, approvers); err != nil {
				t.Error(err)
			}
		}, is[*client.DeniedError]},
		"nobody in time": {pending, func(*testing.T, string) { server.Advance(24 * time.Hour) }, is[*client.PendingTimeoutError]},
		"withdrawn": {pending, func(t *testing.T, id string) {
			if err := server.Client(t).Cancel(t.Context(), id); err != nil {
				t.Error(err)
			}
		}, is[*client.CancelledError]},
		"made by an earlier call": {keyed, nil, is[*client.ConflictError]},
		"changed meanwhile": {client.Action{Type: "database_write", Parameters: changing}, func(t *testing.T, id string) {
			changing["affected_rows"] = 100000
			if err := server.Approve(id, approver, approvers); err != nil {
				t.Error(err)
			}
		}, is[*client.IntegrityError]},
		"replaced meanwhile": {pending, func(t *testing.T, id string) {
			now := server.Now()
			err := server.Edit(id, func(a *v1alpha1.AgentAction) { a.UID = "another"; approve(a, now) })
			if err != nil {
				t.Error(err)
			}
		}, is[*client.NotFoundError]},
		"approved for another request": {pending, func(t *testing.T, id string) {
			now := server.Now()
			err := server.Edit(id, func(a *v1alpha1.AgentAction) { approve(a, now); a.Status.SpecDigest = "sha256:other" })
			if err != nil {
				t.Error(err)
			}
		}, is[*client.IntegrityError]},
		"already over": {pending, func(t *testing.T, id string) {
			before := server.Now().Add(-2 * time.Hour)
			err := server.Edit(id, func(a *v1alpha1.AgentAction) { approve(a, before) })
			if err != nil {
				t.Error(err)
			}
		}, is[*client.ExpiredError]},
	} {
		t.Run(name, func(t *testing.T) {
			var meanwhile sync.WaitGroup
			if test.then != nil {
				meanwhile.Go(func() { test.then(t, server.AwaitPending(t)) })
			}
			runs := 0
			err := server.Client(t).Govern(t.Context(), test.action, counted(&runs, nil))
			meanwhile.Wait()
			if runs != 0 || !test.want(err) {
				t.Errorf("%d runs, %T: %v", runs, err, err)
			}
		})
	}
}

func is[E error](err error) bool {
	var as E
	return errors.As(err, &as)
}

// approve makes an action approved past the operator.
func approve(action *v1alpha1.AgentAction, at time.Time) {
	decided, until := metav1.NewMicroTime(at), metav1.NewMicroTime(at.Add(time.Hour))
	action.Status.Decision, action.Status.DecidedAt, action.Status.ValidUntil = v1alpha1.DecisionApproved, &decided, &until
}

// An approval that ran out between the decision and the run, or was withdrawn by
// the kill switch, is none.
func TestGovernAfterTheDecision(t *testing.T) {
	for name, test := range map[string]struct {
		meanwhile func(*clienttest.Server)
		want      func(error) bool
	}{
		"expired":   {func(s *clienttest.Server) { s.Advance(2 * time.Hour) }, is[*client.ExpiredError]},
		"suspended": {func(s *clienttest.Server) { s.Suspend(clienttest.DefaultAgent) }, is[*client.ExpiredError]},
	} {
		t.Run(name, func(t *testing.T) {
			server := clienttest.New(t)
			options := server.Options()
			options.Config.Wrap(onceMade(func() { test.meanwhile(server) }))
			runs := 0
			if err := newClient(t, options).Govern(t.Context(), harmless, counted(&runs, nil)); runs != 0 || !test.want(err) {
				t.Errorf("%d runs, %T: %v", runs, err, err)
			}
		})
	}
}

// A wait that is over leaves nothing behind that would run later.
func TestGovernForAMoment(t *testing.T) {
	server := clienttest.New(t)
	var (
		err     error
		timeout *client.PendingTimeoutError
		runs    int
	)
	patiently(t, func(ctx context.Context) bool {
		err = server.Client(t).Govern(ctx, pending, counted(&runs, nil))
		return errors.As(err, &timeout) && timeout.Result.Decision != v1alpha1.DecisionNone
	})
	if runs != 0 || !errors.As(err, &timeout) || !errors.Is(err, context.DeadlineExceeded) || timeout.Result.Decision != v1alpha1.DecisionPending {
		t.Fatalf("%d runs, %T: %v", runs, err, err)
	}
	if !strings.Contains(err.Error(), "waits for") || !strings.Contains(err.Error(), "was withdrawn") {
		t.Errorf("says %v", err)
	}
	// Nobody is asked to approve it any more.
	if now, err := server.Client(t).Wait(t.Context(), timeout.Result.ID); err != nil || now.Decision != v1alpha1.DecisionCancelled {
		t.Errorf("%+v, %v", now, err)
	}
}

// However Govern gives up, nobody is asked to approve what will not be run.
func TestGovernGivesUp(t *testing.T) {
	for name, test := range map[string]struct {
		cancelled bool
		want      func(error) bool
	}{
		"the operator is absent": {false, is[*client.OperatorAbsentError]},
		"cancelled":              {true, func(err error) bool { return errors.Is(err, context.Canceled) }},
	} {
		t.Run(name, func(t *testing.T) {
			server := clienttest.New(t)
			server.StopOperator()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			options := server.Options()
			options.Timeout = 5 * time.Second // so that what is not about the operator is done in it
			options.Config.Wrap(func(next http.RoundTripper) http.RoundTripper {
				return roundTripper(func(r *http.Request) (*http.Response, error) {
					response, err := next.RoundTrip(r)
					if err != nil || r.Method != http.MethodPost || !test.cancelled {
						return response, err
					}
					body, err := io.ReadAll(response.Body) // before it could be cut
					response.Body = io.NopCloser(bytes.NewReader(body))
					cancel()
					return response, err
				})
			})
			runs := 0
			err := newClient(t, options).Govern(ctx, pending, counted(&runs, nil))
			if runs != 0 || !test.want(err) || !strings.Contains(err.Error(), "was withdrawn") {
				t.Errorf("%d runs, %T: %v", runs, err, err)
			}
			server.StartOperator()
			if now := server.Actions()[0]; now.Status.Decision != v1alpha1.DecisionCancelled {
				t.Errorf("it is %s", now.Status.Decision)
			}
		})
	}
}

// What was made although ctx ended before anybody said so is withdrawn, too.
func TestGovernWithdrawsWhatItDoesNotKnowOf(t *testing.T) {
	server := clienttest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	options := server.Options()
	options.Config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodPost {
				return next.RoundTrip(r)
			}
			response, err := next.RoundTrip(r)
			if err == nil {
				response.Body.Close()
			}
			cancel()
			return nil, context.Cause(ctx)
		})
	})
	runs := 0
	err := newClient(t, options).Govern(ctx, pending, counted(&runs, nil))
	if runs != 0 || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "was withdrawn") {
		t.Errorf("%d runs, %T: %v", runs, err, err)
	}
	if now := server.Actions()[0]; now.Status.Decision != v1alpha1.DecisionCancelled {
		t.Errorf("it is %s", now.Status.Decision)
	}
}

// What ran is reported by the line that the error gives, where Govern cannot.
func TestGovernCannotReport(t *testing.T) {
	server := clienttest.New(t)
	options := server.Options()
	options.Config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodPatch {
				return next.RoundTrip(r)
			}
			body := failure(http.StatusForbidden, "Forbidden", "no")
			return &http.Response{StatusCode: http.StatusForbidden, Body: io.NopCloser(strings.NewReader(body))}, nil
		})
	})
	c := newClient(t, options)
	for flag, result := range map[string]error{"--succeeded": nil, "--failed": errors.New("disk full")} {
		err := c.Govern(t.Context(), harmless, func(context.Context) error { return result })
		var report *client.ReportError
		if !errors.As(err, &report) || !errors.Is(err, result) && result != nil ||
			!strings.HasSuffix(report.Help, "\n  ascend actions report "+report.ActionID+" -n default "+flag) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}
