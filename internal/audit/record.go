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
	// EventStarted begins a chain. It tells where the chain before it ended, as
	// far as it is in the same place, and by which key checkpoints are signed. It
	// speaks of no action.
	EventStarted v1alpha1.EventType = "audit.started"
	// EventCheckpoint signs the chain up to the record before it. It speaks of no action.
	EventCheckpoint v1alpha1.EventType = "audit.checkpoint"
	// EventStopped ends a chain in order: nothing follows it. It speaks of no action.
	EventStopped v1alpha1.EventType = "audit.stopped"
	// EventEvaluated: risk, rules and workflows were applied to the action, for
	// the first time or to another result than before.
	EventEvaluated v1alpha1.EventType = "action.evaluated"
	// EventApprovalRecorded: Actor has given a verdict, which Approval is.
	EventApprovalRecorded v1alpha1.EventType = "approval.recorded"
	// EventOverridden: people approved by emergency override what the workflows
	// had not let through. The approval itself follows.
	EventOverridden v1alpha1.EventType = "action.overridden"
	// EventCollected: the decided action is deleted, its ttlAfterDecision is over.
	EventCollected v1alpha1.EventType = "action.collected"
	// EventPolicyCreated, EventPolicyUpdated and EventPolicyDeleted: admission let
	// Actor create, change or delete the SmartRule, ApprovalWorkflow, RiskModel,
	// Agent or WebhookSubscription that Kind and Name say.
	EventPolicyCreated v1alpha1.EventType = "policy.created"
	EventPolicyUpdated v1alpha1.EventType = "policy.updated"
	EventPolicyDeleted v1alpha1.EventType = "policy.deleted"
	// EventNotApplied: what the operator's own records before, of the same uid and
	// resourceVersion, tell of has not come true, for the action had changed
	// meanwhile. It has the words of the last of them. The decision about what the
	// action had become follows, with all that led to it.
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
	CVSSVector   string             `json:"cvssVector,omitempty"`
	MatchedRules []string           `json:"matchedRules,omitempty"`
	// DecidingRule is the rule that made the decision, as NAMESPACE/NAME.
	DecidingRule string `json:"decidingRule,omitempty"`
	// Controls are those that the matched rules in mode Enforce name, sorted.
	Controls  []string   `json:"controls,omitempty"`
	Approvals []Approval `json:"approvals,omitempty"`
	// Approval is the one verdict that EventApprovalRecorded tells of.
	Approval *Approval `json:"approval,omitempty"`
	// Workflows are those that people have to pass, or had to, in this order.
	Workflows []string `json:"workflows,omitempty"`
	// ApprovalRevision is a digest over Workflows and what they ask for.
	ApprovalRevision string `json:"approvalRevision,omitempty"`
	// Stage that waits now, what it still takes, from whom, and until when; only
	// while people are asked.
	Stage            string     `json:"stage,omitempty"`
	Required         int32      `json:"required,omitempty"`
	Granted          int32      `json:"granted,omitempty"`
	PendingApprovers []string   `json:"pendingApprovers,omitempty"`
	Deadline         *time.Time `json:"deadline,omitempty"`
	SpecDigest       string     `json:"specDigest,omitempty"`
	PolicyRevision   string     `json:"policyRevision,omitempty"`
	// Request is everything else that decided, in the record of the first
	// decision about an action that could be read and whose requester is known.
	Request *Request `json:"request,omitempty"`
	// Changes of an object of policy, by field, sorted; at most 64.
	Changes []Change `json:"changes,omitempty"`
	// Journal is about the trail itself; only with the events audit.*.
	Journal *Journal `json:"journal,omitempty"`

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
	// Time at which it was given, UTC; with EventApprovalRecorded.
	Time *time.Time `json:"time,omitempty"`
	// Uncounted says why it does not count; empty when it does.
	Uncounted string `json:"uncounted,omitempty"`
}

// Change is one field of an object of policy that became another.
type Change struct {
	// Field is its path, such as spec.effect or spec.stages[0].required.
	Field string `json:"field"`
	// Before and After are its JSON text, cut to 1,024 characters, with secrets
	// redacted; empty where there was none.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Journal is what a record tells of the trail itself.
type Journal struct {
	// Replica that keeps the chain, and the Version of the operator; with EventStarted.
	Replica string `json:"replica,omitempty"`
	Version string `json:"version,omitempty"`
	// Previous is where the chain before this one ended, in the same file; with
	// EventStarted. Left out where the file was empty, or there is none.
	Previous *Head `json:"previous,omitempty"`
	// Unfinished is the number of bytes of a line before this record that was not
	// written to its end, and is no part of any chain; with EventStarted and EventResumed.
	Unfinished int64 `json:"unfinished,omitempty"`
	// Checkpoint signs the record before this one; with EventCheckpoint.
	Checkpoint *Checkpoint `json:"checkpoint,omitempty"`
	// UnconfirmedFrom to UnconfirmedTo are the sequences of records before this
	// one that are in the trail although their writing was reported as failed, so
	// that what they tell of did not happen, or has another record; with EventResumed.
	UnconfirmedFrom uint64 `json:"unconfirmedFrom,omitempty"`
	UnconfirmedTo   uint64 `json:"unconfirmedTo,omitempty"`
	// Lost is how many records could not be kept although what they tell of went
	// on, under --audit-on-failure=continue; with EventResumed.
	Lost uint64 `json:"lost,omitempty"`
}

// Head is the last record of a chain, or of a part of it.
type Head struct {
	Chain    string `json:"chain"`
	Sequence uint64 `json:"sequence"`
	Hash     string `json:"hash"`
}

// Checkpoint is a head that was signed. Who has the public key can tell that the
// operator's process wrote every record of the chain up to it.
type Checkpoint struct {
	Head
	// Time at which it was signed, UTC.
	Time time.Time `json:"time"`
	// KeyID is the first 16 hexadecimal digits of the SHA-256 of the public key's
	// 32 bytes.
	KeyID string `json:"keyID"`
	// Signature is the Ed25519 signature, in base64, of the RFC 8785 canonical JSON
	// of the checkpoint without this field.
	Signature string `json:"signature,omitempty"`
}
