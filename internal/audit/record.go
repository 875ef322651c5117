// SPDX-License-Identifier: Apache-2.0

// Package audit keeps the record of what was decided: one JSON line an event,
// each with the hash of the line before it.
package audit

import (
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// SchemaVersion is the version of Record.
const SchemaVersion = "v1alpha1"

// The events that only the audit trail knows.
const (
	// EventNotApplied: what the record before of the same uid and
	// resourceVersion tells of has not come true, for the action had changed
	// meanwhile. The decision about what it had become follows.
	EventNotApplied v1alpha1.EventType = "decision.not-applied"
	// EventResumed: records could not be kept for a while, and can again. It
	// speaks of no action.
	EventResumed v1alpha1.EventType = "audit.resumed"
	// EventRefused: admission refused what Actor wanted, for Reason. Nothing
	// was written.
	EventRefused v1alpha1.EventType = "admission.refused"
	// EventPurged: Actor, who holds the verb purge, may delete the action.
	EventPurged v1alpha1.EventType = "action.purged"
	// EventGone: the action goes with its namespace.
	EventGone v1alpha1.EventType = "action.gone"
	// EventWithdrawn: an approval that was not yet reported as used has lost
	// its validity, for its agent may not act any more.
	EventWithdrawn v1alpha1.EventType = "approval.withdrawn"
	// EventNotEnforced: webhooks or policies of admission are missing or
	// weakened. It speaks of no action.
	EventNotEnforced v1alpha1.EventType = "admission.not-enforced"
	// EventEnforced: admission is complete again. It speaks of no action.
	EventEnforced v1alpha1.EventType = "admission.enforced"
)

// Record is one event in the life of an action. It is made before what it
// tells of is written to the action, so that nothing is decided without one.
// Where the write was then refused, a record with EventNotApplied follows;
// where the process ended in between, the next one decides again and makes
// another record. So of several records of one uid the last one holds.
type Record struct {
	// SchemaVersion is the version of this schema.
	SchemaVersion string `json:"schemaVersion"`
	// Chain names the chain of one process, from its start.
	Chain string `json:"chain"`
	// Sequence counts the records of the chain from 1.
	Sequence uint64 `json:"sequence"`
	// Time at which the record was made, UTC.
	Time time.Time `json:"time"`
	// Event that happened, such as action.approved.
	Event v1alpha1.EventType `json:"event"`

	// Actor is the user who did, or wanted, what the event tells of; empty for
	// the operator itself.
	Actor string `json:"actor,omitempty"`
	// Kind of the object; empty for an AgentAction.
	Kind      string `json:"kind,omitempty"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
	// ResourceVersion of the action that was decided about.
	ResourceVersion string `json:"resourceVersion,omitempty"`
	Agent           string `json:"agent"`
	// Requester and Approvals are as vouched for, not as a client wrote them.
	Requester  string `json:"requester,omitempty"`
	ActionType string `json:"actionType"`
	Resource   string `json:"resource,omitempty"`

	Decision v1alpha1.Decision `json:"decision"`
	// BreakGlass marks an approval by emergency override.
	BreakGlass   bool               `json:"breakGlass,omitempty"`
	Reason       string             `json:"reason"`
	Message      string             `json:"message"`
	RiskScore    v1alpha1.Score     `json:"riskScore,omitempty"`
	RiskLevel    v1alpha1.RiskLevel `json:"riskLevel,omitempty"`
	MatchedRules []string           `json:"matchedRules,omitempty"`
	Approvals    []Approval         `json:"approvals,omitempty"`
	// Workflows are those that people have to pass, or had to, in this order.
	Workflows []string `json:"workflows,omitempty"`
	// ApprovalRevision is a digest over Workflows and what they ask for.
	ApprovalRevision string `json:"approvalRevision,omitempty"`
	SpecDigest       string `json:"specDigest,omitempty"`
	PolicyRevision   string `json:"policyRevision,omitempty"`
	// Request is everything else that decided, in the record of the first
	// decision about an action that could be read and whose requester is known.
	Request *Request `json:"request,omitempty"`

	// PreviousHash is the Hash of the record before, empty in the first.
	PreviousHash string `json:"previousHash,omitempty"`
	// Hash is sha256: and the SHA-256 over the RFC 8785 canonical JSON of the
	// record without this field.
	Hash string `json:"hash,omitempty"`
}

// Approval is a verdict as the record keeps it.
type Approval struct {
	Approver string           `json:"approver"`
	As       string           `json:"as,omitempty"`
	Stage    string           `json:"stage"`
	Verdict  v1alpha1.Verdict `json:"verdict"`
	Comment  string           `json:"comment,omitempty"`
}
