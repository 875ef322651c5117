// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"strings"

	"gomodules.xyz/jsonpatch/v2"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// An outcome is in spec, which people write, and is told to subscriptions from
// status, which the operator writes. In between, also while no operator leads, a
// label that is stored with the outcome remembers that it is still to be told.

// outcomeEvent is what a report tells subscriptions and the audit trail.
func outcomeEvent(outcome *v1alpha1.Outcome) v1alpha1.EventType {
	if outcome.Result == v1alpha1.OutcomeSucceeded {
		return v1alpha1.EventActionExecuted
	}
	return v1alpha1.EventActionFailed
}

// ownNotice refuses to let anybody but admission itself write the label, or
// take it off. old is nil where the action is being submitted.
func ownNotice(old, action *v1alpha1.AgentAction) error {
	was := ""
	if old != nil {
		was = old.Labels[v1alpha1.OutcomeNotificationLabel]
	}
	if action.Labels[v1alpha1.OutcomeNotificationLabel] == was {
		return nil
	}
	return forbidden(whyOperatorsLabel, "the label %s is the operator's alone: admission writes it when an outcome is reported, and the operator takes it off "+
		"once subscriptions can hear of it. Leave it as it is", v1alpha1.OutcomeNotificationLabel)
}

// notice is the patch that notes that a subscription has to hear of the outcome;
// none where no subscription wants to.
func (h *actionHandler) notice(action *v1alpha1.AgentAction) []jsonpatch.JsonPatchOperation {
	wanted := h.options.Subscriptions
	if wanted == nil || !wanted.Subscribed(action.Namespace, string(action.Spec.AgentRef.Name), outcomeEvent(action.Spec.Outcome)) {
		return nil
	}
	if len(action.Labels) == 0 {
		labels := map[string]string{v1alpha1.OutcomeNotificationLabel: v1alpha1.OutcomeNotificationPending}
		return []jsonpatch.JsonPatchOperation{jsonpatch.NewOperation("add", "/metadata/labels", labels)}
	}
	at := "/metadata/labels/" + strings.ReplaceAll(v1alpha1.OutcomeNotificationLabel, "/", "~1") // RFC 6901
	return []jsonpatch.JsonPatchOperation{jsonpatch.NewOperation("add", at, v1alpha1.OutcomeNotificationPending)}
}
