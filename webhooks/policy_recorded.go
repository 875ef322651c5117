// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	admissionv1 "k8s.io/api/admission/v1"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// whyInvalidPolicy is the reason for which policy is refused.
const whyInvalidPolicy = "InvalidPolicy"

// recorded keeps the record of what another handler lets through of one kind of
// policy, and of what it refuses, and says so in the API server's own audit log.
// No policy changes without its record: where none can be kept, the change is
// refused, but one that does nothing but stop an Agent. A refusal stands whether or not its record can be kept. A dry run
// leaves none.
type recorded struct {
	next  admission.Handler
	kind  string
	audit audit.Recorder
	live  client.Reader
	clock clock.PassiveClock
	late  *lateRecords
}

// Handle implements admission.Handler.
func (r *recorded) Handle(ctx context.Context, req admission.Request) admission.Response {
	response := admission.Allowed("") // whoever may delete policy may
	if req.Operation != admissionv1.Delete {
		response = r.next.Handle(ctx, req)
	}
	if response.Allowed {
		warning, err := r.changed(ctx, &req)
		if err == nil && warning != "" {
			response.AuditAnnotations = map[string]string{"unrecorded": "true"}
			response = response.WithWarnings(warning)
		}
		if err == nil {
			return response
		}
		no := (*refusal)(nil)
		if !errors.As(err, &no) {
			no = notReady("the operator cannot judge this now: %v; try again", err)
		}
		response = no.response()
		if no.why == whyStale {
			return response
		}
	}
	return r.refused(ctx, &req, response)
}

// refused keeps the record of a refusal.
func (r *recorded) refused(ctx context.Context, req *admission.Request, response admission.Response) admission.Response {
	why, message := whyInvalidPolicy, ""
	if result := response.Result; result != nil {
		message = result.Message
		if result.Code == http.StatusBadRequest {
			why = whyUnreadable
		}
	}
	if response.AuditAnnotations == nil {
		response.AuditAnnotations = map[string]string{}
	}
	if known := response.AuditAnnotations["refused"]; known != "" {
		why = known
	}
	response.AuditAnnotations["refused"] = why
	if dryRun(req) {
		return response
	}
	err := appendRefusal(ctx, r.audit, audit.Record{
		Time: r.clock.Now(), Event: audit.EventRefused, Actor: req.UserInfo.Username,
		Kind: r.kind, Namespace: req.Namespace, Name: nameOf(req), Reason: why, Message: message,
	})
	if err != nil {
		log.FromContext(ctx).Error(err, "Cannot record a refusal", "user", req.UserInfo.Username, "kind", r.kind, "reason", why)
	}
	return response
}

// nameOf is the name of the object of a request; that of one whose name is
// generated stands in the object alone.
func nameOf(req *admission.Request) string {
	if req.Name != "" {
		return req.Name
	}
	var object metav1.PartialObjectMetadata
	if json.Unmarshal(req.Object.Raw, &object) != nil {
		return ""
	}
	return object.Name
}
