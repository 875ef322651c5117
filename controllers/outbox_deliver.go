// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
)

// The kinds that there is something to tell of.
const (
	kindAction = "AgentAction"
	kindAgent  = "Agent"
)

func actionKey(action *v1alpha1.AgentAction) notify.Key {
	return notify.Key{Kind: kindAction, Namespace: action.Namespace, Name: action.Name, UID: string(action.UID)}
}

func suspendedKey(agent *v1alpha1.Agent) notify.Key {
	return notify.Key{Kind: kindAgent, Namespace: agent.Namespace, Name: agent.Name, UID: string(agent.UID)}
}

// deliver hands entries to the queue, which leaves alone what it has already.
func (o *Outbox) deliver(about notify.Key, entries []v1alpha1.PendingNotification) {
	for _, entry := range entries {
		for _, name := range entry.To {
			o.Queue.Add(deliveryOf(about, &entry, name)) // what is turned away is added again by drained
		}
	}
}

func deliveryOf(about notify.Key, entry *v1alpha1.PendingNotification, to v1alpha1.ObjectName) notify.Delivery {
	return notify.Delivery{
		Target:  types.NamespacedName{Namespace: about.Namespace, Name: string(to)},
		EventID: entry.ID,
		Key:     about,
		First:   entry.Time.Time,
	}
}

// drop gives an entry up before it was ever tried.
func (o *Outbox) drop(about notify.Key, entry v1alpha1.PendingNotification, why string) {
	for _, name := range entry.To {
		o.Statistics.Ended(deliveryOf(about, &entry, name), &entry, notify.Outcome{Result: notify.OutcomeDead, Time: o.Clock.Now(), Error: why})
	}
}

// load reads what a delivery tells, anew for each try. It is obsolete when the
// object is gone, when the subscription has heard of it, and when the write that
// made it has not come true; then there may be another, which is delivered.
func (o *Outbox) load(ctx context.Context, delivery notify.Delivery) (notify.Event, error) {
	o.init()
	subject, entries, err := o.subject(ctx, delivery.Key)
	if err != nil {
		return notify.Event{}, err
	}
	entry := find(entries, delivery.EventID)
	if entry == nil {
		o.deliver(delivery.Key, entries)
		return notify.Event{}, notify.ErrObsolete
	}
	if !slices.Contains(entry.To, v1alpha1.ObjectName(delivery.Target.Name)) || o.heard(delivery) {
		return notify.Event{}, notify.ErrObsolete
	}
	return notify.Event{
		ID: entry.ID, Type: entry.Event, Time: entry.Time.Time, Subject: subject, Reason: entry.Reason, Message: entry.Message,
	}, nil
}

// heard says whether a delivery has ended, and only status does not say so yet.
func (o *Outbox) heard(delivery notify.Delivery) bool {
	key := types.NamespacedName{Namespace: delivery.Key.Namespace, Name: delivery.Key.Name}
	_, done := o.acknowledged.look(key, types.UID(delivery.Key.UID))[acknowledgement{delivery.EventID, v1alpha1.ObjectName(delivery.Target.Name)}]
	return done
}

// subject reads the object that there is something to tell of, and what that is.
// It is obsolete when it is gone, also when another one has its name.
func (o *Outbox) subject(ctx context.Context, about notify.Key) (notify.Subject, []v1alpha1.PendingNotification, error) {
	subject := notify.Subject{Namespace: about.Namespace, Name: about.Name, UID: about.UID, Kind: about.Kind}
	var object client.Object
	switch about.Kind {
	case kindAction:
		subject.Action = &v1alpha1.AgentAction{}
		object = subject.Action
	case kindAgent:
		subject.Agent = &v1alpha1.Agent{}
		object = subject.Agent
	default:
		return subject, nil, fmt.Errorf("there is nothing to tell of a %s: %w", about.Kind, notify.ErrObsolete)
	}
	err := o.Live.Get(ctx, types.NamespacedName{Namespace: about.Namespace, Name: about.Name}, object)
	switch {
	case apierrors.IsNotFound(err), err == nil && string(object.GetUID()) != about.UID:
		return subject, nil, notify.ErrObsolete
	case err != nil:
		return subject, nil, fmt.Errorf("read %s %s/%s: %w", about.Kind, about.Namespace, about.Name, err)
	case subject.Agent != nil:
		return subject, subject.Agent.Status.Notifications, nil
	default:
		return subject, subject.Action.Status.Notifications, nil
	}
}

func find(entries []v1alpha1.PendingNotification, id string) *v1alpha1.PendingNotification {
	for i := range entries {
		if entries[i].ID == id {
			return &entries[i]
		}
	}
	return nil
}

// done takes a delivery that has ended out of the outbox. Of an agent that is
// written at once, for it happens seldom; of an action it is remembered, and
// written soon.
func (o *Outbox) done(ctx context.Context, delivery notify.Delivery, outcome notify.Outcome) error {
	o.init()
	var entry *v1alpha1.PendingNotification
	if outcome.Result == notify.OutcomeDead {
		_, entries, err := o.subject(ctx, delivery.Key)
		if err != nil && !errors.Is(err, notify.ErrObsolete) {
			return err
		}
		entry = find(entries, delivery.EventID)
	}
	key := types.NamespacedName{Namespace: delivery.Key.Namespace, Name: delivery.Key.Name}
	what := acknowledgement{delivery.EventID, v1alpha1.ObjectName(delivery.Target.Name)}
	if delivery.Key.Kind == kindAgent {
		if err := o.settleAgent(ctx, key, types.UID(delivery.Key.UID), what); err != nil {
			return err
		}
	} else {
		o.acknowledged.add(key, types.UID(delivery.Key.UID), what, outcome.Result == notify.OutcomeDead)
		o.settling.Add(key)
	}
	if outcome.Last.Gone {
		o.Statistics.Gone(delivery.Target, outcome.Last)
	}
	o.Statistics.Ended(delivery, entry, outcome)
	return nil
}

// inherit reads what a leader before has left undelivered, and, a while later,
// what has come from it since.
func (o *Outbox) inherit(ctx context.Context) {
	o.resume(ctx)
	select {
	case <-ctx.Done():
	case <-time.After(cmp.Or(o.SecondLook, secondLook)):
		o.resume(ctx)
	}
}

// resume reads what is undelivered. It goes on until it has read everything.
func (o *Outbox) resume(ctx context.Context) {
	for wait := firstRetry; ctx.Err() == nil; wait = min(2*wait, lastRetry) {
		err := o.read(ctx)
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			log.FromContext(ctx).Error(err, "Cannot read what is still to be told to subscriptions; trying again", "after", wait)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// drained is told when a subscription that had too many deliveries for the queue
// has room again.
func (o *Outbox) drained(types.NamespacedName) {
	o.init()
	select {
	case o.again <- struct{}{}:
	default: // it is to be read anyway
	}
}

// readAgain reads the outbox when deliveries were turned away.
func (o *Outbox) readAgain(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.again:
			o.resume(ctx)
		}
	}
}

// read hands everything that is to be delivered to the queue, page by page, so
// that memory does not grow with it.
func (o *Outbox) read(ctx context.Context) error {
	return errors.Join(o.readActions(ctx, v1alpha1.NotificationPending), o.readActions(ctx, v1alpha1.NotificationFailing), o.readAgents(ctx))
}

// readActions reads the actions in that state. One that changes from one state to
// the other while they are read has its deliveries in the queue already.
func (o *Outbox) readActions(ctx context.Context, state v1alpha1.NotificationState) error {
	next := ""
	for {
		var page v1alpha1.AgentActionList // a new one each, for decoding keeps what it does not find
		err := o.Live.List(ctx, &page, client.MatchingFields{"status.notification": string(state)},
			client.Limit(outboxPage), client.Continue(next))
		if err != nil {
			return fmt.Errorf("list actions with notifications: %w", err)
		}
		for i := range page.Items {
			o.deliver(actionKey(&page.Items[i]), page.Items[i].Status.Notifications)
		}
		if next = page.Continue; next == "" {
			return nil
		}
	}
}

func (o *Outbox) readAgents(ctx context.Context) error {
	next := ""
	for {
		var page v1alpha1.AgentList
		if err := o.Live.List(ctx, &page, client.Limit(outboxPage), client.Continue(next)); err != nil {
			return fmt.Errorf("list agents with notifications: %w", err)
		}
		for i := range page.Items {
			o.deliver(suspendedKey(&page.Items[i]), page.Items[i].Status.Notifications)
		}
		if next = page.Continue; next == "" {
			return nil
		}
	}
}
