// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// believed refuses a verdict that nobody would vouch for when it is stored: in
// the seconds after a gap of admission all verdicts are void still.
func (h *actionHandler) believed(old *v1alpha1.AgentAction, given v1alpha1.Approval, seal string) error {
	given.Seal = seal
	stored := old.DeepCopy()
	stored.Spec.Approvals = append(stored.Spec.Approvals, given)
	vouched, err := h.options.Voucher.Vouch(stored)
	if err != nil {
		return notReady("the seals of this action cannot be checked now: %v; try again", err)
	}
	for _, void := range vouched.Forged {
		if void.Approver == given.Approver && void.Stage == given.Stage {
			return notReady("it would not count now: %s; try again then", void.Reason)
		}
	}
	return nil
}
