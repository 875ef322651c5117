// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"fmt"
	"maps"

	"gomodules.xyz/jsonpatch/v2"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// update judges a change of an action: somebody's verdict, the requester's
// withdrawal or report. What is recorded is recorded last, when nothing more can
// be said against it here.
func (h *actionHandler) update(ctx context.Context, req *admission.Request, old, action *v1alpha1.AgentAction) (*answer, error) {
	if err := fixed(req, old, action); err != nil {
		return nil, err
	}
	let := &answer{annotations: map[string]string{}}
	if err := byRequester(req, old, action); err != nil {
		return nil, err
	}
	if err := inItsTime(req, old, action); err != nil {
		return nil, err
	}
	given, err := newVerdict(req, old, action)
	if err != nil {
		return nil, err
	}
	if given != nil {
		if err := h.addVerdict(ctx, req, old, *given, len(action.Spec.Approvals)-1, let); err != nil {
			return nil, err
		}
	}
	if cancels(old, action) {
		let.annotations["cancelled"] = "true"
	}
	if reports(old, action) {
		return let, h.report(ctx, req, old, action, let)
	}
	return let, nil
}

// addVerdict stamps the verdict at that place of spec.approvals.
func (h *actionHandler) addVerdict(ctx context.Context, req *admission.Request, old *v1alpha1.AgentAction, given v1alpha1.Approval, at int, let *answer) error {
	stamped, err := h.stamp(ctx, req, old, given)
	if err != nil {
		return err
	}
	let.patch = append(let.patch, jsonpatch.NewOperation("replace", fmt.Sprintf("/spec/approvals/%d", at), stamped))
	maps.Copy(let.annotations, map[string]string{
		"approver": stamped.Approver, "as": stamped.As, "verdict": string(stamped.Verdict), "stage": stamped.Stage,
		"specDigest": stamped.SpecDigest, "workflowRevision": stamped.WorkflowRevision,
	})
	return nil
}

func cancels(old, action *v1alpha1.AgentAction) bool {
	return action.Spec.Cancelled && !old.Spec.Cancelled
}

func reports(old, action *v1alpha1.AgentAction) bool {
	return action.Spec.Outcome != nil && old.Spec.Outcome == nil
}

// byRequester refuses others what only the requester may: withdraw, and report.
func byRequester(req *admission.Request, old, action *v1alpha1.AgentAction) error {
	if isRequester(old, req) {
		return nil
	}
	user, requester := parties(req, old)
	switch {
	case cancels(old, action):
		return forbidden(whyNotRequester, "%s may not cancel this action: only its requester, %s, may. An approver can deny it: kubectl deny %s -n %s",
			user, requester, req.Name, req.Namespace)
	case reports(old, action):
		return forbidden(whyNotRequester, "%s may not report the outcome of this action: only its requester, %s, may. With its credentials:\n"+
			"  kubectl patch agentaction %s -n %s --type=merge -p '{\"spec\":{\"outcome\":{\"result\":\"Succeeded\"}}}'",
			user, requester, req.Name, req.Namespace)
	default:
		return nil
	}
}

// inItsTime refuses a withdrawal of what is decided, a report on what was not
// approved, and taking either back. The schema holds this too; here there is a
// record of it, and advice.
func inItsTime(req *admission.Request, old, action *v1alpha1.AgentAction) error {
	switch {
	case old.Spec.Cancelled && !action.Spec.Cancelled:
		return forbidden(whyDecided, "a cancelled action stays cancelled. "+again)
	case cancels(old, action) && old.Status.Decision.IsFinal():
		return forbidden(whyDecided, "the action is already decided and can no longer be cancelled: it was %s%s. What was approved ends by itself, at status.validUntil: kubectl get agentaction %s -n %s -o yaml",
			old.Status.Decision, decidedAt(old), req.Name, req.Namespace)
	case reports(old, action) && old.Status.Decision != v1alpha1.DecisionApproved:
		return forbidden(whyNotApproved, "an outcome can be reported only after the action was approved; how far it is: ascend explain %s -n %s", req.Name, req.Namespace)
	case old.Spec.Outcome != nil && !equality.Semantic.DeepEqual(old.Spec.Outcome, action.Spec.Outcome):
		return forbidden(whyDecided, "an outcome is reported once and cannot be changed, by nobody. What comes after it is another action: kubectl create -f FILE")
	default:
		return nil
	}
}

// isRequester says whether the action is the user's own. The same name with
// another uid is somebody else: an account that was deleted and made anew. Not
// everybody has a uid.
func isRequester(action *v1alpha1.AgentAction, req *admission.Request) bool {
	by, user := action.Spec.Requester, &req.UserInfo
	return by != nil && by.Username != "" && by.Username == user.Username &&
		(by.UID == "" || user.UID == "" || by.UID == user.UID)
}

// parties are the user and the requester, so that a message can tell them apart.
func parties(req *admission.Request, action *v1alpha1.AgentAction) (user, requester string) {
	user, requester = shown(req.UserInfo.Username), requesterName(action)
	if user == requester {
		user += " (uid " + shown(req.UserInfo.UID) + ")"
		requester += " (uid " + shown(action.Spec.Requester.UID) + ")"
	}
	return user, requester
}

func requesterName(action *v1alpha1.AgentAction) string {
	if action.Spec.Requester == nil {
		return "who is not known"
	}
	return shown(action.Spec.Requester.Username)
}

// newVerdict finds the verdict that a change adds; nil when it adds none. What
// was given before has to stand as it was, in its order, and one request adds one.
func newVerdict(req *admission.Request, old, action *v1alpha1.AgentAction) (*v1alpha1.Approval, error) {
	was, is := old.Spec.Approvals, action.Spec.Approvals
	kept := min(len(was), len(is))
	if len(is) < len(was) || !equality.Semantic.DeepEqual(was[:kept], is[:kept]) {
		return nil, forbidden(whyChanged, "approvals that were given cannot be changed, removed or put into another order, and this request leaves out or changes one of %d; "+
			"a merge patch has to repeat the whole list. To add yours:\n  kubectl approve %s -n %s",
			len(was), req.Name, req.Namespace)
	}
	switch added := is[kept:]; len(added) {
	case 0:
		return nil, nil //nolint:nilnil // no verdict is no error
	case 1:
		return &added[0], nil
	default:
		return nil, invalid("spec.approvals", "%d approvals in one request; everybody gives their own, one at a time: kubectl approve %s -n %s", len(added), req.Name, req.Namespace)
	}
}
