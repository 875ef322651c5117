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
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// update judges a change of an action: somebody's verdict, the requester's
// withdrawal or report. What else may never change the schema and the policies
// hold by themselves.
func (h *actionHandler) update(ctx context.Context, req *admission.Request, old, action *v1alpha1.AgentAction) (*answer, error) {
	let := &answer{annotations: map[string]string{}}
	if err := h.byRequester(ctx, req, old, action, let); err != nil {
		return nil, err
	}
	given, err := newVerdict(req, old, action)
	if err != nil || given == nil {
		return let, err
	}
	stamped, err := h.stamp(ctx, req, old, *given)
	if err != nil {
		return nil, err
	}
	path := fmt.Sprintf("/spec/approvals/%d", len(action.Spec.Approvals)-1)
	let.patch = append(let.patch, jsonpatch.NewOperation("replace", path, stamped))
	maps.Copy(let.annotations, map[string]string{
		"approver": stamped.Approver, "as": stamped.As, "verdict": string(stamped.Verdict), "stage": stamped.Stage,
		"specDigest": stamped.SpecDigest, "workflowRevision": stamped.WorkflowRevision,
	})
	return let, nil
}

// byRequester judges what only the requester may do: withdraw, and report.
func (h *actionHandler) byRequester(ctx context.Context, req *admission.Request, old, action *v1alpha1.AgentAction, let *answer) error {
	cancels := action.Spec.Cancelled && !old.Spec.Cancelled
	reports := action.Spec.Outcome != nil && old.Spec.Outcome == nil
	if !cancels && !reports {
		return nil
	}
	if by := old.Spec.Requester; by == nil || by.Username != req.UserInfo.Username {
		if cancels {
			return forbidden(whyNotRequester, "%s may not cancel this action: only its requester, %s, may. An approver can deny it: kubectl deny %s -n %s",
				shown(req.UserInfo.Username), requesterName(old), req.Name, req.Namespace)
		}
		return forbidden(whyNotRequester, "%s may not report the outcome of this action: only its requester, %s, may. With its credentials:\n"+
			"  kubectl patch agentaction %s -n %s --type=merge -p '{\"spec\":{\"outcome\":{\"result\":\"Succeeded\"}}}'",
			shown(req.UserInfo.Username), requesterName(old), req.Name, req.Namespace)
	}
	if cancels {
		let.annotations["cancelled"] = "true"
	}
	if !reports || old.Status.Decision != v1alpha1.DecisionApproved { // which the schema refuses
		return nil
	}
	event := v1alpha1.EventActionExecuted
	if action.Spec.Outcome.Result != v1alpha1.OutcomeSucceeded {
		event = v1alpha1.EventActionFailed
	}
	let.annotations["outcome"] = string(action.Spec.Outcome.Result)
	return h.recorder.happened(ctx, req, old, event, "the requester reports: "+string(action.Spec.Outcome.Result))
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

// remove lets go what the holder of the verb purge wants gone.
func (h *actionHandler) remove(ctx context.Context, req *admission.Request, old *v1alpha1.AgentAction) (*answer, error) {
	allowed, err := h.authority.may(ctx, &req.UserInfo, verbPurge, actionResource, req.Namespace, req.Name)
	if err != nil {
		return nil, notReady("nobody can tell now whether you may purge actions: %v; try again", err)
	}
	if !allowed {
		return nil, forbidden(whyNoPurge, "%s may not delete actions: they are the record of what was asked and go by themselves after spec.ttlAfterDecision. "+
			"Its requester can cancel one that waits; who holds the verb purge can delete. Whoever administers namespace %s can grant it:\n"+
			"  kubectl create role ascend-purge -n %s --verb=purge,delete --resource=%s.%s\n"+
			"  kubectl create rolebinding ascend-purge -n %s --role=ascend-purge %s",
			shown(req.UserInfo.Username), req.Namespace, req.Namespace, actionResource, v1alpha1.GroupVersion.Group, req.Namespace, bindingFlag(req.UserInfo.Username, ""))
	}
	message := "deleted by a holder of the verb purge"
	if old == nil {
		message = "every action that a selector names may be deleted by a holder of the verb purge"
	}
	if err := h.recorder.happened(ctx, req, old, audit.EventPurged, message); err != nil {
		return nil, err
	}
	return &answer{annotations: map[string]string{"purged": "true"}}, nil
}
