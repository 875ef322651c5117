// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// overrideStage is the stage that the user's override names. An entry is never
// changed, so whoever has overridden before the workflows changed names the
// round behind it, as v1alpha1.OverrideStage says.
func overrideStage(action *v1alpha1.AgentAction, me identity) string {
	approval := action.Status.Approval
	for _, given := range action.Spec.Approvals {
		if given.Approver == me.username && given.Stage == v1alpha1.OverrideStage &&
			given.WorkflowRevision != approval.Revision && approval.RequestedAt != nil {
			return v1alpha1.OverrideStage + approval.RequestedAt.UTC().Format("@2006-01-02T15:04:05.000000Z")
		}
	}
	return v1alpha1.OverrideStage
}

// newApproval fills in what an approval is bound to: who gives it and as whom,
// for which stage, request and workflows, and when. Once admission stamps and
// seals approvals, the verdict and the comment are all that a client writes,
// and this file goes.
func newApproval(action *v1alpha1.AgentAction, me identity, as, stage string, now time.Time) v1alpha1.Approval {
	at := metav1.NewMicroTime(now)
	return v1alpha1.Approval{
		Approver:         me.username,
		Stage:            stage,
		As:               as,
		UID:              me.uid,
		Time:             &at,
		SpecDigest:       action.Status.SpecDigest,
		WorkflowRevision: action.Status.Approval.Revision,
	}
}
