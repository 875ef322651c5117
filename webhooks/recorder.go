// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"time"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// recorder keeps the record of what admission refused, and of the little it
// lets through that no decision will record.
type recorder struct {
	audit audit.Recorder
	clock clock.PassiveClock
}

// refused records a refusal. It stands whether or not the record can be kept:
// nothing is written that would need it. A dry run leaves no record.
func (r *recorder) refused(ctx context.Context, req *admission.Request, action *v1alpha1.AgentAction, why, message string) {
	if dryRun(req) {
		return
	}
	record := r.about(req, action)
	record.Event, record.Reason, record.Message = audit.EventRefused, why, message
	if err := appendRefusal(ctx, r.audit, record); err != nil {
		log.FromContext(ctx).Error(err, "Cannot record a refusal", "user", req.UserInfo.Username, "reason", why)
	}
}

// refusalTimeout is how long is waited for the record of a refusal, as long as an
// API server may wait for a webhook.
const refusalTimeout = 30 * time.Second

// appendRefusal keeps the record of a refusal also where whoever is refused does
// not wait for the answer: else nobody would hear of what is tried by requests
// that are broken off.
func appendRefusal(ctx context.Context, to audit.Recorder, record audit.Record) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refusalTimeout)
	defer cancel()
	return to.Append(ctx, record)
}

// happened records what is let through. It must not happen without its record.
func (r *recorder) happened(ctx context.Context, req *admission.Request, action *v1alpha1.AgentAction, event v1alpha1.EventType, message string) error {
	if dryRun(req) {
		return nil
	}
	record := r.about(req, action)
	record.Event, record.Message = event, message
	if err := r.audit.Append(ctx, record); err != nil {
		return notReady("no record can be kept of it: %v; try again when the operator is ready", err)
	}
	return nil
}

// about is a record of a request. Of an action that is being submitted it says
// what is asked for; the requester of one that is stored may be forged and is
// left out.
func (r *recorder) about(req *admission.Request, action *v1alpha1.AgentAction) audit.Record {
	record := audit.Record{
		Time: r.clock.Now(), Actor: req.UserInfo.Username,
		Namespace: req.Namespace, Name: req.Name,
	}
	if action == nil {
		return record
	}
	record.UID, record.ResourceVersion = string(action.UID), action.ResourceVersion
	record.Agent, record.ActionType, record.Resource = string(action.Spec.AgentRef.Name), action.Spec.ActionType, action.Spec.Resource
	record.Decision, record.SpecDigest = action.Status.Decision, action.Status.SpecDigest
	if record.Name == "" {
		record.Name = action.Name
	}
	return record
}
