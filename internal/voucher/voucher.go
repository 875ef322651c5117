// SPDX-License-Identifier: Apache-2.0

// Package voucher says what may be believed of a stored action: who really
// submitted it, and which approvals were really given.
package voucher

import "github.com/ow-kai/ascend-operator/api/v1alpha1"

// Voucher says who really submitted an action and which approvals were really
// given. What it does not vouch for does not count. An error says that it
// cannot tell now; nothing may then be decided.
type Voucher interface {
	Vouch(action *v1alpha1.AgentAction) (Vouched, error)
}

// Vouched is what may be believed of an action.
type Vouched struct {
	// Refusal says why nobody knows who submitted the action, and what to do
	// next; the action is then denied. Empty: Requester did.
	Refusal string
	// Requester who submitted the action.
	Requester v1alpha1.Requester
	// Approvals that were given as they stand.
	Approvals []v1alpha1.Approval
	// Forged are the other entries of spec.approvals, void ones among them, with
	// the reason.
	Forged []v1alpha1.UncountedApproval
}
