// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
)

const (
	// margin is how long an approval has to be good for when a run begins.
	margin = 500 * time.Millisecond
	// maxBehind is how far the API server's clock may be behind the operator's.
	maxBehind = time.Minute
)

// gate says why a submission may not be run now; nil only where it may. now is
// the action as the API server has just answered, at says of that answer's
// clock, and digest is over what would be run. It is the last question before a
// run, and whatever is in doubt is a no.
func gate(asked *submission, now *v1alpha1.AgentAction, at reading, digest string) error {
	result := resultOf(now, asked.created)
	switch {
	case !asked.created:
		return notOurs(result)
	case now.UID == "" || now.UID != asked.uid() || now.Name != asked.action.Name || now.Namespace != asked.action.Namespace:
		return doubt("action %s is not the one that was submitted: it was deleted, and another took its name", now.Name)
	case older(now, asked.action):
		return doubt("the API server answered with action %s as it was before what is known of it", now.Name)
	case !result.Approved():
		return notApproved(result)
	case digest != asked.digest:
		return doubt("the parameters were changed after they were submitted: action %s is approved for others", now.Name)
	case now.Status.SpecDigest != digest:
		return doubt("action %s was approved for another request than the one that was submitted", now.Name)
	case now.Spec.Cancelled:
		return notApproved(result)
	case now.Spec.Outcome != nil:
		return doubt("the outcome of action %s has been reported already", now.Name)
	}
	if stored, err := request.Digest(&now.Spec); err != nil || stored != digest {
		return doubt("action %s holds another request than the one that was submitted", now.Name)
	}
	return inTime(result, now, at)
}

// older says whether an answer is behind one that was seen before, as of a cache
// that lags.
func older(now, before *v1alpha1.AgentAction) bool {
	order, err := resourceversion.CompareResourceVersion(now.ResourceVersion, before.ResourceVersion)
	return err != nil || order < 0
}

// inTime says whether the approval is still good, by the cluster's clock: the
// one of this machine may be wrong.
func inTime(result *Result, now *v1alpha1.AgentAction, at reading) error {
	decided := now.Status.DecidedAt
	switch {
	case at.date.IsZero():
		return doubt("the API server did not say what time it is, so that nobody knows whether the approval of action %s is still good", result.ID)
	case decided == nil || result.ValidUntil.IsZero():
		return doubt("action %s does not say how long its approval is good", result.ID)
	case at.date.Before(decided.Add(-maxBehind)):
		return doubt("the API server's clock is behind the moment at which action %s was approved, so that nobody knows whether the approval is still good", result.ID)
	case !at.latest().Add(margin).Before(result.ValidUntil):
		return &ExpiredError{NotApprovedError{Result: result, Problem: Problem{
			Message: "the approval of action " + result.ID + " was good until " + result.ValidUntil.UTC().Format(time.RFC3339) + because(result) + "; it was not run",
			Help:    "Ask again.", Reason: result.Reason,
		}}}
	default:
		return nil
	}
}

func doubt(format string, args ...any) error {
	return &IntegrityError{Problem{Message: fmt.Sprintf(format, args...) + "; it was not run", Help: "Ask again."}}
}

// notOurs is the error of an action that an earlier call made, and maybe ran.
func notOurs(result *Result) error {
	became := result.standing()
	if result.Outcome != nil {
		became = "its outcome was reported: " + string(result.Outcome.Result)
	}
	return &ConflictError{
		Problem: Problem{
			Message: "action " + result.ID + " was made by an earlier call with the same IdempotencyKey, which may have run it; it was not run again: " + became,
			Help:    "To do it once more, ask with another IdempotencyKey.", Reason: "AlreadyExists",
		},
		Existing: result,
	}
}

// notApproved is the error of an action that may not be run.
func notApproved(result *Result) error {
	base := NotApprovedError{Result: result, Problem: Problem{Reason: result.Reason}}
	say := func(word string) {
		base.Message = "action " + result.ID + " " + word + because(result) + "; it was not run"
	}
	switch result.Decision {
	case v1alpha1.DecisionDenied:
		say("was denied")
		base.Help = deniedHelp(result)
		if result.Reason == v1alpha1.ReasonAgentSuspended || result.Reason == v1alpha1.ReasonAgentRetired {
			denied := &DeniedError{base}
			return &SuspendedError{Problem{Message: base.Message, Reason: base.Reason, cause: denied}}
		}
		return &DeniedError{base}
	case v1alpha1.DecisionTimedOut:
		say("was decided by nobody in time")
		base.Help = "Ask again when somebody can answer."
		return &PendingTimeoutError{base}
	case v1alpha1.DecisionCancelled:
		say("was withdrawn")
		return &CancelledError{base}
	case v1alpha1.DecisionNone, v1alpha1.DecisionPending, v1alpha1.DecisionApproved:
	}
	if result.Approved() { // and cancelled: the gate asks for both
		say("was withdrawn")
		return &CancelledError{base}
	}
	say("is not approved")
	return &PendingTimeoutError{base}
}

func deniedHelp(result *Result) string {
	if result.Rule != nil {
		return "See what spoke against it; where the rule allows an exception, ask for one with Action.Exception:\n  ascend explain " + result.ID + " -n " + result.Namespace
	}
	return "See what spoke against it:\n  ascend explain " + result.ID + " -n " + result.Namespace
}
