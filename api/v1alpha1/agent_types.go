// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AgentType is the kind of agent, for reports; it has no effect on decisions.
//
// +kubebuilder:validation:Enum=Autonomous;Supervised;Advisory;MCPServer;Custom
type AgentType string

// The agent types.
const (
	AgentTypeAutonomous AgentType = "Autonomous"
	AgentTypeSupervised AgentType = "Supervised"
	AgentTypeAdvisory   AgentType = "Advisory"
	AgentTypeMCPServer  AgentType = "MCPServer"
	AgentTypeCustom     AgentType = "Custom"
)

// AgentState says whether an agent may act.
//
// +kubebuilder:validation:Enum=Active;Suspended;Retired
type AgentState string

// The agent states.
const (
	// AgentActive may act.
	AgentActive AgentState = "Active"
	// AgentSuspended may not act: new and pending actions are denied at once.
	// This is the kill switch, and it can be released.
	AgentSuspended AgentState = "Suspended"
	// AgentRetired may not act any more.
	AgentRetired AgentState = "Retired"
)

// StateReasonAnnotation on an Agent keeps why it was suspended or resumed, for
// people: nothing is decided by it.
const StateReasonAnnotation = "governance.ascendowkai.com/state-reason"

// SubjectKind is the kind of identity a Subject names.
//
// +kubebuilder:validation:Enum=ServiceAccount;User;Group
type SubjectKind string

// The subject kinds.
const (
	SubjectServiceAccount SubjectKind = "ServiceAccount"
	SubjectUser           SubjectKind = "User"
	SubjectGroup          SubjectKind = "Group"
)

// Subject is an identity that may submit actions in an agent's name.
//
// +kubebuilder:validation:XValidation:rule="!has(self.__namespace__) || self.kind == 'ServiceAccount'",message="namespace is only for kind ServiceAccount; remove it",fieldPath=".namespace"
type Subject struct {
	// kind of identity: ServiceAccount, User or Group.
	// +required
	Kind SubjectKind `json:"kind,omitempty"`
	// name of the ServiceAccount, user or group.
	// +required
	Name UserName `json:"name,omitempty"`
	// namespace of the ServiceAccount; the Agent's own when left out.
	// +optional
	Namespace ObjectName `json:"namespace,omitempty"`
}

// RateLimit bounds how many actions may be submitted in an agent's name. A value
// of 0 refuses all. Windows slide: what came in the period before counts as far
// as a window that ends now still covers it.
type RateLimit struct {
	// perMinute is the number of actions in a minute of the clock.
	// +optional
	// +default=100
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	PerMinute *int32 `json:"perMinute,omitempty"`
	// perHour is the number of actions in an hour of the clock.
	// +optional
	// +default=1000
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000000
	PerHour *int32 `json:"perHour,omitempty"`
	// perDay is the number of actions in a day of the clock, UTC.
	// +optional
	// +default=10000
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000000
	PerDay *int32 `json:"perDay,omitempty"`
}

// AgentSpec says who may act in the agent's name, and within which limits.
type AgentSpec struct {
	// displayName is what people read in place of the object's name.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	DisplayName string `json:"displayName,omitempty"`
	// type of agent, for reports.
	// +optional
	// +default="Autonomous"
	Type AgentType `json:"type,omitempty"`
	// environment the agent works in; what it claims in an action can only make it stricter.
	// Left out, it scores as production.
	// +optional
	// +default="production"
	Environment Environment `json:"environment,omitempty"`
	// owner is the user name of the person who answers for the agent, who may
	// not approve its actions.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Owner string `json:"owner,omitempty"`
	// subjects may submit actions in the agent's name. Empty: nobody.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Subjects []Subject `json:"subjects,omitempty"`
	// state is Active, Suspended (the kill switch: new and pending actions are
	// denied, and approvals that were not yet reported as used lose their
	// validity) or Retired.
	// +optional
	// +default="Active"
	State AgentState `json:"state,omitempty"`
	// allowedActionTypes are globs over the action types the agent may ask for. Empty: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	AllowedActionTypes []Glob `json:"allowedActionTypes,omitempty"`
	// allowedResources are globs over the resources the agent may name. Empty:
	// all. When set, an action that names no readable resource is denied.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	AllowedResources []Glob `json:"allowedResources,omitempty"`
	// blockedResources are globs over resources the agent may never name; they beat allowedResources.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	BlockedResources []Glob `json:"blockedResources,omitempty"`
	// maxRiskScore is the highest score that can be approved; an action above it is denied.
	// +optional
	// +default="10.0"
	MaxRiskScore Score `json:"maxRiskScore,omitempty"`
	// workflowRef names the namespace's workflow for this agent, in place of
	// the namespace's choice by risk. The global choice still applies.
	// +optional
	WorkflowRef *WorkflowReference `json:"workflowRef,omitempty"`
	// rateLimit bounds how many actions may be submitted in the agent's name.
	// +optional
	// +default={}
	RateLimit *RateLimit `json:"rateLimit,omitempty"`
}

// ActionCounts counts an agent's actions by what became of them.
type ActionCounts struct {
	// approved counts actions approved, by policy or by people.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Approved int64 `json:"approved"`
	// denied counts actions denied, by policy or by people.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Denied int64 `json:"denied"`
	// pending is the number of actions that wait for a decision now.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Pending int64 `json:"pending"`
	// timedOut counts actions nobody decided in time.
	// +optional
	// +kubebuilder:validation:Minimum=0
	TimedOut int64 `json:"timedOut"`
}

// SubmissionCount counts an agent's submissions in a period of the clock, UTC,
// and in the one before it.
type SubmissionCount struct {
	// start of the period.
	// +optional
	Start *metav1.Time `json:"start,omitempty"`
	// current is the number of submissions since start.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Current int64 `json:"current"`
	// previous is the number of submissions in the period before start.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Previous int64 `json:"previous"`
}

// SubmissionCounts are what the rate limit is measured by.
type SubmissionCounts struct {
	// minute counts by the minute.
	// +optional
	Minute SubmissionCount `json:"minute,omitzero"`
	// hour counts by the hour.
	// +optional
	Hour SubmissionCount `json:"hour,omitzero"`
	// day counts by the day.
	// +optional
	Day SubmissionCount `json:"day,omitzero"`
}

// AgentStatus is what the operator knows of an agent.
type AgentStatus struct {
	// observedGeneration is the generation of the spec that the conditions speak of.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions of the agent. Ready says whether it may act.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// lastActionTime is when the operator last decided something about an action of this agent.
	// +optional
	LastActionTime *metav1.MicroTime `json:"lastActionTime,omitempty"`
	// actions counts what became of the agent's actions. The counters are
	// statistics: they are written at most every 10 s, and a crash can lose the last 10 s.
	// +optional
	Actions ActionCounts `json:"actions,omitzero"`
	// submissions are what rateLimit is measured by, so that it holds over a
	// restart of the operator. They are written with actions.
	// +optional
	Submissions SubmissionCounts `json:"submissions,omitzero"`
	// notifications about the agent that are still to be delivered, oldest first.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=16
	Notifications []PendingNotification `json:"notifications,omitempty"`
}

// Agent is somebody, usually software, who has to ask before acting.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=asagent,categories=ascend
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Environment",type=string,JSONPath=`.spec.environment`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.spec.state`
// +kubebuilder:printcolumn:name="Pending",type=integer,JSONPath=`.status.actions.pending`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Owner",type=string,priority=1,JSONPath=`.spec.owner`
// +kubebuilder:printcolumn:name="Max Risk",type=string,priority=1,JSONPath=`.spec.maxRiskScore`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Agent struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`
	// spec says who may act in the agent's name, and within which limits.
	// +required
	Spec AgentSpec `json:"spec,omitzero"`
	// status is what the operator knows of the agent.
	// +optional
	Status AgentStatus `json:"status,omitzero"`
}

// AgentList is a list of Agents.
//
// +kubebuilder:object:root=true
type AgentList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []Agent `json:"items"`
}
