// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// refusal is why a request is not let through. Its message says who may, what
// is missing, and what to do instead.
type refusal struct {
	code       int32
	status     metav1.StatusReason
	why        string // in CamelCase, for the audit trail and for programs
	message    string
	field      string        // the field that is wrong, where one is
	retryAfter time.Duration // with 429 and 503
}

// Error returns the message.
func (r *refusal) Error() string { return r.message }

// maxMessage is how long a refusal may be, in characters.
const maxMessage = 4096

// The reasons of refusals that are no reasons of decisions.
const (
	whyRateLimited     = "RateLimited"
	whyNotYourName     = "NotYourName"
	whyNotApprover     = "NotAnApprover"
	whyOwnAction       = "OwnAction"
	whyNoVerb          = "VerbMissing"
	whyDecided         = "AlreadyDecided"
	whyNotApproved     = "NotApproved"
	whyNotCounted      = "WouldNotCount"
	whyChanged         = "ApprovalsChanged"
	whyRequestChanged  = "RequestChanged"
	whyTooLarge        = "TooLarge"
	whyMoved           = "ChangedMeanwhile"
	whyStale           = "Stale"
	whyNotRequester    = "NotTheRequester"
	whyStatusReadOnly  = "StatusIsTheOperators"
	whyNoPurge         = "DeletionRefused"
	whyPolicyMoved     = "PolicyMoved"
	whyNotReady        = "NotReady"
	whyUnreadable      = "Unreadable"
	whyNotAcknowledged = "NotWhatWasShown"
	whyOperatorsLabel  = "LabelIsTheOperators"
)

func forbidden(why, format string, args ...any) *refusal {
	return &refusal{code: http.StatusForbidden, status: metav1.StatusReasonForbidden, why: why, message: fmt.Sprintf(format, args...)}
}

// invalid names the field that is wrong.
func invalid(field, format string, args ...any) *refusal {
	return &refusal{
		code: http.StatusUnprocessableEntity, status: metav1.StatusReasonInvalid, why: v1alpha1.ReasonInvalidRequest,
		field: field, message: field + ": " + fmt.Sprintf(format, args...),
	}
}

// conflict is what another try may pass: something is on its way.
func conflict(why, format string, args ...any) *refusal {
	return &refusal{code: http.StatusConflict, status: metav1.StatusReasonConflict, why: why, message: fmt.Sprintf(format, args...)}
}

// stale is what the API server is told where it asks about an object as its own
// cache has it, or as it was before another request was faster: what it is told
// cannot be written, and it asks again about the object as it is now. So nobody is
// refused anything, and there is no record of it.
func stale(live, old string) *refusal {
	return conflict(whyStale, "the object has changed meanwhile, from version %s to %s; read it again and try then", shown(old), live)
}

// notReady is a failure of the operator's own, which passes.
func notReady(format string, args ...any) *refusal {
	return &refusal{
		code: http.StatusServiceUnavailable, status: metav1.StatusReasonServiceUnavailable, why: whyNotReady,
		message: fmt.Sprintf(format, args...), retryAfter: time.Second,
	}
}

// unreadable is the refusal of an action that is over a limit.
func unreadable(err error) *refusal {
	r := invalid("spec", "%v", err)
	if no := (*request.InvalidError)(nil); errors.As(err, &no) {
		r.field, r.message = no.Field, no.Error()
	}
	return r
}

// response is what the API server is told.
func (r *refusal) response() admission.Response {
	// The cause is for programs, by its type; kubectl shows it in the place of the
	// message where a field is wrong.
	cause := metav1.StatusCause{Type: metav1.CauseType(r.why), Field: r.field}
	if r.field != "" {
		cause.Message = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(r.message, r.field), ": "))
	}
	details := &metav1.StatusDetails{Group: v1alpha1.GroupVersion.Group, Causes: []metav1.StatusCause{cause}}
	if r.retryAfter > 0 {
		details.RetryAfterSeconds = int32(max(1, (r.retryAfter+time.Second-1)/time.Second)) //nolint:gosec // at most a day
	}
	return admission.Response{AdmissionResponse: admissionv1.AdmissionResponse{
		Result: &metav1.Status{
			Status: metav1.StatusFailure, Code: r.code, Reason: r.status, Message: r.message, Details: details,
		},
		AuditAnnotations: map[string]string{"refused": r.why},
	}}
}
