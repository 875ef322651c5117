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

// OutcomeNotificationLabel marks an AgentAction whose outcome was reported and
// whose subscriptions have yet to hear of it. Admission writes it together with
// the outcome, with the value OutcomeNotificationPending, and the operator takes
// it off; nobody else may do either.
const (
	OutcomeNotificationLabel   = "governance.ascendowkai.com/outcome-notification"
	OutcomeNotificationPending = "pending"
)

// TestAnnotation on a WebhookSubscription asks for one sample, of which its
// value is the id: status.lastTest says what became of it. Values longer than
// 64 characters are cut. The same value again asks for nothing.
const TestAnnotation = "governance.ascendowkai.com/test"

// MaxSubscriptions is how many subscriptions of a namespace hear of an event:
// the first by name. Admission refuses more.
const MaxSubscriptions = 64

// PendingNotification is something that happened and that subscriptions have yet
// to hear of.
type PendingNotification struct {
	// id of the event. A subscription that hears of it twice sees the same id.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id,omitempty"`
	// event that happened.
	// +required
	Event EventType `json:"event,omitempty"`
	// time at which it happened. 24 hours later delivery is given up.
	// +required
	Time metav1.MicroTime `json:"time,omitzero"`
	// reason is the code in CamelCase at that time.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Reason string `json:"reason,omitempty"`
	// message said the reason to people at that time.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
	// to names the subscriptions that have not got it yet.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	To []ObjectName `json:"to,omitempty"`
}

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

// NotificationFormat is the form of a delivery's body.
//
// +kubebuilder:validation:Enum=CloudEvents;Slack;Teams
type NotificationFormat string

// The notification formats.
const (
	// FormatCloudEvents is CloudEvents 1.0 in its JSON format.
	FormatCloudEvents NotificationFormat = "CloudEvents"
	// FormatSlack is a message for an incoming webhook of Slack, in Block Kit.
	FormatSlack NotificationFormat = "Slack"
	// FormatTeams is an Adaptive Card for a workflow of Microsoft Teams.
	FormatTeams NotificationFormat = "Teams"
)

// WebhookSubscriptionSpec says who hears of what.
//
// +kubebuilder:validation:XValidation:rule="has(self.url) != has(self.urlFrom)",message="give either url or urlFrom",fieldPath=".url"
// +kubebuilder:validation:XValidation:rule="has(self.secretRef) || (has(self.format) && self.format != 'CloudEvents')",message="secretRef is required, for by it the receiver knows a delivery; only the formats Slack and Teams can do without",fieldPath=".secretRef"
// +kubebuilder:validation:XValidation:rule="!has(self.previousSecretRef) || has(self.secretRef)",message="previousSecretRef needs a secretRef",fieldPath=".previousSecretRef"
type WebhookSubscriptionSpec struct {
	// agentRef restricts the subscription to one agent's actions. Left out: all of the namespace.
	// +optional
	AgentRef *LocalReference `json:"agentRef,omitempty"`
	// url that receives the events by POST. https, or http to a Service of the
	// subscription's own namespace.
	// +optional
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHost() != ''",message="must be an absolute URL such as https://hooks.example.com/ascend"
	URL string `json:"url,omitempty"`
	// urlFrom names a Secret that has the url, for a url that is a secret itself,
	// as those of Slack and Teams are.
	// +optional
	URLFrom *SecretKeyReference `json:"urlFrom,omitempty"`
	// events to send.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Events []EventType `json:"events,omitempty"`
	// format of the body.
	// +optional
	// +default="CloudEvents"
	Format NotificationFormat `json:"format,omitempty"`
	// secretRef names the secret that signs the deliveries: at least 16 bytes, or
	// whsec_ and base64.
	// +optional
	SecretRef *SecretKeyReference `json:"secretRef,omitempty"`
	// previousSecretRef names the secret before the last rotation, which signs as
	// well, until receivers know the new one.
	// +optional
	PreviousSecretRef *SecretKeyReference `json:"previousSecretRef,omitempty"`
	// caBundle are the authorities, in PEM, that the receiver's certificate is
	// checked against. Left out: those of the operator's machine.
	// +optional
	// +kubebuilder:validation:MaxLength=65536
	CABundle string `json:"caBundle,omitempty"`
}

// DeadLetter is a delivery that was given up.
type DeadLetter struct {
	// id of the event.
	// +required
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id,omitempty"`
	// event that happened.
	// +required
	Event EventType `json:"event,omitempty"`
	// kind and name of what it happened to.
	// +required
	// +kubebuilder:validation:MaxLength=64
	Kind string `json:"kind,omitempty"`
	// name of what it happened to.
	// +required
	Name ObjectName `json:"name,omitempty"`
	// time at which delivery was given up.
	// +required
	Time metav1.MicroTime `json:"time,omitzero"`
	// error of the last try.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Error string `json:"error,omitempty"`
}

// SubscriptionTest is what became of the last sample that somebody asked for.
type SubscriptionTest struct {
	// id is the value of the annotation that asked for it.
	// +required
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id,omitempty"`
	// time at which the sample was sent.
	// +required
	Time metav1.MicroTime `json:"time,omitzero"`
	// statusCode of the receiver's answer; 0 where there was none.
	// +optional
	StatusCode int32 `json:"statusCode,omitempty"`
	// error why it failed; empty where the receiver took it.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Error string `json:"error,omitempty"`
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
	// deadLetters are the latest deliveries that were given up, newest first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	DeadLetters []DeadLetter `json:"deadLetters,omitempty"`
	// lastTest is what became of the last sample: ascend webhooks test NAME.
	// +optional
	LastTest *SubscriptionTest `json:"lastTest,omitempty"`
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
