// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/voucher"
)

// AsWritten vouches for whatever stands in the object. It is for suites without
// admission, where nobody stamps and seals.
type AsWritten struct{}

var _ voucher.Voucher = AsWritten{}

// Vouch returns requester and approvals as they stand.
func (AsWritten) Vouch(action *v1alpha1.AgentAction) (voucher.Vouched, error) {
	vouched := voucher.Vouched{Approvals: action.Spec.Approvals}
	if action.Spec.Requester != nil {
		vouched.Requester = *action.Spec.Requester
	}
	return vouched, nil
}
