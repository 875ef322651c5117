// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"errors"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
)

// The paths of the validating webhooks, as config/webhook names them.
const (
	pathSmartRule           = "/validate-smartrule"
	pathApprovalWorkflow    = "/validate-approvalworkflow"
	pathAgent               = "/validate-agent"
	pathRiskModel           = "/validate-riskmodel"
	pathWebhookSubscription = "/validate-webhooksubscription"
	pathPolicyGone          = "/policy-gone"
)

// registerPolicyValidators registers what looks at policy before it is stored:
// it refuses what could not work, warns of what will surprise, and keeps the
// record of every change.
func registerPolicyValidators(mgr ctrl.Manager, o Options) error {
	refs := &references{policy: o.Policy, live: o.Live, checkURL: notify.URLChecker(o.AllowedNetworks)}
	late := newLateRecords(o.Audit, o.Clock)
	mgr.GetWebhookServer().Register(pathPolicyGone, &admission.Webhook{Handler: &policyGone{options: o}})
	return errors.Join(
		mgr.Add(late),
		register(mgr, o, late, pathSmartRule, smartRules(o, refs)),
		register(mgr, o, late, pathApprovalWorkflow, approvalWorkflows(o)),
		register(mgr, o, late, pathAgent, agents(refs)),
		register(mgr, o, late, pathRiskModel, riskModels()),
		register(mgr, o, late, pathWebhookSubscription, webhookSubscriptions(o, refs, &authority{reviews: mgr.GetClient()})),
	)
}

// register serves the validator of one kind under a path, and keeps the record
// of what it lets through and refuses. It fails where the manager's scheme lacks the kind, of
// which nothing could then be decoded.
func register[T policyObject](mgr ctrl.Manager, o Options, late *lateRecords, path string, v *validator[T]) error {
	if kind := v1alpha1.GroupVersion.WithKind(v.kind); !mgr.GetScheme().Recognizes(kind) {
		return fmt.Errorf("serve %s: the manager's scheme lacks %s; add v1alpha1.AddToScheme", path, kind)
	}
	hook := admission.WithValidator(mgr.GetScheme(), v)
	hook.Handler = &recorded{next: hook.Handler, kind: v.kind, audit: o.Audit, live: o.Live, clock: o.Clock, late: late}
	mgr.GetWebhookServer().Register(path, hook)
	return nil
}
