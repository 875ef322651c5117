// SPDX-License-Identifier: Apache-2.0

package client

import (
	"net/http"
	"time"
)

// Problem is what every error of this package has. It is part of the types
// below and never returned by itself.
type Problem struct { //nolint:errname // a part of errors, and never one by itself
	// Message says what was wrong, and where.
	Message string
	// Help says what to do next; may have lines of its own, those with commands
	// indented. Empty where nothing can be done.
	Help string
	// Status is the HTTP status of the API server's answer; 0 where there was none.
	Status int
	// Reason is the code in CamelCase of the API server or of the decision; empty
	// where there is none.
	Reason string

	cause error
}

// Error returns the message, and the help below it.
func (p *Problem) Error() string {
	if p.Help == "" {
		return p.Message
	}
	return p.Message + "\n" + p.Help
}

// Unwrap returns what caused it, such as the error of the network; nil where
// that is all there is to know.
func (p *Problem) Unwrap() error { return p.cause }

// ConnectionError means: no answer of the API server, or none that can be read.
type ConnectionError struct{ Problem }

// AuthenticationError means: the API server does not know who asks: no key, a
// placeholder for one, or one that has expired.
type AuthenticationError struct{ Problem }

// AuthorizationError means: the API server or the operator knows who asks, and does
// not let them.
type AuthorizationError struct {
	Problem
	// Verb and Resource are what was asked for, such as create and agentactions.
	Verb, Resource string
	// Namespace in which it was asked for.
	Namespace string
}

// ValidationError means: what was given is over a limit or cannot be read; nothing
// was written.
type ValidationError struct {
	Problem
	// Field that is wrong, such as Action.Type or spec.parameters.
	Field string
}

// RateLimitError means: too many requests, and the time to try again is beyond the
// time there is.
type RateLimitError struct {
	Problem
	// RetryAfter is how long to wait; 0 where the API server did not say.
	RetryAfter time.Duration
}

// ServerError means: the API server answered with an error of its own, which did not
// pass in time where such do.
type ServerError struct{ Problem }

// passes says whether it may be another answer next time.
func (e *ServerError) passes() bool {
	switch e.Status {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

// WaitTimeoutError means: there was no final decision before ctx's deadline. Nothing
// is known of what will become of the action; it goes on.
type WaitTimeoutError struct {
	Problem
	// Last is how the action was seen last; nil where it never was.
	Last *Result
}

// OperatorAbsentError means: the operator has not looked at an action within
// Options.Timeout, or does not answer the API server. It is a WaitTimeoutError, too.
type OperatorAbsentError struct{ WaitTimeoutError }

// Unwrap returns the WaitTimeoutError that it is.
func (e *OperatorAbsentError) Unwrap() error { return &e.WaitTimeoutError }

// NotFoundError means: there is no such action, or not any more.
type NotFoundError struct{ Problem }

// AgentNotRegisteredError means: there is no Agent of that name in the namespace. It
// is a NotFoundError, too.
type AgentNotRegisteredError struct {
	NotFoundError
	// Agent and Namespace are where it was looked for.
	Agent, Namespace string
}

// Unwrap returns the NotFoundError that it is.
func (e *AgentNotRegisteredError) Unwrap() error { return &e.NotFoundError }

// NotInstalledError means: the API server does not know the kinds of the operator.
type NotInstalledError struct{ Problem }

// ConflictError means: something is there already, or is decided already, that stands
// against what was asked.
type ConflictError struct {
	Problem
	// Existing is the action that is there; nil where that is not known.
	Existing *Result
}

// SuspendedError means: the agent is suspended or retired; the kill switch is on.
type SuspendedError struct{ Problem }

// NotApprovedError means: the action ended, or the waiting for it did, and it may not
// be run. Each is one of the types below.
type NotApprovedError struct {
	Problem
	// Result is the action as it was seen last.
	Result *Result
}

// DeniedError means: a rule, a limit or an approver said no.
type DeniedError struct{ NotApprovedError }

// Unwrap returns the NotApprovedError that it is.
func (e *DeniedError) Unwrap() error { return &e.NotApprovedError }

// PendingTimeoutError means: nobody decided in time, be it the workflow's time or
// that of the caller's ctx, of which it then is the error, too.
type PendingTimeoutError struct{ NotApprovedError }

// Unwrap returns the NotApprovedError that it is.
func (e *PendingTimeoutError) Unwrap() error { return &e.NotApprovedError }

// CancelledError means: the action was withdrawn.
type CancelledError struct{ NotApprovedError }

// Unwrap returns the NotApprovedError that it is.
func (e *CancelledError) Unwrap() error { return &e.NotApprovedError }

// ExpiredError means: it was approved, and the approval is not good any more.
type ExpiredError struct{ NotApprovedError }

// Unwrap returns the NotApprovedError that it is.
func (e *ExpiredError) Unwrap() error { return &e.NotApprovedError }

// IntegrityError means: what was approved is not what would be run, or that cannot be
// told for sure; nothing was run.
type IntegrityError struct{ Problem }

// SignatureError means: a webhook delivery is not from who it says, or was changed,
// or is too old.
type SignatureError struct{ Problem }

// ReportError means: the outcome of an action that ran could not be reported. What
// the function did is done.
type ReportError struct {
	Problem
	// ActionID of the action.
	ActionID string
}
