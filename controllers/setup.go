// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/policy"
	"github.com/ow-kai/ascend-operator/internal/ratelimit"
	"github.com/ow-kai/ascend-operator/internal/subscriptions"
	"github.com/ow-kai/ascend-operator/internal/voucher"
)

// Options are what the controllers take from outside.
type Options struct {
	// Audit keeps the records. Required.
	Audit audit.Recorder
	// Voucher says whom and what to believe. Required.
	Voucher voucher.Voucher
	// ApprovalURL is the template of status.approvalURL; empty for none.
	ApprovalURL string
	// Workers is how many actions are decided at once; 1 when zero.
	Workers int
	// CollectInterval is the time between two looks for expired actions; the default when zero.
	CollectInterval time.Duration
	// KeepAtLeast is the age before which no action is collected; the constant of
	// the same name when zero. Only tests, which have no admission, give less.
	KeepAtLeast time.Duration
	// FlushInterval is the time between two writes of agents' counters; the default when zero.
	FlushInterval time.Duration
	// Guard watches admission itself, see NewAdmissionGuard; nil: nobody does.
	Guard *AdmissionGuard
	// Limiter learns of submissions from the watch, and its counts are written to
	// the agents' status; none when nil.
	Limiter *ratelimit.Limiter
	// Notifications say how subscriptions are told.
	Notifications NotificationOptions
	// Clock tells the time; the real one when nil.
	Clock clock.Clock
}

// CollectInterval is how often, at most, decided actions are read to find those
// that have expired.
const CollectInterval = 5 * time.Minute

// Operator is what Setup has put together.
type Operator struct {
	// Policy is the compiled policy.
	Policy *policy.Store
	// Feed keeps Policy up to date.
	Feed *policy.Feed
	// Subscriptions say who wants to hear of what.
	Subscriptions *subscriptions.Feed
}

// CacheOptions keep in memory only what the controllers need: undecided
// actions, and no managed fields.
func CacheOptions() cache.Options {
	return cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.AgentAction{}: {Field: UndecidedActions()},
		},
	}
}

// Setup registers every controller with a manager whose cache has CacheOptions.
func Setup(ctx context.Context, mgr ctrl.Manager, options Options) (*Operator, error) {
	if options.Audit == nil || options.Voucher == nil {
		return nil, errors.New("set up controllers: options Audit and Voucher are required")
	}
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	store, err := policy.NewStore()
	if err != nil {
		return nil, fmt.Errorf("prepare the rule compiler: %w", err)
	}
	feed, err := policy.NewFeed(ctx, mgr.GetCache(), store)
	if err != nil {
		return nil, fmt.Errorf("watch policy: %w", err)
	}
	// Replicas that wait to be elected keep the undecided actions at hand, too.
	if _, err := mgr.GetCache().GetInformer(ctx, &v1alpha1.AgentAction{}); err != nil {
		return nil, fmt.Errorf("watch actions: %w", err)
	}
	if options.Limiter != nil {
		if err := WatchSubmissions(ctx, mgr.GetCache(), options.Limiter, options.Clock); err != nil {
			return nil, fmt.Errorf("watch submissions: %w", err)
		}
	}
	wanted, err := subscriptions.NewFeed(ctx, mgr.GetCache())
	if err != nil {
		return nil, err
	}
	operator := &Operator{Policy: store, Feed: feed, Subscriptions: wanted}
	if err := register(mgr, operator, options); err != nil {
		return nil, fmt.Errorf("register controllers: %w", err)
	}
	return operator, nil
}

// register adds everything that runs to the manager.
func register(mgr ctrl.Manager, operator *Operator, options Options) error {
	c := mgr.GetClient()
	tally := &AgentTally{Client: c, Interval: options.FlushInterval, Limiter: options.Limiter, Clock: options.Clock}
	notifier := newNotifier(mgr, operator.Subscriptions, options)
	actions := &AgentActionReconciler{
		Outbox:      notifier.outbox,
		Client:      c,
		Live:        mgr.GetAPIReader(),
		Policy:      operator.Policy,
		Feed:        operator.Feed,
		Voucher:     options.Voucher,
		Audit:       options.Audit,
		Events:      mgr.GetEventRecorder("ascend-operator"),
		Tally:       tally,
		Clock:       options.Clock,
		ApprovalURL: options.ApprovalURL,
		Workers:     max(options.Workers, 1),
		Guard:       options.Guard,
	}
	agents := &AgentReconciler{
		Client: c,
		Outbox: notifier.outbox,
		Guard:  options.Guard,
		KillSwitch: &KillSwitch{
			Client:  c,
			Live:    mgr.GetAPIReader(),
			Voucher: options.Voucher,
			Audit:   options.Audit,
			Events:  mgr.GetEventRecorder("ascend-operator"),
			Clock:   options.Clock,
		},
	}
	return errors.Join(
		options.Guard.setupWithManager(mgr, options),
		actions.SetupWithManager(mgr),
		(&SmartRuleReconciler{Client: c, Policy: operator.Policy}).SetupWithManager(mgr),
		(&ApprovalWorkflowReconciler{Client: c, Policy: operator.Policy}).SetupWithManager(mgr),
		(&RiskModelReconciler{Client: c, Policy: operator.Policy}).SetupWithManager(mgr),
		agents.SetupWithManager(mgr),
		notifier.setupWithManager(mgr),
		mgr.Add(tally),
		mgr.Add(&Collector{
			Client:   c,
			Live:     mgr.GetAPIReader(),
			Audit:    options.Audit,
			Clock:    options.Clock,
			Interval: cmp.Or(options.CollectInterval, CollectInterval),
			Keep:     cmp.Or(options.KeepAtLeast, KeepAtLeast),
		}),
	)
}
