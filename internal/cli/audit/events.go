// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// eventNames are the events that records can have, for shells to complete.
func eventNames() []string {
	var names []string
	for _, event := range []v1alpha1.EventType{
		"action.*", v1alpha1.EventActionSubmitted, audit.EventEvaluated, v1alpha1.EventActionPending, audit.EventApprovalRecorded,
		v1alpha1.EventActionEscalated, audit.EventOverridden, v1alpha1.EventActionApproved, v1alpha1.EventActionDenied, v1alpha1.EventActionTimeout,
		v1alpha1.EventActionCancelled, v1alpha1.EventActionExecuted, v1alpha1.EventActionFailed, audit.EventCollected, audit.EventPurged, audit.EventGone,
		audit.EventWithdrawn, audit.EventNotApplied, audit.EventRefused, v1alpha1.EventAgentSuspended,
		"policy.*", audit.EventPolicyCreated, audit.EventPolicyUpdated, audit.EventPolicyDeleted, audit.EventNotEnforced, audit.EventEnforced,
		"audit.*", audit.EventStarted, audit.EventCheckpoint, audit.EventResumed, audit.EventStopped,
	} {
		names = append(names, string(event))
	}
	return names
}
