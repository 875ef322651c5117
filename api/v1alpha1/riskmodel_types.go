// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// DataClassification is the kind of data an action touches. public, internal,
// confidential, pii, phi and pci are built in; a RiskModel may add others. One
// that is neither, or is missing, scores as the most sensitive of all.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=64
type DataClassification string

// The data classifications that are built in.
const (
	DataPublic       DataClassification = "public"
	DataInternal     DataClassification = "internal"
	DataConfidential DataClassification = "confidential"
	DataPII          DataClassification = "pii"
	DataPHI          DataClassification = "phi"
	DataPCI          DataClassification = "pci"
)

// ActionTypeRisk gives the action types that match a pattern their CVSS vector.
type ActionTypeRisk struct {
	// pattern over spec.actionType. The most specific pattern counts: an exact
	// one before a glob, then the one with more literal characters; a pattern of
	// the model before a built-in one that is equally specific.
	// +required
	Pattern Glob `json:"pattern,omitempty"`
	// cvssVector whose base score such an action starts with.
	// +required
	CVSSVector CVSSVector `json:"cvssVector,omitempty"`
}

// DataClassificationRisk is what a data classification adds to the score.
type DataClassificationRisk struct {
	// name of the classification, in lower case.
	// +required
	Name DataClassification `json:"name,omitempty"`
	// delta added to the score. A negative one takes away no more than
	// confidentiality is worth in the action's vector: public data makes
	// reading it harmless, not deleting it.
	// +required
	Delta Delta `json:"delta,omitempty"`
}

// EnvironmentRisk is what an environment adds to the score.
type EnvironmentRisk struct {
	// name of the environment, in lower case.
	// +required
	Name Environment `json:"name,omitempty"`
	// delta added to the score. An environment never scores lower than one
	// that is further from production: sandbox, test, development, staging,
	// production.
	// +required
	Delta Delta `json:"delta,omitempty"`
}

// BlastRadius raises the score by a number in the action's parameters, such
// as affected rows or an amount of money. Of several thresholds of one
// parameter the largest increase counts. A number that is missing or cannot
// be read counts as above every threshold.
type BlastRadius struct {
	// parameter is the key in spec.parameters that holds the number.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Parameter string `json:"parameter,omitempty"`
	// above is the threshold: larger numbers get the increase.
	// +optional
	// +default=0
	// +kubebuilder:validation:Minimum=0
	Above int64 `json:"above,omitempty"`
	// delta is the increase of the score.
	// +required
	Delta Increase `json:"delta,omitempty"`
	// actionTypes are globs over the action types that have such a parameter. Empty: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	ActionTypes []Glob `json:"actionTypes,omitempty"`
}

// Weekday is a day of the week.
//
// +kubebuilder:validation:Enum=Monday;Tuesday;Wednesday;Thursday;Friday;Saturday;Sunday
type Weekday string

// ClockTime is a time of day, HH:MM from 00:00 to 24:00.
//
// +kubebuilder:validation:MinLength=5
// +kubebuilder:validation:MaxLength=5
// +kubebuilder:validation:Pattern=`^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$`
type ClockTime string

// BusinessHours are the hours in which people are there to look.
//
// +kubebuilder:validation:XValidation:rule="self.start < self.end",message="start must be earlier than end; hours that cross midnight are not supported",fieldPath=".start"
type BusinessHours struct {
	// days of the week. Left out: Monday to Friday.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=7
	Days []Weekday `json:"days,omitempty"`
	// start of the business day, inclusive.
	// +required
	Start ClockTime `json:"start,omitempty"`
	// end of the business day, exclusive.
	// +required
	End ClockTime `json:"end,omitempty"`
}

// Date is a day of the calendar, YYYY-MM-DD.
//
// +kubebuilder:validation:MinLength=10
// +kubebuilder:validation:MaxLength=10
// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
type Date string

// RiskSchedule raises the score of what is asked outside business hours.
type RiskSchedule struct {
	// timeZone by its IANA name, such as Europe/Berlin.
	// +optional
	// +default="UTC"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	TimeZone string `json:"timeZone,omitempty"`
	// businessHours in that time zone.
	// +required
	BusinessHours BusinessHours `json:"businessHours,omitzero"`
	// holidays are days without business hours.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=256
	Holidays []Date `json:"holidays,omitempty"`
	// offHoursDelta is the increase for an action submitted outside business hours.
	// +required
	OffHoursDelta Increase `json:"offHoursDelta,omitempty"`
}

// CatalogEntry is what the platform knows of its resources. It beats what an
// agent claims: a claim can make the classification stricter, never laxer.
type CatalogEntry struct {
	// resources are globs over the resources an action names.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	Resources []Glob `json:"resources,omitempty"`
	// dataClassification of these resources.
	// +required
	DataClassification DataClassification `json:"dataClassification,omitempty"`
}

// RiskModelSpec says how the risk of an action is scored: the CVSS 3.1 base
// score of its type, plus what data, environment, volume and time add,
// clamped to 0.0 to 10.0. What it leaves out keeps its built-in value.
type RiskModelSpec struct {
	// actionTypes give CVSS vectors to action types.
	// +optional
	// +listType=map
	// +listMapKey=pattern
	// +kubebuilder:validation:MaxItems=512
	ActionTypes []ActionTypeRisk `json:"actionTypes,omitempty"`
	// dataClassifications say what each classification adds.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	DataClassifications []DataClassificationRisk `json:"dataClassifications,omitempty"`
	// environments say what each environment adds.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Environments []EnvironmentRisk `json:"environments,omitempty"`
	// blastRadius says what numbers in the parameters add. When given, it
	// takes the place of the built-in thresholds for the same parameter.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	BlastRadius []BlastRadius `json:"blastRadius,omitempty"`
	// schedule raises the score outside business hours. Left out: time does not count.
	// +optional
	Schedule *RiskSchedule `json:"schedule,omitempty"`
	// catalog is what the platform knows of its resources.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=512
	Catalog []CatalogEntry `json:"catalog,omitempty"`
}

// RiskModelStatus says whether the model works.
type RiskModelStatus struct {
	// observedGeneration is the generation of the spec that the conditions speak of.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions of the model. Ready is True when the whole of it can be used
	// and it is the one named "default". What an entry that cannot be read would score is
	// scored 9.5 or more and left to a human.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// RiskModel says how dangerous actions are. It is cluster-scoped, and only the
// one named "default" is used.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=riskm,categories=ascend
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type RiskModel struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`
	// spec is the model.
	// +required
	Spec RiskModelSpec `json:"spec,omitzero"`
	// status says whether the model works.
	// +optional
	Status RiskModelStatus `json:"status,omitzero"`
}

// RiskModelList is a list of RiskModels.
//
// +kubebuilder:object:root=true
type RiskModelList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []RiskModel `json:"items"`
}
