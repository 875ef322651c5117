// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"net/netip"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/ow-kai/ascend-operator/internal/notify"
	"github.com/ow-kai/ascend-operator/internal/subscriptions"
)

// NotificationOptions are what notifications take from outside.
type NotificationOptions struct {
	// AllowedNetworks may be sent to although they are private or this machine.
	AllowedNetworks []netip.Prefix
	// Version of the operator, for receivers.
	Version string
	// Interval is the time between two writes of statistics; the default when zero.
	Interval time.Duration
	// Sender takes the place of the one that posts; nil: it posts.
	Sender notify.Poster
	// Around wraps what posts; nil: nothing does. For tests, which fail in between.
	Around func(notify.Poster) notify.Poster
}

// notifier is what notifications are made of.
type notifier struct {
	outbox       *Outbox
	outcomes     *OutcomeNotifier
	statistics   *SubscriptionStatistics
	subscription *WebhookSubscriptionReconciler
}

// newNotifier puts together what delivers.
func newNotifier(mgr ctrl.Manager, feed *subscriptions.Feed, options Options) *notifier {
	c, live := mgr.GetClient(), mgr.GetAPIReader()
	around := &network{live: live, host: mgr.GetConfig().Host, clock: options.Clock}
	sender := options.Notifications.Sender
	if sender == nil {
		sender = notify.NewSender(notify.SenderOptions{
			Version:         options.Notifications.Version,
			Clock:           options.Clock,
			AllowedNetworks: options.Notifications.AllowedNetworks,
			APIServer:       around.apiServer,
			ServiceIP:       around.serviceIP,
		})
	}
	if around := options.Notifications.Around; around != nil {
		sender = around(sender)
	}
	statistics := &SubscriptionStatistics{Client: c, Interval: options.Notifications.Interval, Clock: options.Clock}
	targets := &Targets{Client: c, Live: live, CheckURL: notify.URLChecker(options.Notifications.AllowedNetworks), Clock: options.Clock}
	queue := &notify.Queue{Sender: sender, Clock: options.Clock, Resolve: targets.Resolve, Tried: statistics.Tried}
	outbox := &Outbox{
		Client: c, Live: live, Subscriptions: feed, Targets: targets, Queue: queue, Statistics: statistics, Clock: options.Clock,
	}
	queue.Load, queue.Done, queue.Drained = outbox.load, outbox.done, outbox.drained
	queued.Store(queue)
	return &notifier{
		outbox:     outbox,
		outcomes:   &OutcomeNotifier{Outbox: outbox, NewCache: LabelledActions(mgr)},
		statistics: statistics,
		subscription: &WebhookSubscriptionReconciler{
			Client: c, Targets: targets, Queue: queue, Sender: sender, Statistics: statistics, Clock: options.Clock,
		},
	}
}

// setupWithManager registers what delivers.
func (n *notifier) setupWithManager(mgr ctrl.Manager) error {
	return errors.Join(
		n.subscription.SetupWithManager(mgr),
		mgr.Add(n.statistics),
		mgr.Add(n.outbox),
		mgr.Add(n.outcomes),
	)
}
