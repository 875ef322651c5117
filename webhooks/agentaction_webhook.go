// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"gomodules.xyz/jsonpatch/v2"
	admissionv1 "k8s.io/api/admission/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// actionHandler is asked about everything that happens to AgentActions, once a
// request: it stamps, seals, and refuses. It is one mutating webhook, for an
// action then costs one call, and so that it sees what it refuses before any
// policy of the API server does and can keep the record of it.
type actionHandler struct {
	options   Options
	authority *authority
	recorder  *recorder
}

var _ admission.Handler = (*actionHandler)(nil)

// answer is what is let through: the patch that stamps, and what the API
// server's own audit log and the user are told.
type answer struct {
	patch       []jsonpatch.JsonPatchOperation
	annotations map[string]string
	warnings    []string
}

// Handle answers one request.
func (h *actionHandler) Handle(ctx context.Context, req admission.Request) admission.Response {
	old, action, err := decodeBoth(&req)
	if err != nil {
		return h.refuse(ctx, &req, nil, &refusal{code: http.StatusBadRequest, status: "BadRequest", why: whyUnreadable,
			message: "the object cannot be read as an AgentAction: " + err.Error()})
	}
	let, err := h.judge(ctx, &req, old, action)
	if err != nil {
		subject := action
		if subject == nil {
			subject = old
		}
		return h.refuse(ctx, &req, subject, err)
	}
	return admission.Response{
		Patches: let.patch,
		AdmissionResponse: admissionv1.AdmissionResponse{
			Allowed: true, AuditAnnotations: let.annotations, Warnings: let.warnings,
		},
	}
}

// judge sends a request to those who know about it.
func (h *actionHandler) judge(ctx context.Context, req *admission.Request, old, action *v1alpha1.AgentAction) (*answer, error) {
	switch {
	case req.UserInfo.Username == v1alpha1.OperatorUser && (req.SubResource != "" || req.Operation == admissionv1.Delete):
		return &answer{}, nil // what it does, it has recorded
	case req.SubResource != "":
		return nil, forbidden(whyStatusReadOnly, "%s may not write the %s of an action; the operator alone does, as %s. To decide about it: kubectl approve %s -n %s",
			shown(req.UserInfo.Username), req.SubResource, v1alpha1.OperatorUser, req.Name, req.Namespace)
	case req.Operation == admissionv1.Create:
		return h.submit(ctx, req, action)
	case req.Operation == admissionv1.Update:
		return h.update(ctx, req, old, action)
	case req.Operation == admissionv1.Delete:
		return h.remove(ctx, req, old)
	default:
		return nil, forbidden(whyUnreadable, "the operation %s is not known to this operator", req.Operation)
	}
}

// refuse answers no, and keeps the record of it.
func (h *actionHandler) refuse(ctx context.Context, req *admission.Request, action *v1alpha1.AgentAction, err error) admission.Response {
	no := (*refusal)(nil)
	if !errors.As(err, &no) {
		log.FromContext(ctx).Error(err, "Cannot judge a request", "operation", req.Operation, "name", req.Name)
		no = notReady("the operator cannot judge this now: %v", err)
	}
	no.message = atMost(no.message, maxMessage) // it may quote what was sent
	if no.why != whyStale {
		h.recorder.refused(ctx, req, action, no.why, no.message)
	}
	return no.response()
}

// decodeBoth reads the object before and after; nil where there is none.
func decodeBoth(req *admission.Request) (old, action *v1alpha1.AgentAction, err error) {
	if old, err = decode(req.OldObject.Raw); err != nil {
		return nil, nil, err
	}
	action, err = decode(req.Object.Raw)
	return old, action, err
}

func decode(raw []byte) (*v1alpha1.AgentAction, error) {
	if len(raw) == 0 {
		return nil, nil //nolint:nilnil // no object is no error
	}
	action := &v1alpha1.AgentAction{}
	if err := json.Unmarshal(raw, action); err != nil {
		return nil, err
	}
	return action, nil
}
