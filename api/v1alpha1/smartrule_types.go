// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// RuleMode says whether a rule has effect.
//
// +kubebuilder:validation:Enum=Enforce;Audit;Disabled
type RuleMode string

// The rule modes.
const (
	// RuleEnforce rules have their effect.
	RuleEnforce RuleMode = "Enforce"
	// RuleAudit rules are evaluated and recorded, without effect.
	RuleAudit RuleMode = "Audit"
	// RuleDisabled rules are not evaluated.
	RuleDisabled RuleMode = "Disabled"
)

// RuleEffect is what a matching rule does.
//
// +kubebuilder:validation:Enum=Deny;RequireApproval;Allow;AdjustRisk
type RuleEffect string

// The rule effects. Deny beats RequireApproval beats Allow; AdjustRisk comes
// before all of them.
const (
	EffectDeny            RuleEffect = "Deny"
	EffectRequireApproval RuleEffect = "RequireApproval"
	EffectAllow           RuleEffect = "Allow"
	EffectAdjustRisk      RuleEffect = "AdjustRisk"
)

// ErrorPolicy says what becomes of a rule whose condition fails to evaluate.
//
// +kubebuilder:validation:Enum=RequireApproval;Match;Skip
type ErrorPolicy string

// The error policies.
const (
	// OnErrorRequireApproval asks a human, whatever the rule's effect.
	OnErrorRequireApproval ErrorPolicy = "RequireApproval"
	// OnErrorMatch gives the rule its effect, as if the condition had been true.
	OnErrorMatch ErrorPolicy = "Match"
	// OnErrorSkip passes over the rule, as if the condition had been false.
	OnErrorSkip ErrorPolicy = "Skip"
)

// AgentMatch selects agents by name or label; what is given must all match.
type AgentMatch struct {
	// names are globs over the Agent's name. Empty: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	Names []Glob `json:"names,omitempty"`
	// selector is a label selector over the Agent's labels. Left out: all.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// RuleMatch says which actions a rule covers. Every part that is given has to
// match. A rule that restricts covers what cannot be excluded (an action that
// claims no data classification may hold any); an Allow covers only what is certain.
type RuleMatch struct {
	// actionTypes are globs over spec.actionType. Empty: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	ActionTypes []Glob `json:"actionTypes,omitempty"`
	// agents selects by the Agent's name and labels. Left out: all.
	// +optional
	Agents *AgentMatch `json:"agents,omitempty"`
	// environments the agent works in, or claims. Empty: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Environments []Environment `json:"environments,omitempty"`
	// dataClassifications of what the action touches, known or claimed. Empty: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	DataClassifications []DataClassification `json:"dataClassifications,omitempty"`
	// resources are globs over every resource the action names. Empty: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	Resources []Glob `json:"resources,omitempty"`
	// minRiskScore is the lowest score covered. An AdjustRisk rule sees the
	// score before any adjustment, every other rule the score after all of them.
	// +optional
	MinRiskScore Score `json:"minRiskScore,omitempty"`
}

// RuleCondition is a CEL expression that yields a bool.
type RuleCondition struct {
	// name of the condition, for reports and explanations.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`
	Name string `json:"name,omitempty"`
	// expression in CEL that yields a bool. Variables: action, agent, risk,
	// requester, namespaceObject, now.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Expression string `json:"expression,omitempty"`
}

// Control names a control of a compliance framework or a technique of an
// attack catalogue, as FRAMEWORK:ID, such as NIST-800-53:AC-6.
//
// +kubebuilder:validation:MinLength=3
// +kubebuilder:validation:MaxLength=128
// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9._-]*:[A-Za-z0-9][A-Za-z0-9._() -]*$`
type Control string

// SmartRuleSpec is one rule: which actions it covers, when it matches, and what it does then.
//
// +kubebuilder:validation:XValidation:rule="(self.effect == 'AdjustRisk') == has(self.riskAdjustment)",message="riskAdjustment is required with effect AdjustRisk and not allowed with any other",fieldPath=".riskAdjustment"
// +kubebuilder:validation:XValidation:rule="!has(self.workflowRef) || self.effect == 'RequireApproval'",message="workflowRef is only for effect RequireApproval; for a Deny that can be excepted use exceptionWorkflowRef",fieldPath=".workflowRef"
// +kubebuilder:validation:XValidation:rule="!has(self.exceptionWorkflowRef) || self.effect == 'Deny'",message="exceptionWorkflowRef is only for effect Deny",fieldPath=".exceptionWorkflowRef"
// +kubebuilder:validation:XValidation:rule="!has(self.reason) || !has(self.reasonExpression)",message="give reason or reasonExpression, not both",fieldPath=".reasonExpression"
// +kubebuilder:validation:XValidation:rule="!(self.onError == 'Match' && self.effect == 'Allow')",message="onError Match would let a failing condition allow an action; use RequireApproval or Skip with effect Allow",fieldPath=".onError"
// +kubebuilder:validation:XValidation:rule="!(self.onError == 'Match' && has(self.riskAdjustment) && self.riskAdjustment.startsWith('-'))",message="onError Match would let a failing condition lower a score; use RequireApproval or Skip",fieldPath=".onError"
// +kubebuilder:validation:XValidation:rule="!has(self.notBefore) || !has(self.notAfter) || timestamp(self.notBefore) < timestamp(self.notAfter)",message="notBefore must be earlier than notAfter",fieldPath=".notBefore"
type SmartRuleSpec struct {
	// displayName is what people read in place of the object's name.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	DisplayName string `json:"displayName,omitempty"`
	// mode is Enforce, Audit (evaluated and recorded, without effect) or Disabled.
	// +optional
	// +default="Enforce"
	Mode RuleMode `json:"mode,omitempty"`
	// priority from 0 to 100 orders reports, highest first. It never lets a
	// weaker effect beat a stronger one.
	// +optional
	// +default=50
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Priority *int32 `json:"priority,omitempty"`
	// match says which actions the rule covers. Empty: all.
	// +optional
	Match RuleMatch `json:"match,omitzero"`
	// conditions in CEL that must all be true for the rule to match. Empty: it matches what it covers.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Conditions []RuleCondition `json:"conditions,omitempty"`
	// effect of the rule when it matches.
	// +required
	Effect RuleEffect `json:"effect,omitempty"`
	// riskAdjustment is added to the score, with effect AdjustRisk. In a
	// namespace of its own, a rule can only raise: a negative one has no effect there.
	// +optional
	RiskAdjustment Delta `json:"riskAdjustment,omitempty"`
	// workflowRef names who has to agree, with effect RequireApproval. Left
	// out: the workflow chosen by risk, or one approver when that would approve by itself.
	// +optional
	WorkflowRef *WorkflowReference `json:"workflowRef,omitempty"`
	// exceptionWorkflowRef names who can grant an exception from a Deny. An
	// action asks for one by spec.exceptionRequest. Left out: nobody can.
	// +optional
	ExceptionWorkflowRef *WorkflowReference `json:"exceptionWorkflowRef,omitempty"`
	// reason is shown to whoever submitted the action.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Reason string `json:"reason,omitempty"`
	// reasonExpression is a CEL expression that yields the reason, a string.
	// When it fails, a plain reason is given; the effect stays.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	ReasonExpression string `json:"reasonExpression,omitempty"`
	// onError says what to do when a condition fails to evaluate:
	// RequireApproval (default), Match or Skip.
	// +optional
	// +default="RequireApproval"
	OnError ErrorPolicy `json:"onError,omitempty"`
	// notBefore is when the rule begins to have effect. Left out: at once.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`
	NotBefore *metav1.Time `json:"notBefore,omitempty"`
	// notAfter is when the rule ceases to have effect. Left out: never.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`
	NotAfter *metav1.Time `json:"notAfter,omitempty"`
	// controls of compliance frameworks that the rule serves, for evidence.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	Controls []Control `json:"controls,omitempty"`
}

// SmartRuleStatus says whether the rule works.
type SmartRuleStatus struct {
	// observedGeneration is the generation of the spec that the conditions speak of.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions of the rule. Ready is True when every expression compiles and
	// every reference is found. A rule that is not Ready requires approval for what it covers.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// SmartRule decides about the actions it matches. One in the namespace
// ascend-system is global.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=srule,categories=ascend
// +kubebuilder:printcolumn:name="Effect",type=string,JSONPath=`.spec.effect`
// +kubebuilder:printcolumn:name="Mode",type=string,JSONPath=`.spec.mode`
// +kubebuilder:printcolumn:name="Priority",type=integer,JSONPath=`.spec.priority`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Display Name",type=string,priority=1,JSONPath=`.spec.displayName`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type SmartRule struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`
	// spec is the rule.
	// +required
	Spec SmartRuleSpec `json:"spec,omitzero"`
	// status says whether the rule works.
	// +optional
	Status SmartRuleStatus `json:"status,omitzero"`
}

// SmartRuleList is a list of SmartRules.
//
// +kubebuilder:object:root=true
type SmartRuleList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []SmartRule `json:"items"`
}
