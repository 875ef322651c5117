// SPDX-License-Identifier: Apache-2.0

// Package webhooks is what the API server asks before it stores anything of
// this project: it stamps and seals who asks and who agrees, and refuses what
// nobody may do. What the API server can hold by itself is in
// config/admission-policy and in the schema.
package webhooks

import (
	"errors"
	"fmt"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/policy"
	"github.com/ow-kai/ascend-operator/internal/ratelimit"
	"github.com/ow-kai/ascend-operator/internal/seal"
	"github.com/ow-kai/ascend-operator/internal/voucher"
)

// The paths under which the webhooks are served, as config/webhook names them.
const (
	pathAgentAction     = "/mutate-agentaction"
	pathAgentActionGone = "/agentaction-gone"
)

// Options are what the webhooks take from outside.
type Options struct {
	// Audit keeps the record of what was refused. Required.
	Audit audit.Recorder
	// Policy gives the agents, rules and workflows. Required.
	Policy *policy.Store
	// Synced says whether policy has been read completely; before, nobody can tell
	// who has to agree. Required.
	Synced func() bool
	// Ring gives the keys that seal; nil while there are none. Required.
	Ring func() *seal.Ring
	// Voucher says what to believe of a stored action. Required.
	Voucher voucher.Voucher
	// Limiter counts submissions. Required.
	Limiter *ratelimit.Limiter
	// Live reads from the API server, where the cache may be behind. Required.
	Live client.Reader
	// Clock tells the time; the real one when nil.
	Clock clock.PassiveClock
}

// Setup registers every webhook with the manager's webhook server.
func Setup(mgr ctrl.Manager, o Options) error {
	if o.Audit == nil || o.Policy == nil || o.Synced == nil || o.Ring == nil || o.Voucher == nil || o.Limiter == nil || o.Live == nil {
		return errors.New("set up webhooks: every option but Clock is required")
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	o.Audit = newBoundedAudit(o.Audit)
	server := mgr.GetWebhookServer()
	actions := &actionHandler{
		options:   o,
		authority: &authority{reviews: mgr.GetClient()},
		recorder:  &recorder{audit: o.Audit, clock: o.Clock},
	}
	server.Register(pathAgentAction, &admission.Webhook{Handler: actions})
	server.Register(pathAgentActionGone, &admission.Webhook{Handler: admission.HandlerFunc(actions.gone)})
	if err := registerPolicyValidators(mgr, o); err != nil {
		return fmt.Errorf("set up webhooks: %w", err)
	}
	return nil
}
