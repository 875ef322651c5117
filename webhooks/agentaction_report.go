// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"encoding/json"
	"regexp"
	"unicode/utf8"

	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// maxOutcomeMessage is the bound of the schema, in characters.
const maxOutcomeMessage = 4096

// outcomeTime is what the schema takes for a time of an outcome.
var outcomeTime = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

// report records what the requester reports. A report that the API server would
// refuse afterwards is refused here, for it must leave no record.
func (h *actionHandler) report(ctx context.Context, req *admission.Request, old, action *v1alpha1.AgentAction, let *answer) error {
	if err := wellReported(req.Object.Raw); err != nil {
		return err
	}
	if err := h.aboutStored(ctx, req, old, action); err != nil {
		return err
	}
	let.patch = append(let.patch, h.notice(action)...)
	let.annotations["outcome"] = string(action.Spec.Outcome.Result)
	return h.recorder.happened(ctx, req, old, outcomeEvent(action.Spec.Outcome), "the requester reports: "+string(action.Spec.Outcome.Result))
}

// ttlText is what the schema takes for a duration, of maxTTLText characters at most.
var ttlText = regexp.MustCompile(`^(\d+([.]\d+)?(ms|s|m|h))+$`)

const maxTTLText = 32

// wellReported holds an outcome to the schema, and a ttlAfterDecision that may be
// spelled anew with it: what Go takes for a duration is more than what is stored.
func wellReported(raw []byte) error {
	var object struct {
		Spec struct {
			TTLAfterDecision *string
			Outcome          struct {
				Result                 v1alpha1.OutcomeResult
				Message                string
				StartedAt, CompletedAt *string
			}
		}
	}
	if err := json.Unmarshal(raw, &object); err != nil {
		return invalid("spec.outcome", "%v", err)
	}
	if ttl := object.Spec.TTLAfterDecision; ttl != nil && (len(*ttl) > maxTTLText || !ttlText.MatchString(*ttl)) {
		return invalid("spec.ttlAfterDecision", "%s is no duration such as 720h; leave it as it is", shown(*ttl))
	}
	outcome := &object.Spec.Outcome
	if outcome.Result != v1alpha1.OutcomeSucceeded && outcome.Result != v1alpha1.OutcomeFailed {
		return invalid("spec.outcome.result", "%s is no result; it is %s or %s", shown(string(outcome.Result)), v1alpha1.OutcomeSucceeded, v1alpha1.OutcomeFailed)
	}
	if n := utf8.RuneCountInString(outcome.Message); n > maxOutcomeMessage {
		return invalid("spec.outcome.message", "it has %d characters, the limit is %d; say where the rest can be found", n, maxOutcomeMessage)
	}
	for field, at := range map[string]*string{"spec.outcome.startedAt": outcome.StartedAt, "spec.outcome.completedAt": outcome.CompletedAt} {
		if at != nil && !outcomeTime.MatchString(*at) {
			return invalid(field, "%s is no time with microseconds, such as 2026-01-02T12:00:00.000000Z", shown(*at))
		}
	}
	return nil
}

// aboutStored refuses a report about anything but the action as it is stored
// now; the API server would not store it either.
func (h *actionHandler) aboutStored(ctx context.Context, req *admission.Request, old, action *v1alpha1.AgentAction) error {
	live, err := h.stored(ctx, req, old)
	if err != nil {
		return err
	}
	same := sameMeta(old, action) && action.ResourceVersion == live.ResourceVersion
	if !same || live.Status.Decision != v1alpha1.DecisionApproved || live.Spec.Outcome != nil || !isRequester(live, req) {
		return conflict(whyMoved, "the action has changed meanwhile; read it again and report then: kubectl get agentaction %s -n %s -o yaml", req.Name, req.Namespace)
	}
	return nil
}

// sameMeta says whether the metadata that nobody can change are as they are stored,
// or left out.
func sameMeta(old, action *v1alpha1.AgentAction) bool {
	return action.Namespace == old.Namespace && action.Name == old.Name &&
		(action.UID == "" || action.UID == old.UID) &&
		(action.CreationTimestamp.IsZero() || action.CreationTimestamp.Equal(&old.CreationTimestamp)) &&
		(action.DeletionTimestamp.IsZero() || action.DeletionTimestamp.Equal(old.DeletionTimestamp)) &&
		(action.DeletionGracePeriodSeconds == nil || ptr.Equal(action.DeletionGracePeriodSeconds, old.DeletionGracePeriodSeconds))
}
