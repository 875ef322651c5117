// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

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
	let := &answer{annotations: map[string]string{"purged": "true"}}
	if old == nil {
		return ofCollection(req, let)
	}
	if _, err := h.stored(ctx, req, old); err != nil {
		return nil, err
	}
	if err := h.recorder.happened(ctx, req, old, audit.EventPurged, "deleted by a holder of the verb purge"); err != nil {
		return nil, err
	}
	return let, nil
}

// ofCollection lets the deletion of a collection begin: the API server asks once
// without an object, and then about each one that is to go, of which the record
// is kept.
func ofCollection(req *admission.Request, let *answer) (*answer, error) {
	if req.Name != "" {
		return nil, forbidden(whyUnreadable, "the API server does not show what is to be deleted, so that no record could be kept of it; "+
			"delete it by its name, with a supported Kubernetes: kubectl delete agentaction %s -n %s", shown(req.Name), req.Namespace)
	}
	return let, nil
}

// namespaceController is who ends namespaces.
// Source: config/webhook/webhooks.yaml, which asks about its deletions alone.
const namespaceController = "system:serviceaccount:kube-system:namespace-controller"

// gone keeps the record of an action that goes with its namespace, and stands
// in nobody's way: where no record can be kept the namespace goes all the same.
// What is not so leaves no record.
func (h *actionHandler) gone(ctx context.Context, req admission.Request) admission.Response {
	if err := h.recordGone(ctx, &req); err != nil {
		log.FromContext(ctx).Error(err, "Cannot record an action that goes with its namespace", "namespace", req.Namespace, "name", req.Name)
	}
	return admission.Allowed("")
}

func (h *actionHandler) recordGone(ctx context.Context, req *admission.Request) error {
	old, _, err := decodeBoth(req)
	if err != nil || old == nil {
		return err
	}
	ends, err := terminating(ctx, h.options.Live, req.Namespace)
	if err != nil {
		return err
	}
	if !ends || req.UserInfo.Username != namespaceController {
		log.FromContext(ctx).V(1).Info("Somebody says that an action goes with its namespace, which is not being deleted",
			"user", atMost(req.UserInfo.Username, maxUsername), "namespace", req.Namespace, "name", req.Name)
		return nil
	}
	if _, err := h.stored(ctx, req, old); err != nil {
		return err
	}
	return h.recorder.happened(ctx, req, old, audit.EventGone, "the action goes with its namespace")
}
