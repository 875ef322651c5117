// SPDX-License-Identifier: Apache-2.0

// Package webhooks is what the API server asks before it stores anything of
// this project: it stamps and seals who asks and who agrees, and refuses what
// nobody may do. What the API server can hold by itself is in
// config/admission-policy and in the schema.
package webhooks

import (
	"errors"
	"fmt"
	"net/netip"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
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
	// Subscriptions say who wants to hear of what; nil: nobody does.
	Subscriptions Subscriptions
	// AllowedNetworks may be sent to although they are private or this machine.
	AllowedNetworks []netip.Prefix
	// Live reads from the API server, where the cache may be behind. Required.
	Live client.Reader
	// Clock tells the time; the real one when nil.
	Clock clock.PassiveClock
}

// Subscriptions is what admission has to know of WebhookSubscriptions.
type Subscriptions interface {
	// Subscribed says whether a subscription of the namespace wants to hear of an
	// event of that agent's actions. Where that is not known yet it says so, for
	// the operator looks again.
	Subscribed(namespace, agent string, event v1alpha1.EventType) bool
	// Count is how many subscriptions the namespace has.
	Count(namespace string) int
}

// Setup registers every webhook with the manager's webhook server.
func Setup(mgr ctrl.Manager, o Options) error {
	if o.Audit == nil || o.Policy == nil || o.Synced == nil || o.Ring == nil || o.Voucher == nil || o.Limiter == nil || o.Live == nil {
		return errors.New("set up webhooks: every option but Subscriptions, AllowedNetworks and Clock is required")
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	o.Audit = newBoundedAudit(o.Audit)
	server := mgr.GetWebhookServer()
	actions := newActionHandler(o, mgr.GetClient())
	server.Register(pathAgentAction, &admission.Webhook{Handler: actions})
	server.Register(pathAgentActionGone, &admission.Webhook{Handler: admission.HandlerFunc(actions.gone)})
	if err := registerPolicyValidators(mgr, o); err != nil {
		return fmt.Errorf("set up webhooks: %w", err)
	}
	return nil
}

// Actions returns the handler of what happens to AgentActions by itself, for a
// server that is no manager's. Reviews are asked by SubjectAccessReviews what
// somebody may do.
func Actions(o Options, reviews client.Writer) admission.Handler { return newActionHandler(o, reviews) }

func newActionHandler(o Options, reviews client.Writer) *actionHandler {
	return &actionHandler{
		options:   o,
		authority: &authority{reviews: reviews},
		recorder:  &recorder{audit: o.Audit, clock: o.Clock},
	}
}
