// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// The paths of the validating webhooks, as config/webhook names them.
const (
	pathSmartRule           = "/validate-smartrule"
	pathApprovalWorkflow    = "/validate-approvalworkflow"
	pathAgent               = "/validate-agent"
	pathRiskModel           = "/validate-riskmodel"
	pathWebhookSubscription = "/validate-webhooksubscription"
)

// registerPolicyValidators registers what looks at policy before it is stored:
// it refuses what could not work, and warns of what will surprise.
func registerPolicyValidators(mgr ctrl.Manager, o Options) error {
	refs := &references{policy: o.Policy, live: o.Live}
	register(mgr, o, pathSmartRule, smartRules(o, refs))
	register(mgr, o, pathApprovalWorkflow, approvalWorkflows(o))
	register(mgr, o, pathAgent, agents(refs))
	register(mgr, o, pathRiskModel, riskModels())
	register(mgr, o, pathWebhookSubscription, webhookSubscriptions(refs))
	return nil
}

// register serves the validator of one kind under a path, and keeps the record
// of what it refuses.
func register[T policyObject](mgr ctrl.Manager, o Options, path string, v *validator[T]) {
	hook := admission.WithValidator(mgr.GetScheme(), v)
	hook.Handler = &recorded{next: hook.Handler, kind: v.kind, audit: o.Audit, clock: o.Clock}
	mgr.GetWebhookServer().Register(path, hook)
}
