// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Result is where a chain stands. The zero Result is none of them and has to be
// taken for a refusal.
type Result string

// The results.
const (
	// Waiting for people.
	Waiting Result = "Waiting"
	// Granted: every workflow was passed, by its stages or by its override.
	Granted Result = "Granted"
	// Denied: somebody eligible said no.
	Denied Result = "Denied"
	// TimedOut: nobody decided in time. State.OnTimeout says whether that
	// denies; it never approves.
	TimedOut Result = "TimedOut"
)

// Input is what is known about an action at one moment.
type Input struct {
	// Now decides whether a deadline or an escalation has come, and is the
	// moment from which everything runs when Prior is of another revision.
	Now time.Time
	// Prior is status.approval as written before; nil is none. Times that it
	// promised under the same revision are kept.
	Prior *v1alpha1.ApprovalStatus
	// Digest is the specDigest of the request. Empty: no verdict counts.
	Digest string
	// Approvals in any order. Their stamps must have been vouched for: this
	// package checks what they say, not who wrote them.
	Approvals []v1alpha1.Approval
	// Parties may not approve.
	Parties Parties
}

// State is where a chain stands, and what to write into status.approval.
type State struct {
	// Result is Waiting, Granted, Denied or TimedOut.
	Result Result
	// Overridden says that break-glass took the place of at least one workflow.
	Overridden bool
	// By is who denied, and Comment what they wrote, as written. Empty unless Denied.
	By      string
	Comment string
	// Status is complete and within the bounds of the schema.
	Status v1alpha1.ApprovalStatus
	// ValidFor is the shortest approvalValidity in the chain: how long an
	// approval is good once it is Granted.
	ValidFor time.Duration
	// NextChange is when the state may change by the passing of time alone: the
	// next escalation or deadline. Zero unless Waiting.
	NextChange time.Time
	// Message says the state to people. What it quotes from names and comments
	// is printable and bounded.
	Message string
	// Obstacle is what keeps the stage from being passed as it was meant, such as
	// too few people who could still approve. Empty unless Waiting, and then
	// usually empty. Message has it too.
	Obstacle string
	// OnTimeout is what happens, or has happened, at Status.Deadline: TimedOut or
	// Denied. A policy that is not known is Denied. Empty when Granted.
	OnTimeout v1alpha1.TimeoutPolicy
	// DecidingWorkflow is the workflow that waits, was denied in, ran out of
	// time, or was passed last.
	DecidingWorkflow Key
}
