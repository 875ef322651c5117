// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the API of Ascend Operator, group
// governance.ascendowkai.com, version v1alpha1.
//
// An Agent says who may act, an AgentAction what somebody wants to do, a
// SmartRule what to do about it, an ApprovalWorkflow who has to agree, a
// RiskModel how dangerous it is, and a WebhookSubscription who hears of the
// decision. Each kind has a file of its own; conditions and reasons stand in
// conditions.go and reasons.go.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +groupName=governance.ascendowkai.com
package v1alpha1
