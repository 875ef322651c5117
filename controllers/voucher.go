// SPDX-License-Identifier: Apache-2.0

package controllers

import "github.com/ow-kai/ascend-operator/api/v1alpha1"

// Voucher says who really submitted an action and which approvals were really
// given. What it does not return does not count.
type Voucher interface {
	Vouch(action *v1alpha1.AgentAction) (v1alpha1.Requester, []v1alpha1.Approval)
}

// AsWritten vouches for whatever stands in the object. RBAC on agentactions is
// then the only guard; it is for use until admission seals these fields.
type AsWritten struct{}

var _ Voucher = AsWritten{}

// Vouch returns requester and approvals as they stand.
func (AsWritten) Vouch(action *v1alpha1.AgentAction) (v1alpha1.Requester, []v1alpha1.Approval) {
	if action.Spec.Requester == nil {
		return v1alpha1.Requester{}, action.Spec.Approvals
	}
	return *action.Spec.Requester, action.Spec.Approvals
}
