// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// EventType is something that a subscription can hear of.
//
// +kubebuilder:validation:Enum=action.submitted;action.approved;action.denied;action.pending;action.escalated;action.timeout;action.cancelled;action.executed;action.failed;policy.violation;agent.suspended
type EventType string

// The event types.
const (
	EventActionSubmitted EventType = "action.submitted"
	EventActionApproved  EventType = "action.approved"
	EventActionDenied    EventType = "action.denied"
	EventActionPending   EventType = "action.pending"
	EventActionEscalated EventType = "action.escalated"
	EventActionTimeout   EventType = "action.timeout"
	EventActionCancelled EventType = "action.cancelled"
	EventActionExecuted  EventType = "action.executed"
	EventActionFailed    EventType = "action.failed"
	EventPolicyViolation EventType = "policy.violation"
	EventAgentSuspended  EventType = "agent.suspended"
)

// SecretKeyReference names a key of a Secret in the same namespace.
type SecretKeyReference struct {
	// name of the Secret, in the namespace of the subscription.
	// +required
	Name ObjectName `json:"name,omitempty"`
	// key in the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key,omitempty"`
}

// WebhookSubscriptionSpec says who hears of what.
type WebhookSubscriptionSpec struct {
	// agentRef restricts the subscription to one agent's actions. Left out: all of the namespace.
	// +optional
	AgentRef *LocalReference `json:"agentRef,omitempty"`
	// url that receives the events by POST. https, or http to a Service of the
	// subscription's own namespace.
	// +required
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHost() != ''",message="must be an absolute URL such as https://hooks.example.com/ascend"
	URL string `json:"url,omitempty"`
	// events to send.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Events []EventType `json:"events,omitempty"`
	// secretRef names the secret that signs the deliveries.
	// +required
	SecretRef SecretKeyReference `json:"secretRef,omitzero"`
}

// WebhookSubscriptionStatus says how deliveries go.
type WebhookSubscriptionStatus struct {
	// observedGeneration is the generation of the spec that the conditions speak of.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions of the subscription. Ready says whether deliveries can be made.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// lastDeliveryTime is when a delivery last succeeded.
	// +optional
	LastDeliveryTime *metav1.MicroTime `json:"lastDeliveryTime,omitempty"`
	// deliveredTotal counts the deliveries that succeeded.
	// +optional
	// +kubebuilder:validation:Minimum=0
	DeliveredTotal int64 `json:"deliveredTotal,omitempty"`
	// failedTotal counts the deliveries that were given up.
	// +optional
	// +kubebuilder:validation:Minimum=0
	FailedTotal int64 `json:"failedTotal,omitempty"`
	// lastError of a delivery, empty after a success.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	LastError string `json:"lastError,omitempty"`
}

// WebhookSubscription sends the events of a namespace's actions to a URL.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=whsub,categories=ascend
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.spec.url`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Delivered",type=integer,JSONPath=`.status.deliveredTotal`
// +kubebuilder:printcolumn:name="Failed",type=integer,JSONPath=`.status.failedTotal`
// +kubebuilder:printcolumn:name="Last Error",type=string,priority=1,JSONPath=`.status.lastError`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type WebhookSubscription struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`
	// spec says who hears of what.
	// +required
	Spec WebhookSubscriptionSpec `json:"spec,omitzero"`
	// status says how deliveries go.
	// +optional
	Status WebhookSubscriptionStatus `json:"status,omitzero"`
}

// WebhookSubscriptionList is a list of WebhookSubscriptions.
//
// +kubebuilder:object:root=true
type WebhookSubscriptionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []WebhookSubscription `json:"items"`
}
