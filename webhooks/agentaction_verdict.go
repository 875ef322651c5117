// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/seal"
	"github.com/ow-kai/ascend-operator/internal/voucher"
)

// stamp judges a verdict and completes it: by whom, as what, for which stage,
// request and workflows, when; and seals it. All of it is worked out anew from
// policy: of status only what was promised to people is believed, and only
// where it agrees.
func (h *actionHandler) stamp(ctx context.Context, req *admission.Request, old *v1alpha1.AgentAction, given v1alpha1.Approval) (v1alpha1.Approval, error) {
	if err := acceptable(req, old, &given); err != nil {
		return given, err
	}
	if !h.options.Synced() {
		return given, notReady("the operator has not read all rules and workflows yet; try again in a moment")
	}
	ring := h.options.Ring()
	if ring == nil {
		return given, notReady("the operator has no key to seal approvals with yet; try again in a moment")
	}
	now := h.options.Clock.Now()
	vouched, err := h.options.Voucher.Vouch(old)
	if err != nil {
		return given, notReady("the seals of this action cannot be checked now: %v; try again", err)
	}
	if vouched.Refusal != "" {
		return given, forbidden(v1alpha1.ReasonNotAdmitted, "nothing can be approved here: %s", vouched.Refusal)
	}
	inquiry, err := h.inquire(ctx, old, vouched, now)
	if err != nil {
		return given, err
	}
	if err := sameAsShown(old, &given, inquiry); err != nil {
		return given, err
	}
	seat, err := h.seat(ctx, req, old, &given, inquiry)
	if err != nil {
		return given, err
	}
	stamped := complete(req, given, seat, inquiry, now)
	if stamped.Stage, err = freeStage(old, &stamped, vouched.Approvals); err != nil {
		return given, err
	}
	if err := counts(old, inquiry, &stamped); err != nil {
		return given, err
	}
	sealed, err := ring.SealVerdict(seal.Verdict{
		Namespace: old.Namespace, Name: old.Name, UID: string(old.UID), Approval: stamped,
	})
	if err != nil {
		return given, fmt.Errorf("seal the approval: %w", err)
	}
	if err := h.believed(old, stamped, sealed); err != nil {
		return given, err
	}
	stamped.Seal = stampOf(req, sealed)
	return stamped, nil
}

// again is what is left to do about an action that is over.
const again = "The requester can submit a new action: kubectl create -f FILE"

// acceptable refuses what needs no policy to be refused.
func acceptable(req *admission.Request, old *v1alpha1.AgentAction, given *v1alpha1.Approval) error {
	user := req.UserInfo.Username
	switch {
	case given.Approver != "" && given.Approver != user:
		return forbidden(whyNotYourName, "you are %s, and an approval is given in one's own name, not as %s; %s can give it: kubectl approve %s -n %s",
			shown(user), shown(given.Approver), shown(given.Approver), req.Name, req.Namespace)
	case old.Status.Decision.IsFinal():
		return forbidden(whyDecided, "the action is already decided: it was %s%s (%s); a decision never changes. "+again,
			old.Status.Decision, decidedAt(old), old.Status.Reason)
	case old.Spec.Cancelled:
		return forbidden(whyDecided, "the action was cancelled by its requester, so there is nothing left to approve. "+again)
	case old.Status.Decision != v1alpha1.DecisionPending || old.Status.Approval == nil:
		return conflict(whyPolicyMoved, "the action has not been evaluated yet; try again in a moment, and look at it first: ascend explain %s -n %s", req.Name, req.Namespace)
	default:
		return nil
	}
}

func decidedAt(action *v1alpha1.AgentAction) string {
	if action.Status.DecidedAt == nil {
		return ""
	}
	return " at " + action.Status.DecidedAt.UTC().Format(time.RFC3339)
}

// inquire finds who has to agree now.
func (h *actionHandler) inquire(ctx context.Context, old *v1alpha1.AgentAction, vouched voucher.Vouched, now time.Time) (*decision.Inquiry, error) {
	asked, err := request.Read(old, vouched.Requester, vouched.Approvals)
	if err != nil {
		return nil, unreadable(err)
	}
	inquiry, err := decision.Inquire(ctx, h.options.Policy.Snapshot(), asked, &old.Status, now)
	if err != nil {
		return nil, fmt.Errorf("find out who has to agree: %w", err)
	}
	switch inquiry.Outcome.Decision {
	case v1alpha1.DecisionPending:
		return inquiry, nil
	case v1alpha1.DecisionTimedOut:
		return nil, forbidden(whyDecided, "it is too late: %s. "+again, inquiry.Outcome.Message)
	case v1alpha1.DecisionDenied, v1alpha1.DecisionApproved, v1alpha1.DecisionCancelled, v1alpha1.DecisionNone:
	}
	if inquiry.Outcome.Reason == v1alpha1.ReasonApprovalTimeout {
		return nil, forbidden(whyDecided, "it is too late: %s. "+again, inquiry.Outcome.Message)
	}
	return nil, conflict(whyPolicyMoved, "nobody is asked any more, the operator is about to decide: %s (%s); look again: ascend explain %s -n %s",
		inquiry.Outcome.Decision, inquiry.Outcome.Message, old.Name, old.Namespace)
}

// sameAsShown holds an approval to what the approver can have seen: the status
// as it stands, and what they say themselves that they saw.
func sameAsShown(old *v1alpha1.AgentAction, given *v1alpha1.Approval, inquiry *decision.Inquiry) error {
	status := old.Status.Approval
	look := fmt.Sprintf("look again: ascend explain %s -n %s", old.Name, old.Namespace)
	switch {
	case inquiry.Outcome.SpecDigest != old.Status.SpecDigest:
		return conflict(whyNotAcknowledged, "the request is not the one that status.specDigest speaks of; %s", look)
	case inquiry.Chain.Revision() != status.Revision:
		return conflict(whyPolicyMoved, "the workflows that have to be passed have just changed; %s", look)
	case given.SpecDigest != "" && given.SpecDigest != old.Status.SpecDigest:
		return forbidden(whyNotAcknowledged, "what you saw, specDigest %s, is not what is asked here, %s; %s", shown(given.SpecDigest), old.Status.SpecDigest, look)
	case given.WorkflowRevision != "" && given.WorkflowRevision != status.Revision:
		return forbidden(whyNotAcknowledged, "the workflows have changed since you looked: workflowRevision is %s, not %s; %s", status.Revision, shown(given.WorkflowRevision), look)
	default:
		return nil
	}
}

// seat finds what entitles the user to the verdict, and checks the verb.
func (h *actionHandler) seat(ctx context.Context, req *admission.Request, old *v1alpha1.AgentAction, given *v1alpha1.Approval, inquiry *decision.Inquiry) (approval.Seat, error) {
	user := &req.UserInfo
	seat, err := inquiry.Chain.Seat(inquiry.Given, approval.Person{Username: user.Username, UID: user.UID, Groups: user.Groups}, given.Verdict, given.Stage)
	if err != nil {
		return seat, noSeat(req, old, given, err)
	}
	return seat, h.authority.requireVerb(ctx, user, old, given.Verdict, seat)
}

// noSeat says why somebody has no seat, and what they can do instead.
func noSeat(req *admission.Request, old *v1alpha1.AgentAction, given *v1alpha1.Approval, err error) error {
	no := (*approval.NoSeatError)(nil)
	if !errors.As(err, &no) {
		return err
	}
	if !no.Self {
		return forbidden(whyNotApprover, "%s\nWho can, and until when: ascend explain %s -n %s", no.Problem, req.Name, req.Namespace)
	}
	if given.Verdict == v1alpha1.VerdictDeny && isRequester(old, req) {
		return forbidden(whyOwnAction, "%s. To withdraw it:\n  kubectl patch agentaction %s -n %s --type=merge -p '{\"spec\":{\"cancelled\":true}}'", no.Problem, req.Name, req.Namespace)
	}
	return forbidden(whyOwnAction, "%s; somebody else has to decide. Who can: ascend explain %s -n %s", no.Problem, req.Name, req.Namespace)
}

// complete fills in the stamps.
func complete(req *admission.Request, given v1alpha1.Approval, seat approval.Seat, inquiry *decision.Inquiry, now time.Time) v1alpha1.Approval {
	at := microTime(now)
	return v1alpha1.Approval{
		Verdict: given.Verdict, Comment: given.Comment,
		Approver: req.UserInfo.Username, UID: req.UserInfo.UID, As: seat.As, Stage: seat.Stage, Time: &at,
		SpecDigest: inquiry.Outcome.SpecDigest, WorkflowRevision: inquiry.Chain.Revision(),
	}
}

// freeStage is the id of the stage under which the entry can be kept: there is
// one entry a person and stage. A place that is taken by an entry that does not
// count, because it was forged or is void, is no obstacle; the stage has other
// names.
func freeStage(old *v1alpha1.AgentAction, stamped *v1alpha1.Approval, vouched []v1alpha1.Approval) (string, error) {
	taken := func(in []v1alpha1.Approval, stage string) *v1alpha1.Approval {
		i := slices.IndexFunc(in, func(a v1alpha1.Approval) bool { return a.Approver == stamped.Approver && a.Stage == stage })
		if i < 0 {
			return nil
		}
		return &in[i]
	}
	status := old.Status.Approval
	var before *v1alpha1.Approval
	stage := stamped.Stage
	for _, stage = range []string{stage, approval.InRound(stage, status), approval.Anew(stage, status, stamped.Time.Time)} {
		if before = taken(old.Spec.Approvals, stage); before == nil {
			return stage, nil
		}
		if taken(vouched, stage) != nil {
			break
		}
	}
	return "", forbidden(whyNotCounted, "%s has already given the verdict %s in stage %s; it counts once and cannot be changed. Another approver can deny the action: kubectl deny %s -n %s",
		shown(stamped.Approver), before.Verdict, stage, old.Name, old.Namespace)
}

// counts refuses a verdict that would not count, with the reason that status
// would give: what is given can never be given again.
func counts(old *v1alpha1.AgentAction, inquiry *decision.Inquiry, stamped *v1alpha1.Approval) error {
	given := inquiry.Given
	given.Approvals = append(slices.Clone(given.Approvals), *stamped)
	for _, uncounted := range inquiry.Chain.Evaluate(given).Status.Uncounted {
		if uncounted.Approver == stamped.Approver && uncounted.Stage == stamped.Stage {
			return forbidden(whyNotCounted, "it would not count: %s; nothing was written. Who can, and until when: ascend explain %s -n %s", uncounted.Reason, old.Name, old.Namespace)
		}
	}
	return nil
}
