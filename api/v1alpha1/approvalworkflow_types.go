// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// TimeoutPolicy says what becomes of an action nobody decided in time. There
// is no policy that approves.
//
// +kubebuilder:validation:Enum=TimedOut;Denied
type TimeoutPolicy string

// The timeout policies.
const (
	OnTimeoutTimedOut TimeoutPolicy = "TimedOut"
	OnTimeoutDenied   TimeoutPolicy = "Denied"
)

// ApproverSet names people and ServiceAccounts; whoever is in any of the lists is in the set.
//
// +kubebuilder:validation:XValidation:rule="(has(self.users) && size(self.users) > 0) || (has(self.groups) && size(self.groups) > 0) || (has(self.serviceAccounts) && size(self.serviceAccounts) > 0)",message="name at least one user, group or ServiceAccount; with nobody in it, nobody could ever approve"
type ApproverSet struct {
	// users by the name that authentication gives them.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	Users []UserName `json:"users,omitempty"`
	// groups by the name that authentication gives them.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	Groups []UserName `json:"groups,omitempty"`
	// serviceAccounts by namespace and name.
	// +optional
	// +listType=map
	// +listMapKey=namespace
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	ServiceAccounts []ServiceAccountReference `json:"serviceAccounts,omitempty"`
}

// Escalation widens the circle of a stage's approvers when it waits too long.
type Escalation struct {
	// after this time from the start of the stage, from 1s to 720h, the
	// approvers below join those of the stage. Left out: at the stage's
	// timeout, which is then granted once more.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="must be a duration from 1s to 720h, such as 30m or 1h30m"
	After *metav1.Duration `json:"after,omitempty"`
	// approvers who join.
	// +required
	Approvers ApproverSet `json:"approvers,omitzero"`
}

// Stage is one step of a workflow: a number of people out of a set.
//
// +kubebuilder:validation:XValidation:rule="(has(self.approvers.groups) && size(self.approvers.groups) > 0) || self.required <= (has(self.approvers.users) ? size(self.approvers.users) : 0) + (has(self.approvers.serviceAccounts) ? size(self.approvers.serviceAccounts) : 0)",message="required is larger than the number of users and serviceAccounts named, so the stage could never be passed",fieldPath=".required"
// +kubebuilder:validation:XValidation:rule="!has(self.escalation) || has(self.escalation.after) || has(self.timeout)",message="escalation needs an after, or the stage a timeout, otherwise it would never happen",fieldPath=".escalation"
// +kubebuilder:validation:XValidation:rule="!has(self.escalation) || !has(self.escalation.after) || !has(self.timeout) || !(self.escalation.after + self.timeout).matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') || duration(self.escalation.after) < duration(self.timeout)",message="escalation.after must be shorter than the stage's timeout",fieldPath=".escalation.after"
type Stage struct {
	// name of the stage, unique in its workflow.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self != 'emergency-override'",message="emergency-override is reserved for emergencyOverride"
	Name string `json:"name,omitempty"`
	// approvers of the stage.
	// +required
	Approvers ApproverSet `json:"approvers,omitzero"`
	// required is how many of them have to approve.
	// +optional
	// +default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=20
	Required int32 `json:"required,omitempty"`
	// timeout of the stage from its start, from 1s to 720h. After it comes the
	// escalation when that has no after of its own, otherwise onTimeout. Left
	// out: only the workflow's timeout counts.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="must be a duration from 1s to 720h, such as 30m or 1h30m"
	Timeout *metav1.Duration `json:"timeout,omitempty"`
	// escalation widens the circle of approvers when the stage waits too long.
	// +optional
	Escalation *Escalation `json:"escalation,omitempty"`
}

// EmergencyOverride is break-glass: distinct people who may pass a workflow
// without its stages. Each has to say why, and the audit trail marks it.
//
// +kubebuilder:validation:XValidation:rule="(has(self.approvers.groups) && size(self.approvers.groups) > 0) || self.required <= (has(self.approvers.users) ? size(self.approvers.users) : 0) + (has(self.approvers.serviceAccounts) ? size(self.approvers.serviceAccounts) : 0)",message="required is larger than the number of users and serviceAccounts named, so the override could never happen",fieldPath=".required"
type EmergencyOverride struct {
	// approvers who may override. They need the verb `override` as well.
	// +required
	Approvers ApproverSet `json:"approvers,omitzero"`
	// required is how many distinct people have to override.
	// +optional
	// +default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=20
	Required int32 `json:"required,omitempty"`
}

// WorkflowSelector says for which actions a workflow is chosen by risk. Every
// part that is given has to match; an empty selector matches all.
//
// +kubebuilder:validation:XValidation:rule="!has(self.minRiskScore) || !has(self.maxRiskScore) || !(self.minRiskScore + ' ' + self.maxRiskScore).matches('^[0-9]+([.][0-9])? [0-9]+([.][0-9])?$') || double(self.minRiskScore) <= double(self.maxRiskScore)",message="minRiskScore must not be above maxRiskScore",fieldPath=".minRiskScore"
type WorkflowSelector struct {
	// riskLevels covered. Empty: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=4
	RiskLevels []RiskLevel `json:"riskLevels,omitempty"`
	// minRiskScore is the lowest score covered.
	// +optional
	MinRiskScore Score `json:"minRiskScore,omitempty"`
	// maxRiskScore is the highest score covered.
	// +optional
	MaxRiskScore Score `json:"maxRiskScore,omitempty"`
	// actionTypes are globs over spec.actionType. Empty: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	ActionTypes []Glob `json:"actionTypes,omitempty"`
	// environments the agent works in, or claims. Empty: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Environments []Environment `json:"environments,omitempty"`
	// agents selects by the Agent's name and labels. Left out: all.
	// +optional
	Agents *AgentMatch `json:"agents,omitempty"`
}

// ApprovalWorkflowSpec says who has to agree, in which order, and how long they may take.
//
// +kubebuilder:validation:XValidation:rule="self.autoApprove != (has(self.stages) && size(self.stages) > 0)",message="give either autoApprove: true or 1 to 5 stages",fieldPath=".stages"
// +kubebuilder:validation:XValidation:rule="!self.autoApprove || !has(self.emergencyOverride)",message="a workflow that approves by itself needs no emergencyOverride",fieldPath=".emergencyOverride"
type ApprovalWorkflowSpec struct {
	// displayName is what people read in place of the object's name.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	DisplayName string `json:"displayName,omitempty"`
	// selector says for which actions the workflow is chosen by risk. Left out:
	// it applies only where a rule or an Agent refers to it.
	// +optional
	Selector *WorkflowSelector `json:"selector,omitempty"`
	// priority decides among the workflows of one scope whose selectors match:
	// the highest is chosen. Among equals, all that have stages have to be passed.
	// +optional
	// +default=0
	// +kubebuilder:validation:Minimum=-1000
	// +kubebuilder:validation:Maximum=1000
	Priority int32 `json:"priority,omitempty"`
	// autoApprove lets the action pass without a human.
	// +optional
	// +default=false
	AutoApprove bool `json:"autoApprove,omitempty"`
	// stages in the order in which they have to be passed, 1 to 5.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=5
	Stages []Stage `json:"stages,omitempty"`
	// distinctApprovers says that nobody counts in two stages.
	// +optional
	// +default=true
	DistinctApprovers *bool `json:"distinctApprovers,omitempty"`
	// requireComment says that an approval without a comment does not count.
	// +optional
	// +default=false
	RequireComment bool `json:"requireComment,omitempty"`
	// allowSelfApproval lets the requester, the agent's subjects and its owner
	// approve, where they are named in a stage.
	// +optional
	// +default=false
	AllowSelfApproval bool `json:"allowSelfApproval,omitempty"`
	// emergencyOverride is break-glass. Left out: there is none.
	// +optional
	EmergencyOverride *EmergencyOverride `json:"emergencyOverride,omitempty"`
	// timeout of the whole workflow from the moment approval was asked for,
	// from 1s to 720h.
	// +optional
	// +default="24h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="must be a duration from 1s to 720h, such as 30m or 1h30m"
	Timeout *metav1.Duration `json:"timeout,omitempty"`
	// onTimeout is what becomes of an action nobody decided in time: TimedOut or Denied.
	// +optional
	// +default="TimedOut"
	OnTimeout TimeoutPolicy `json:"onTimeout,omitempty"`
	// approvalValidity is how long an approval is good after the decision, from
	// 1s to 720h.
	// +optional
	// +default="1h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="must be a duration from 1s to 720h, such as 30m or 1h30m"
	ApprovalValidity *metav1.Duration `json:"approvalValidity,omitempty"`
	// allowNamespaceOverride lets the workflow that a namespace chooses take this
	// one's place. It has a meaning only in a global workflow.
	// +optional
	// +default=false
	AllowNamespaceOverride bool `json:"allowNamespaceOverride,omitempty"`
}

// ApprovalWorkflowStatus says whether the workflow works.
type ApprovalWorkflowStatus struct {
	// observedGeneration is the generation of the spec that the conditions speak of.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions of the workflow. Ready is True when it can be used.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// ApprovalWorkflow says who has to agree to an action. One in the namespace
// ascend-system is global.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=aflow,categories=ascend
// +kubebuilder:printcolumn:name="Auto",type=boolean,JSONPath=`.spec.autoApprove`
// +kubebuilder:printcolumn:name="First Stage",type=string,JSONPath=`.spec.stages[0].name`
// +kubebuilder:printcolumn:name="Timeout",type=string,JSONPath=`.spec.timeout`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Levels",type=string,priority=1,JSONPath=`.spec.selector.riskLevels`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ApprovalWorkflow struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`
	// spec says who has to agree, in which order, and how long they may take.
	// +required
	Spec ApprovalWorkflowSpec `json:"spec,omitzero"`
	// status says whether the workflow works.
	// +optional
	Status ApprovalWorkflowStatus `json:"status,omitzero"`
}

// ApprovalWorkflowList is a list of ApprovalWorkflows.
//
// +kubebuilder:object:root=true
type ApprovalWorkflowList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []ApprovalWorkflow `json:"items"`
}
