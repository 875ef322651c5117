// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/actionstatus"
	"github.com/ow-kai/ascend-operator/internal/decision"
)

// statusFor is the status that says an outcome.
func (r *AgentActionReconciler) statusFor(action *v1alpha1.AgentAction, outcome *decision.Outcome, now time.Time) *v1alpha1.AgentActionStatus {
	return actionstatus.For(action, outcome, r.ApprovalURL, now)
}

// maxUncounted is the schema's bound of status.approval.uncounted.
const maxUncounted = 64

// listForged adds the approvals that nobody vouches for to those that do not
// count, as far as the schema has room. Where nobody is asked it does nothing.
func listForged(approval *v1alpha1.ApprovalStatus, forged []v1alpha1.UncountedApproval) {
	if approval == nil {
		return
	}
	room := max(maxUncounted-len(approval.Uncounted), 0)
	approval.Uncounted = append(approval.Uncounted, forged[:min(len(forged), room)]...)
}

// microTime has the precision that the API keeps, so that what is written
// compares equal to what is read back.
func microTime(t time.Time) metav1.MicroTime {
	return metav1.NewMicroTime(t.UTC().Truncate(time.Microsecond))
}
