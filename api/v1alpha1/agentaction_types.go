// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Requester is who submitted an action, as the API server knows them.
// Admission writes it; what a client sends is overwritten.
type Requester struct {
	// username of the requester.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Username string `json:"username,omitempty"`
	// uid of the requester.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	UID string `json:"uid,omitempty"`
	// groups of the requester.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=128
	Groups []UserName `json:"groups,omitempty"`
	// admittedAt is when admission let the action in, in UTC with microseconds.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}Z$`
	AdmittedAt *metav1.MicroTime `json:"admittedAt,omitempty"`
	// seal with which the operator knows its own stamp again. An action
	// without a valid one is denied.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Seal string `json:"seal,omitempty"`
}

// ExceptionRequest asks that a Deny be turned into an approval.
type ExceptionRequest struct {
	// ruleName is the SmartRule to be excepted from.
	// +required
	RuleName ObjectName `json:"ruleName,omitempty"`
	// justification for the people who decide.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Justification string `json:"justification,omitempty"`
}

// Verdict is what an approver says.
//
// +kubebuilder:validation:Enum=Approve;Deny;Override
type Verdict string

// The verdicts.
const (
	// VerdictApprove counts towards the stage.
	VerdictApprove Verdict = "Approve"
	// VerdictDeny denies the action at once.
	VerdictDeny Verdict = "Deny"
	// VerdictOverride counts towards the workflow's emergencyOverride.
	VerdictOverride Verdict = "Override"
)

// OverrideStage is the stage that entries with the verdict Override name. Who
// has overridden before the workflows changed, and has to do so again, adds "@"
// and status.approval.requestedAt, for an entry is never changed.
const OverrideStage = "emergency-override"

// Approval is one person's verdict in one stage. A human writes the verdict
// and a comment; the rest says what the verdict is bound to.
//
// +kubebuilder:validation:XValidation:rule=`[self.verdict, has(self.comment) ? self.comment : "", has(self.__as__) ? self.__as__ : "", has(self.uid) ? self.uid : "", has(self.specDigest) ? self.specDigest : "", has(self.workflowRevision) ? self.workflowRevision : "", has(self.seal) ? self.seal : ""] == [oldSelf.verdict, has(oldSelf.comment) ? oldSelf.comment : "", has(oldSelf.__as__) ? oldSelf.__as__ : "", has(oldSelf.uid) ? oldSelf.uid : "", has(oldSelf.specDigest) ? oldSelf.specDigest : "", has(oldSelf.workflowRevision) ? oldSelf.workflowRevision : "", has(oldSelf.seal) ? oldSelf.seal : ""] && has(self.time) == has(oldSelf.time) && (!has(self.time) || self.time == oldSelf.time)`,message="an approval cannot be changed once it is given, by nobody; another approver can deny the action: kubectl deny NAME"
// +kubebuilder:validation:XValidation:rule="(self.verdict == 'Override') == (self.stage == 'emergency-override' || self.stage.startsWith('emergency-override@'))",message="verdict Override goes with stage emergency-override, and only with it",fieldPath=".stage"
// +kubebuilder:validation:XValidation:rule="self.verdict != 'Override' || (has(self.comment) && size(self.comment) > 0)",message="an Override needs a comment that says why",fieldPath=".comment"
type Approval struct {
	// verdict is Approve, Deny or Override.
	// +required
	Verdict Verdict `json:"verdict,omitempty"`
	// comment for the record and for the requester.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	Comment string `json:"comment,omitempty"`
	// approver is the user name of whoever gives the verdict.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Approver string `json:"approver,omitempty"`
	// stage the verdict is for, as status.approval.stage names it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Stage string `json:"stage,omitempty"`
	// as is the entry of the stage's approvers that makes the approver
	// eligible: "user:NAME", "group:NAME" or "serviceaccount:NAMESPACE/NAME", or
	// "verb:approve" where anybody with the verb is. Left out: the approver has
	// to be named as a user or ServiceAccount.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	As string `json:"as,omitempty"`
	// uid of the approver.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	UID string `json:"uid,omitempty"`
	// time at which the verdict was given, in UTC with microseconds.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}Z$`
	Time *metav1.MicroTime `json:"time,omitempty"`
	// specDigest of the request the approver saw; the verdict counts for no other.
	// +optional
	// +kubebuilder:validation:MaxLength=71
	SpecDigest string `json:"specDigest,omitempty"`
	// workflowRevision is the status.approval.revision the verdict was given
	// under; the verdict counts under no other.
	// +optional
	// +kubebuilder:validation:MaxLength=71
	WorkflowRevision string `json:"workflowRevision,omitempty"`
	// seal with which the operator knows its own stamps again. An approval
	// without a valid one does not count.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Seal string `json:"seal,omitempty"`
}

// OutcomeResult says how an approved action went.
//
// +kubebuilder:validation:Enum=Succeeded;Failed
type OutcomeResult string

// The outcome results.
const (
	OutcomeSucceeded OutcomeResult = "Succeeded"
	OutcomeFailed    OutcomeResult = "Failed"
)

// Outcome is what the requester reports after acting.
//
// +kubebuilder:validation:XValidation:rule=`self.result == oldSelf.result && (has(self.message) ? self.message : "") == (has(oldSelf.message) ? oldSelf.message : "") && has(self.startedAt) == has(oldSelf.startedAt) && (!has(self.startedAt) || self.startedAt == oldSelf.startedAt) && has(self.completedAt) == has(oldSelf.completedAt) && (!has(self.completedAt) || self.completedAt == oldSelf.completedAt)`,message="an outcome is reported once and cannot be changed, by nobody; what comes after it is another action: kubectl create -f FILE"
type Outcome struct {
	// result is Succeeded or Failed.
	// +required
	Result OutcomeResult `json:"result,omitempty"`
	// message for the record.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Message string `json:"message,omitempty"`
	// startedAt is when the requester began to act, with microseconds.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`
	StartedAt *metav1.MicroTime `json:"startedAt,omitempty"`
	// completedAt is when the requester had finished, with microseconds.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`
	CompletedAt *metav1.MicroTime `json:"completedAt,omitempty"`
}

// AgentActionSpec is what an agent asks to do. It cannot be changed, but for
// approvals (which are added), cancelled (once) and outcome (once).
//
// +kubebuilder:validation:XValidation:rule="self.agentRef == oldSelf.agentRef",message="agentRef cannot be changed; submit a new action: kubectl create -f FILE",fieldPath=".agentRef"
// +kubebuilder:validation:XValidation:rule="self.actionType == oldSelf.actionType",message="actionType cannot be changed; submit a new action: kubectl create -f FILE",fieldPath=".actionType"
// +kubebuilder:validation:XValidation:rule=`(has(self.description) ? self.description : "") == (has(oldSelf.description) ? oldSelf.description : "")`,message="description cannot be changed; submit a new action: kubectl create -f FILE",fieldPath=".description"
// +kubebuilder:validation:XValidation:rule=`(has(self.resource) ? self.resource : "") == (has(oldSelf.resource) ? oldSelf.resource : "")`,message="resource cannot be changed; submit a new action: kubectl create -f FILE",fieldPath=".resource"
// +kubebuilder:validation:XValidation:rule="has(self.parameters) == has(oldSelf.parameters) && (!has(self.parameters) || self.parameters == oldSelf.parameters)",message="parameters cannot be changed; submit a new action: kubectl create -f FILE",fieldPath=".parameters"
// +kubebuilder:validation:XValidation:rule="has(self.context) == has(oldSelf.context) && (!has(self.context) || self.context == oldSelf.context)",message="context cannot be changed; submit a new action: kubectl create -f FILE",fieldPath=".context"
// +kubebuilder:validation:XValidation:rule="has(self.exceptionRequest) == has(oldSelf.exceptionRequest) && (!has(self.exceptionRequest) || self.exceptionRequest == oldSelf.exceptionRequest)",message="exceptionRequest cannot be changed; submit a new action: kubectl create -f FILE",fieldPath=".exceptionRequest"
// +kubebuilder:validation:XValidation:rule="self.ttlAfterDecision == oldSelf.ttlAfterDecision || (self.ttlAfterDecision.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self.ttlAfterDecision) == duration(oldSelf.ttlAfterDecision))",message="ttlAfterDecision cannot be changed; submit a new action: kubectl create -f FILE",fieldPath=".ttlAfterDecision"
// +kubebuilder:validation:XValidation:rule="has(self.requester) == has(oldSelf.requester) && (!has(self.requester) || self.requester == oldSelf.requester)",message="requester cannot be changed, for it is who submitted the action; leave it as it is, and change what is yours by kubectl patch",fieldPath=".requester"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.approvals) || (has(self.approvals) && oldSelf.approvals.all(o, self.approvals.exists(n, n.approver == o.approver && n.stage == o.stage)))",message="an approval cannot be removed once it is given; another approver can deny the action, or its requester cancel it: kubectl deny NAME",fieldPath=".approvals"
// +kubebuilder:validation:XValidation:rule="!oldSelf.cancelled || self.cancelled",message="a cancelled action stays cancelled; submit a new one: kubectl create -f FILE",fieldPath=".cancelled"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.outcome) || has(self.outcome)",message="an outcome is reported once and cannot be changed, by nobody; what comes after it is another action: kubectl create -f FILE",fieldPath=".outcome"
type AgentActionSpec struct {
	// agentRef names the Agent in whose name the action is submitted.
	// +required
	AgentRef LocalReference `json:"agentRef,omitzero"`
	// actionType says what kind of thing is to be done, such as database_read
	// or financial.transfer. Only lower-case letters, digits and _ . : / - so
	// that no spelling of a type can slip past a rule.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9_.:/-]*[a-z0-9])?$`
	ActionType string `json:"actionType,omitempty"`
	// description for the people who decide.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Description string `json:"description,omitempty"`
	// resource to act on. Rules and limits see every resource the action
	// names: this one and parameters.table, .resource, .path and .url.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Resource string `json:"resource,omitempty"`
	// parameters of the action: any JSON object up to 64 KiB.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Type=object
	Parameters *runtime.RawExtension `json:"parameters,omitempty"`
	// context of the action, for rules and people: any JSON object up to 64 KiB.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Type=object
	Context *runtime.RawExtension `json:"context,omitempty"`
	// exceptionRequest asks that a Deny be turned into an approval.
	// +optional
	ExceptionRequest *ExceptionRequest `json:"exceptionRequest,omitempty"`
	// ttlAfterDecision is how long the object is kept after its decision, from
	// 0s to 8760h; but for ten minutes after its creation at least.
	// +optional
	// +default="720h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="must be a duration from 0s to 8760h, such as 720h"
	TTLAfterDecision *metav1.Duration `json:"ttlAfterDecision,omitempty"`
	// requester is who submitted the action.
	// +optional
	Requester *Requester `json:"requester,omitempty"`
	// approvals are the verdicts given so far; they can only be added to.
	// +optional
	// +listType=map
	// +listMapKey=approver
	// +listMapKey=stage
	// +kubebuilder:validation:MaxItems=64
	Approvals []Approval `json:"approvals,omitempty"`
	// cancelled withdraws an undecided action.
	// +optional
	// +default=false
	Cancelled bool `json:"cancelled,omitempty"`
	// outcome is reported once by the requester, after the action was approved.
	// +optional
	Outcome *Outcome `json:"outcome,omitempty"`
}

// AgentAction is something an agent wants to do, and the decision about it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=aact,categories=ascend
// +kubebuilder:selectablefield:JSONPath=`.status.decision`
// +kubebuilder:selectablefield:JSONPath=`.spec.agentRef.name`
// +kubebuilder:selectablefield:JSONPath=`.status.risk.level`
// +kubebuilder:selectablefield:JSONPath=`.status.notification`
// +kubebuilder:printcolumn:name="Agent",type=string,JSONPath=`.spec.agentRef.name`
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.actionType`
// +kubebuilder:printcolumn:name="Risk",type=string,JSONPath=`.status.risk.level`
// +kubebuilder:printcolumn:name="Score",type=string,JSONPath=`.status.risk.score`
// +kubebuilder:printcolumn:name="Decision",type=string,JSONPath=`.status.decision`
// +kubebuilder:printcolumn:name="Rule",type=string,priority=1,JSONPath=`.status.decidingRule.name`
// +kubebuilder:printcolumn:name="Stage",type=string,priority=1,JSONPath=`.status.approval.stage`
// +kubebuilder:printcolumn:name="Requester",type=string,priority=1,JSONPath=`.spec.requester.username`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="!has(self.spec.outcome) || (has(self.status) && has(self.status.decision) && self.status.decision == 'Approved')",message="an outcome can be reported only after the action was approved, by its requester; see how far it is: kubectl get agentactions",fieldPath=".spec.outcome"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.approvals) || size(self.spec.approvals) == 0 || oldSelf.hasValue()",optionalOldSelf=true,message="an action cannot be submitted with approvals; they are given once it is pending, by kubectl approve",fieldPath=".spec.approvals"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.decision) || !(oldSelf.status.decision in ['Approved', 'Denied', 'TimedOut', 'Cancelled']) || (has(self.spec.approvals) ? size(self.spec.approvals) : 0) <= (has(oldSelf.spec.approvals) ? size(oldSelf.spec.approvals) : 0)",message="the action is already decided; no approval can be added, by nobody; its requester can submit a new action: kubectl create -f FILE",fieldPath=".spec.approvals"
// +kubebuilder:validation:XValidation:rule="!self.spec.cancelled || oldSelf.hasValue()",optionalOldSelf=true,message="an action cannot be submitted as cancelled; submit it, then cancel it as its requester: kubectl edit agentaction NAME",fieldPath=".spec.cancelled"
// +kubebuilder:validation:XValidation:rule="!self.spec.cancelled || oldSelf.spec.cancelled || !has(oldSelf.status) || !has(oldSelf.status.decision) || !(oldSelf.status.decision in ['Approved', 'Denied', 'TimedOut', 'Cancelled'])",message="the action is already decided and can no longer be cancelled, by nobody; what was approved ends by itself at status.validUntil: kubectl get agentaction NAME -o yaml",fieldPath=".spec.cancelled"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.decision) || !(oldSelf.status.decision in ['Approved', 'Denied', 'TimedOut', 'Cancelled']) || (has(self.status) && has(self.status.decision) && self.status.decision == oldSelf.status.decision)",message="a final decision never changes",fieldPath=".status.decision"
type AgentAction struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`
	// spec is what the agent asks to do.
	// +required
	Spec AgentActionSpec `json:"spec,omitzero"`
	// status is the decision, written by the operator alone.
	// +optional
	Status AgentActionStatus `json:"status,omitzero"`
}

// AgentActionList is a list of AgentActions.
//
// +kubebuilder:object:root=true
type AgentActionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []AgentAction `json:"items"`
}

// About the rules above:
//
// An empty description, resource, comment or message counts as one left out:
// that is what a Go client makes of it that reads an object and writes it back.
//
// The rules that compare parameters and context catch mistakes but not intent.
// Kubernetes compares objects of unknown fields by the keys that both have and
// by their number: it sees a changed, an added and a removed key, but not one
// key put in another's place. A ValidatingAdmissionPolicy, which compares the
// whole, has to hold what they miss.
// Source: k8s.io/apiserver/pkg/cel/common, unstructuredMap.Equal.
