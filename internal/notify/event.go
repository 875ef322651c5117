// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"crypto/x509"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// EventTest is the type of the sample that somebody asked for, with which they
// try a subscription. It is none that a subscription can name.
const EventTest v1alpha1.EventType = "webhook.test"

// Event is what is told to subscriptions.
type Event struct {
	// ID is the same for each try, so that a receiver knows again what it has. Required.
	ID string
	// Type of the event, or EventTest. Required.
	Type v1alpha1.EventType
	// Time at which it happened. Required.
	Time time.Time
	// Subject is what it happened to. Required.
	Subject Subject
	// Reason and Message are those of that time, whatever the object says by now.
	Reason, Message string
}

// Subject is an object that something happened to: exactly one of Action or
// Agent is set, or neither for a sample. All else is required.
type Subject struct {
	Namespace, Name, UID, Kind string
	Action                     *v1alpha1.AgentAction
	Agent                      *v1alpha1.Agent
}

// Target is a receiver with its secrets, resolved. It is never logged: String
// and GoString have the name alone.
type Target struct {
	// Namespace, Name and UID of the subscription. Required.
	Namespace, Name, UID string
	// Generation of its spec.
	Generation int64
	// URL to post to. It may be a secret itself.
	URL string
	// Format of the body; empty is CloudEvents.
	Format v1alpha1.NotificationFormat
	// Secret signs; nil for a receiver that checks no signature. PreviousSecret
	// signs as well, while receivers learn of the new one.
	Secret, PreviousSecret []byte
	// Authorities that the receiver's certificate is checked against; nil for
	// those of this machine.
	Authorities *x509.CertPool
}

// String is the name of the subscription.
func (t Target) String() string { return t.Namespace + "/" + t.Name }

// GoString is the name of the subscription.
func (t Target) GoString() string { return "notify.Target(" + t.String() + ")" }

// Result is what became of one try.
type Result struct {
	// StatusCode of the receiver's answer; 0 where there was none.
	StatusCode int
	// Err says why the receiver did not take it, without the URL and without a
	// word that the receiver chose but a short code; nil when it did, by an
	// answer from 200 to 299.
	Err error
	// RetryAfter is how long the receiver asked to be left alone, by a 429 or 503; 0 when it did not.
	RetryAfter time.Duration
	// Gone: the receiver answered 410, and wants nothing ever again.
	Gone bool
	// UID and Generation of the subscription as it was tried, set by Queue: of
	// what it becomes later the result says nothing.
	UID        string
	Generation int64
}

// Key is the object that a delivery is about.
type Key struct {
	Kind, Namespace, Name, UID string
}

// Delivery is an event that a subscription has yet to hear of. Its subscription
// and event identify it.
type Delivery struct {
	// Target is the subscription.
	Target types.NamespacedName
	// EventID of the event.
	EventID string
	// Key of what it happened to.
	Key Key
	// First is the time of the event, by which tries are scheduled.
	First time.Time
}

// OutcomeResult is how a delivery ended.
type OutcomeResult string

// The ends of a delivery.
const (
	// OutcomeDelivered: the receiver took it.
	OutcomeDelivered OutcomeResult = "delivered"
	// OutcomeDead: it was given up.
	OutcomeDead OutcomeResult = "dead"
	// OutcomeWithdrawn: its subscription is no longer there.
	OutcomeWithdrawn OutcomeResult = "withdrawn"
)

// Outcome is the end of a delivery.
type Outcome struct {
	Result OutcomeResult
	// Time of the end.
	Time time.Time
	// Tries that this process made.
	Tries int
	// Last is the last try; its zero value where none was made.
	Last Result
	// Error says why it was given up, at most 1,024 bytes; empty otherwise.
	Error string
	// Gone: nothing is sent to the subscription any more until Queue.Wake, for
	// the receiver answered 410.
	Gone bool
}

var (
	// ErrObsolete says that nobody waits for the delivery any more. From Queue.Load: the
	// event or its object is gone, and the delivery is dropped without a word.
	// From Queue.Resolve: the subscription is gone; Queue.Done hears of
	// OutcomeWithdrawn.
	ErrObsolete = errors.New("nobody waits for this any more")
	// ErrGone says that the receiver answered 410, so that Queue.Resolve gives no
	// target until the subscription changes. The delivery is given up.
	ErrGone = errors.New("the receiver answered 410 Gone: it wants nothing any more; " +
		"once it does, change spec of the subscription, for example its url")
)
