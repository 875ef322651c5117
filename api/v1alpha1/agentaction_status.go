// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Decision is what became of an action. The empty word means that it has not
// been evaluated yet. Approved, Denied, TimedOut and Cancelled are final.
//
// +kubebuilder:validation:Enum="";Pending;Approved;Denied;TimedOut;Cancelled
type Decision string

// The decisions.
const (
	// DecisionNone: not yet evaluated.
	DecisionNone Decision = ""
	// DecisionPending waits for people.
	DecisionPending Decision = "Pending"
	// DecisionApproved: the requester may act until validUntil.
	DecisionApproved Decision = "Approved"
	// DecisionDenied: the requester may not act.
	DecisionDenied Decision = "Denied"
	// DecisionTimedOut: nobody decided in time; the requester may not act.
	DecisionTimedOut Decision = "TimedOut"
	// DecisionCancelled: the requester withdrew the action.
	DecisionCancelled Decision = "Cancelled"
)

// IsFinal says whether the decision can no longer change. A word that is not
// known is not final.
func (d Decision) IsFinal() bool {
	switch d {
	case DecisionApproved, DecisionDenied, DecisionTimedOut, DecisionCancelled:
		return true
	case DecisionNone, DecisionPending:
		return false
	default:
		return false
	}
}

// FactorSource says where the value of a risk factor comes from.
//
// +kubebuilder:validation:Enum=claimed;catalog;agent;model;rule
type FactorSource string

// The factor sources.
const (
	// SourceClaimed: the action says so itself.
	SourceClaimed FactorSource = "claimed"
	// SourceCatalog: the RiskModel's catalog says so.
	SourceCatalog FactorSource = "catalog"
	// SourceAgent: the Agent says so.
	SourceAgent FactorSource = "agent"
	// SourceModel: the RiskModel or its built-in defaults say so.
	SourceModel FactorSource = "model"
	// SourceRule: a SmartRule with effect AdjustRisk says so.
	SourceRule FactorSource = "rule"
)

// RiskFactor is one part of a score. The base score and the deltas of all
// factors add up to the score, but for clamping, which is a factor itself.
type RiskFactor struct {
	// name of the factor, such as data-classification.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name,omitempty"`
	// value that was scored, such as pii.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Value string `json:"value,omitempty"`
	// source of the value.
	// +required
	Source FactorSource `json:"source,omitempty"`
	// delta it added.
	// +required
	Delta Delta `json:"delta,omitempty"`
	// note says what was remarkable, such as a claim that was overruled.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Note string `json:"note,omitempty"`
}

// RiskStatus is the score of an action and how it came about.
type RiskStatus struct {
	// score from 0.0 to 10.0.
	// +required
	Score Score `json:"score,omitempty"`
	// level of the score.
	// +required
	Level RiskLevel `json:"level,omitempty"`
	// cvssVector of the action's type. Empty when it cannot be read, and the
	// score is then at least 9.5.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	CVSSVector string `json:"cvssVector,omitempty"`
	// cvssBaseScore of the vector.
	// +optional
	CVSSBaseScore Score `json:"cvssBaseScore,omitempty"`
	// factors that were added to the base score, in the order of scoring.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Factors []RiskFactor `json:"factors,omitempty"`
}

// RuleReference names a SmartRule.
type RuleReference struct {
	// namespace of the rule; ascend-system when it is global.
	// +required
	Namespace ObjectName `json:"namespace,omitempty"`
	// name of the rule.
	// +required
	Name ObjectName `json:"name,omitempty"`
	// displayName of the rule.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	DisplayName string `json:"displayName,omitempty"`
}

// MatchedRule is a rule that matched an action.
type MatchedRule struct {
	RuleReference `json:",inline"`
	// effect it had, or would have had in mode Audit.
	// +required
	Effect RuleEffect `json:"effect,omitempty"`
	// mode of the rule.
	// +required
	Mode RuleMode `json:"mode,omitempty"`
	// note says what was remarkable, such as a condition that failed, or an
	// exception that was asked for.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Note string `json:"note,omitempty"`
}

// NearRule is a rule that covered an action, with a condition that was false.
type NearRule struct {
	RuleReference `json:",inline"`
	// effect it would have had.
	// +required
	Effect RuleEffect `json:"effect,omitempty"`
	// condition that was false, by its name.
	// +required
	// +kubebuilder:validation:MaxLength=63
	Condition string `json:"condition,omitempty"`
}

// UncountedApproval is an entry of spec.approvals that does not count, and why.
type UncountedApproval struct {
	// approver of the entry.
	// +required
	// +kubebuilder:validation:MaxLength=256
	Approver string `json:"approver,omitempty"`
	// stage of the entry.
	// +required
	// +kubebuilder:validation:MaxLength=256
	Stage string `json:"stage,omitempty"`
	// reason why it does not count, and what would help.
	// +required
	// +kubebuilder:validation:MaxLength=512
	Reason string `json:"reason,omitempty"`
}

// ApprovalStatus says who still has to agree, and until when.
type ApprovalStatus struct {
	// workflows that have to be passed, in this order.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Workflows []ObjectReference `json:"workflows,omitempty"`
	// revision of what has to be passed: a digest over these workflows. An
	// approval given under another revision is void.
	// +optional
	// +kubebuilder:validation:MaxLength=71
	Revision string `json:"revision,omitempty"`
	// stage that waits now. Empty after the last one.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Stage string `json:"stage,omitempty"`
	// stageIndex of that stage, from 0, over the stages of all workflows.
	// +optional
	// +kubebuilder:validation:Minimum=0
	StageIndex int32 `json:"stageIndex"`
	// stageCount is the number of stages of all workflows.
	// +optional
	// +kubebuilder:validation:Minimum=0
	StageCount int32 `json:"stageCount,omitempty"`
	// required approvals in this stage.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Required int32 `json:"required,omitempty"`
	// granted approvals in this stage.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Granted int32 `json:"granted"`
	// pendingApprovers who can still approve this stage, as "user:NAME",
	// "group:NAME" or "serviceaccount:NAMESPACE/NAME"; "verb:approve" stands for
	// anybody who holds the verb approve on the workflow.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=400
	// +kubebuilder:validation:items:MaxLength=600
	PendingApprovers []string `json:"pendingApprovers,omitempty"`
	// requestedAt is when approval under this revision was asked for.
	// +optional
	RequestedAt *metav1.MicroTime `json:"requestedAt,omitempty"`
	// stageStartedAt is when this stage began.
	// +optional
	StageStartedAt *metav1.MicroTime `json:"stageStartedAt,omitempty"`
	// deadline of this stage; after it, onTimeout of the workflow says what happens.
	// +optional
	Deadline *metav1.MicroTime `json:"deadline,omitempty"`
	// escalateAt is when this stage escalates, when it does and has not yet.
	// +optional
	EscalateAt *metav1.MicroTime `json:"escalateAt,omitempty"`
	// escalated says whether the escalation's approvers have joined this stage.
	// +optional
	Escalated bool `json:"escalated,omitempty"`
	// uncounted approvals, and why each does not count.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Uncounted []UncountedApproval `json:"uncounted,omitempty"`
}

// NotificationState says how far the notifications of a decision are.
//
// +kubebuilder:validation:Enum=Pending;Failing;Delivered;Failed
type NotificationState string

// The notification states.
const (
	// Some are still to be delivered.
	NotificationPending NotificationState = "Pending"
	// Some are still to be delivered, and one was given up.
	NotificationFailing NotificationState = "Failing"
	// All were delivered.
	NotificationDelivered NotificationState = "Delivered"
	// One at least was given up.
	NotificationFailed NotificationState = "Failed"
)

// AgentActionStatus is the decision about an action, and everything that led to it.
type AgentActionStatus struct {
	// observedGeneration is the generation of the spec that the status speaks of.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// decision is empty (not yet evaluated), Pending, Approved, Denied, TimedOut
	// or Cancelled. The last four are final: they never change.
	// +optional
	Decision Decision `json:"decision,omitempty"`
	// reason is a code in CamelCase for the decision.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Reason string `json:"reason,omitempty"`
	// message says the reason to people.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	Message string `json:"message,omitempty"`
	// risk of the action, and how the score came about.
	// +optional
	Risk *RiskStatus `json:"risk,omitempty"`
	// matchedRules in order of priority, then scope, then name; at most 64.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	MatchedRules []MatchedRule `json:"matchedRules,omitempty"`
	// nearRules covered the action, with a condition that was false; at most 16.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	NearRules []NearRule `json:"nearRules,omitempty"`
	// decidingRule is the rule that made the decision, when one did.
	// +optional
	DecidingRule *RuleReference `json:"decidingRule,omitempty"`
	// approval says who still has to agree, and until when.
	// +optional
	Approval *ApprovalStatus `json:"approval,omitempty"`
	// approvalURL is a page for approvers, when the operator has a template for it.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	ApprovalURL string `json:"approvalURL,omitempty"`
	// specDigest is the SHA-256 over the RFC 8785 canonical JSON of what was
	// asked, as sha256:HEX. Approvals are bound to it.
	// +optional
	// +kubebuilder:validation:MaxLength=71
	SpecDigest string `json:"specDigest,omitempty"`
	// policyRevision is a digest over the agent, the rules, the workflows and
	// the risk model that decided.
	// +optional
	// +kubebuilder:validation:MaxLength=71
	PolicyRevision string `json:"policyRevision,omitempty"`
	// submittedAt is when the API server stored the action.
	// +optional
	SubmittedAt *metav1.MicroTime `json:"submittedAt,omitempty"`
	// decidedAt is when the final decision was made.
	// +optional
	DecidedAt *metav1.MicroTime `json:"decidedAt,omitempty"`
	// validUntil is how long an approval is good.
	// +optional
	ValidUntil *metav1.MicroTime `json:"validUntil,omitempty"`
	// notification says how far notifications are; only where a subscription matches.
	// +optional
	Notification NotificationState `json:"notification,omitempty"`
	// notifications that are still to be delivered, oldest first.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=32
	Notifications []PendingNotification `json:"notifications,omitempty"`
	// recordedApprovals is how many entries of spec.approvals are in the audit trail.
	// +optional
	// +kubebuilder:validation:Minimum=0
	RecordedApprovals int32 `json:"recordedApprovals,omitempty"`
	// conditions of the action. Decided is True once the decision is final.
	// Reconciling is True while the action waits for people, and absent otherwise.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
