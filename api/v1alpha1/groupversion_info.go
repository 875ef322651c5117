// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GlobalNamespace is the operator's own namespace. SmartRules and
// ApprovalWorkflows in it apply to every namespace, and nothing in another
// namespace can weaken them.
const GlobalNamespace = "ascend-system"

// OperatorUser is the user name of the operator: its ServiceAccount in its own
// namespace. It alone writes status.
const OperatorUser = "system:serviceaccount:" + GlobalNamespace + ":ascend-controller-manager"

// DefaultRiskModelName is the name of the one RiskModel that is used.
const DefaultRiskModelName = "default"

var (
	// GroupVersion is the group and version of every kind in this package.
	GroupVersion = schema.GroupVersion{Group: "governance.ascendowkai.com", Version: "v1alpha1"}

	// SchemeGroupVersion is GroupVersion under the name that generated clients expect.
	SchemeGroupVersion = GroupVersion

	schemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme adds the kinds of this package to a scheme.
	AddToScheme = schemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&Agent{}, &AgentList{},
		&AgentAction{}, &AgentActionList{},
		&SmartRule{}, &SmartRuleList{},
		&ApprovalWorkflow{}, &ApprovalWorkflowList{},
		&RiskModel{}, &RiskModelList{},
		&WebhookSubscription{}, &WebhookSubscriptionList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
