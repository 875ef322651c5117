// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// The schema's bounds of status.notifications.
const (
	maxNotifications       = 32
	maxNotificationMessage = 1024
	maxAgentNotifications  = 16
)

// happening is something that subscriptions may want to hear of.
type happening struct {
	event           v1alpha1.EventType
	reason, message string
}

// news is what a change of an action tells subscriptions, in this order. The
// words are those of the decision, but for the first: an action that was just
// submitted has none yet. What only the audit trail knows is not told.
func (t transition) news() []happening {
	var news []happening
	for _, event := range t.events() {
		said := happening{event: event, reason: t.after.Reason, message: t.after.Message}
		switch event {
		case v1alpha1.EventActionSubmitted:
			news = append(news, happening{event: event})
		case v1alpha1.EventActionPending, v1alpha1.EventActionEscalated, v1alpha1.EventActionApproved,
			v1alpha1.EventActionTimeout, v1alpha1.EventActionCancelled:
			news = append(news, said)
		case v1alpha1.EventActionDenied:
			news = append(news, said)
			if isViolation(said.reason) {
				said.event = v1alpha1.EventPolicyViolation
				news = append(news, said)
			}
		case v1alpha1.EventActionExecuted, v1alpha1.EventActionFailed, v1alpha1.EventAgentSuspended, v1alpha1.EventPolicyViolation:
			// No change of an action's status brings these about.
		default:
		}
	}
	return news
}

// isViolation says whether a denial with that reason means that the agent asked
// for what policy forbids it, in contrast to people who said no, and to an agent
// that may ask for nothing now.
func isViolation(reason string) bool {
	switch reason {
	case v1alpha1.ReasonRuleDenied, v1alpha1.ReasonActionTypeNotAllowed, v1alpha1.ReasonResourceNotAllowed,
		v1alpha1.ReasonResourceBlocked, v1alpha1.ReasonRiskTooHigh, v1alpha1.ReasonNotASubject:
		return true
	default:
		return false
	}
}

// entryOf is what is written down of something that happened, for those who
// want to hear of it.
func entryOf(uid types.UID, what happening, at time.Time, to []v1alpha1.ObjectName) v1alpha1.PendingNotification {
	when := microTime(at)
	return v1alpha1.PendingNotification{
		ID:      eventID(uid, what.event, when.Format(time.RFC3339Nano)),
		Event:   what.event,
		Time:    when,
		Reason:  what.reason,
		Message: shorten(what.message, maxNotificationMessage),
		To:      to,
	}
}

// eventID is the same for the same event of the same object. when tells events
// apart that can happen several times.
func eventID(uid types.UID, event v1alpha1.EventType, when string) string {
	sum := sha256.Sum256([]byte(string(uid) + "\n" + string(event) + "\n" + when))
	return "evt_" + hex.EncodeToString(sum[:16])
}

// without returns the entries that are left when what was acknowledged is taken
// out of them, and whether some of that was given up. What is handed in is not
// changed; where nothing changes it is what is returned.
func without(entries []v1alpha1.PendingNotification, acknowledged map[acknowledgement]bool) (left []v1alpha1.PendingNotification, givenUp bool) {
	if len(entries) == 0 || len(acknowledged) == 0 {
		return entries, false
	}
	for _, entry := range entries {
		to := slices.DeleteFunc(slices.Clone(entry.To), func(name v1alpha1.ObjectName) bool {
			dead, has := acknowledged[acknowledgement{entry.ID, name}]
			givenUp = givenUp || dead
			return has
		})
		if len(to) > 0 {
			entry.To = to
			left = append(left, entry)
		}
	}
	return left, givenUp
}

// newest are as many of the entries as the schema has room for, the newest, and
// how many had to go.
func newest(entries []v1alpha1.PendingNotification, limit int) (kept []v1alpha1.PendingNotification, dropped int) {
	dropped = max(len(entries)-limit, 0)
	return entries[dropped:], dropped
}

// notificationState is what status.notification says: how far it is with what
// there was to tell. It stays empty where there never was anything. What was given
// up is not forgotten over what is delivered later, nor by the next leader.
func notificationState(before v1alpha1.NotificationState, left []v1alpha1.PendingNotification, givenUp bool) v1alpha1.NotificationState {
	givenUp = givenUp || before == v1alpha1.NotificationFailing || before == v1alpha1.NotificationFailed
	waited := before == v1alpha1.NotificationPending || before == v1alpha1.NotificationFailing
	switch {
	case len(left) > 0 && givenUp:
		return v1alpha1.NotificationFailing
	case len(left) > 0:
		return v1alpha1.NotificationPending
	case !waited:
		return before
	case givenUp:
		return v1alpha1.NotificationFailed
	default:
		return v1alpha1.NotificationDelivered
	}
}

// toldWithin is how long an action is kept for subscriptions that have yet to
// hear of it. Delivery is given up after 24 hours; an hour more is for writing
// that down.
const toldWithin = 25 * time.Hour

// untold says whether subscriptions have yet to hear of something about an
// action, so that it must not be deleted: what is sent is read from it.
func untold(action *v1alpha1.AgentAction, now time.Time) bool {
	if _, noted := action.Labels[v1alpha1.OutcomeNotificationLabel]; noted {
		return true
	}
	return slices.ContainsFunc(action.Status.Notifications, func(entry v1alpha1.PendingNotification) bool {
		return now.Before(entry.Time.Add(toldWithin))
	})
}
