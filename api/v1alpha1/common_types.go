// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Glob is a pattern over names: `*` stands for any run of characters, `/`
// included, `?` for exactly one, everything else for itself. Case does not
// count. Matching takes linear time.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
type Glob string

// Score is a risk score from "0.0" to "10.0" with at most one decimal.
//
// +kubebuilder:validation:MaxLength=4
// +kubebuilder:validation:XValidation:rule="self.matches('^(10([.]0)?|[0-9]([.][0-9])?)$')",message="must be a score from 0.0 to 10.0 with at most one decimal, such as \"7.5\""
type Score string

// Delta is a signed change of a risk score, from "-10.0" to "+10.0" with at
// most one decimal.
//
// +kubebuilder:validation:MaxLength=5
// +kubebuilder:validation:XValidation:rule="self.matches('^[+-]?(10([.]0)?|[0-9]([.][0-9])?)$')",message="must be a signed change of score from -10.0 to +10.0 with at most one decimal, such as \"+1.5\""
type Delta string

// Increase is a Delta that is not negative.
//
// +kubebuilder:validation:MaxLength=5
// +kubebuilder:validation:XValidation:rule="self.matches('^[+]?(10([.]0)?|[0-9]([.][0-9])?)$')",message="must be an increase of score from 0.0 to +10.0 with at most one decimal, such as \"+1.5\"; this field cannot lower a score"
type Increase string

// CVSSVector is a CVSS 3.1 vector string. The eight base metrics are
// required; temporal and environmental metrics are refused when the model is
// compiled, for only the base score is used.
// Source: https://www.first.org/cvss/v3.1/specification-document, section 6.
//
// +kubebuilder:validation:MinLength=44
// +kubebuilder:validation:MaxLength=128
// +kubebuilder:validation:XValidation:rule="self.startsWith('CVSS:3.1/')",message="must be a CVSS 3.1 vector that starts with CVSS:3.1/, such as CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N"
type CVSSVector string

// RiskLevel is the CVSS 3.1 qualitative severity of a score, with None
// counted as Low: Low < 4.0 <= Medium < 7.0 <= High < 9.0 <= Critical.
// Source: CVSS 3.1 specification, section 5.
//
// +kubebuilder:validation:Enum=Low;Medium;High;Critical
type RiskLevel string

// The risk levels, from least to most dangerous.
const (
	RiskLevelLow      RiskLevel = "Low"
	RiskLevelMedium   RiskLevel = "Medium"
	RiskLevelHigh     RiskLevel = "High"
	RiskLevelCritical RiskLevel = "Critical"
)

// ObjectName is the name of a Kubernetes object.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be the name of an object: lower-case letters, digits, '-' and '.'"
type ObjectName string

// LocalReference names an object in the same namespace.
type LocalReference struct {
	// name of the object.
	// +required
	Name ObjectName `json:"name,omitempty"`
}

// WorkflowReference names an ApprovalWorkflow: the one in the namespace of
// the object that holds the reference, otherwise the global one of that name.
// When there is neither, one person who holds the verb `approve` on the
// missing name has to agree.
type WorkflowReference struct {
	// name of the ApprovalWorkflow.
	// +required
	Name ObjectName `json:"name,omitempty"`
}

// ObjectReference names an object of a kind that the field implies.
type ObjectReference struct {
	// namespace of the object.
	// +required
	Namespace ObjectName `json:"namespace,omitempty"`
	// name of the object.
	// +required
	Name ObjectName `json:"name,omitempty"`
}

// ServiceAccountReference names a ServiceAccount of any namespace.
type ServiceAccountReference struct {
	// namespace of the ServiceAccount.
	// +required
	Namespace ObjectName `json:"namespace,omitempty"`
	// name of the ServiceAccount.
	// +required
	Name ObjectName `json:"name,omitempty"`
}

// UserName is the name of a user or a group as the API server's
// authentication knows it.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
type UserName string

// Environment is where an agent works. production, staging, development, test
// and sandbox are known, from most to least dangerous; a RiskModel may name
// others, and any word that is neither scores as production.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=64
type Environment string

// The environments the risk model knows.
const (
	EnvironmentProduction  Environment = "production"
	EnvironmentStaging     Environment = "staging"
	EnvironmentDevelopment Environment = "development"
	EnvironmentTest        Environment = "test"
	EnvironmentSandbox     Environment = "sandbox"
)
