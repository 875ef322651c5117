// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"slices"

	admissionv1 "k8s.io/api/admission/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// namespacedPolicy are the kinds of policy that a namespace holds.
var namespacedPolicy = []string{"SmartRule", "ApprovalWorkflow", "Agent", "WebhookSubscription"}

// policyGone keeps the records of policy that goes with its namespace, and stands
// in nobody's way: where no record can be kept the namespace goes all the same.
// What is not so leaves no record.
type policyGone struct{ options Options }

// Handle implements admission.Handler.
func (g *policyGone) Handle(ctx context.Context, req admission.Request) admission.Response {
	if err := g.record(ctx, &req); err != nil {
		log.FromContext(ctx).Error(err, "Cannot record policy that goes with its namespace", "kind", req.Kind.Kind, "namespace", req.Namespace, "name", req.Name)
	}
	return admission.Allowed("")
}

func (g *policyGone) record(ctx context.Context, req *admission.Request) error {
	if req.Operation != admissionv1.Delete || len(req.OldObject.Raw) == 0 || dryRun(req) || !slices.Contains(namespacedPolicy, req.Kind.Kind) {
		return nil
	}
	ends, err := terminating(ctx, g.options.Live, req.Namespace)
	if err != nil {
		return err
	}
	if !ends || req.UserInfo.Username != namespaceController {
		log.FromContext(ctx).V(1).Info("Somebody says that policy goes with its namespace, which is not being deleted",
			"user", atMost(req.UserInfo.Username, maxUsername), "namespace", req.Namespace, "name", req.Name)
		return nil
	}
	r := &recorded{kind: req.Kind.Kind, audit: g.options.Audit, live: g.options.Live, clock: g.options.Clock}
	record, err := r.about(req)
	if err != nil {
		return err
	}
	if err := r.stored(ctx, req, &record); err != nil {
		return err
	}
	record.Message = "it goes with its namespace"
	return g.options.Audit.Append(ctx, record)
}
