// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"sync"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
)

// samples remembers which samples were sent, so that a cache that is behind
// sends none twice, and that a subscription has one at a time in flight.
type samples struct {
	mu     sync.Mutex
	sent   map[types.NamespacedName]string
	flying map[types.NamespacedName]bool
	missed map[types.NamespacedName]bool // another one was asked for in flight
	slots  chan struct{}
}

// sampleSlots bounds the samples in flight: a receiver may take half a minute
// for its answer.
const sampleSlots = 16

// begin says whether the sample is to be sent now. Where another one is in
// flight, its end tells that there is more to send.
func (s *samples) begin(key types.NamespacedName, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent == nil {
		s.sent, s.flying, s.missed = map[types.NamespacedName]string{}, map[types.NamespacedName]bool{}, map[types.NamespacedName]bool{}
		s.slots = make(chan struct{}, sampleSlots)
	}
	if s.sent[key] == id {
		return false
	}
	if s.flying[key] {
		s.missed[key] = true
		return false
	}
	s.sent[key], s.flying[key] = id, true
	return true
}

func (s *samples) end(key types.NamespacedName) (more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	more = s.missed[key]
	delete(s.flying, key)
	delete(s.missed, key)
	return more
}

func (s *samples) forget(key types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sent, key)
}

// maxTestID is the schema's bound of status.lastTest.id, in characters.
const maxTestID = 64

// wantedSample is the id of the sample that somebody asked for; empty when there
// is none to send.
func wantedSample(subscription *v1alpha1.WebhookSubscription) string {
	id := subscription.Annotations[v1alpha1.TestAnnotation]
	if utf8.RuneCountInString(id) > maxTestID {
		id = string([]rune(id)[:maxTestID])
	}
	if test := subscription.Status.LastTest; test != nil && test.ID == id {
		return ""
	}
	return id
}

// sampleIfAsked sends a sample, beside what else there is to do: the receiver may
// take its time.
func (r *WebhookSubscriptionReconciler) sampleIfAsked(ctx context.Context, subscription *v1alpha1.WebhookSubscription) {
	id, key := wantedSample(subscription), client.ObjectKeyFromObject(subscription)
	if id == "" || !r.samples.begin(key, id) {
		return
	}
	subscription = subscription.DeepCopy()
	go func() {
		select {
		case r.samples.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		test := r.sample(ctx, subscription, id)
		<-r.samples.slots
		if ctx.Err() != nil {
			return // the next leader sends it
		}
		r.Statistics.Tested(key, test)
		if latest := (&v1alpha1.WebhookSubscription{}); r.samples.end(key) && r.Client.Get(ctx, key, latest) == nil {
			r.sampleIfAsked(ctx, latest)
		}
	}()
}

// sample sends one sample and says what became of it. It is sent also where the
// receiver was gone, for that is how to find out whether it is back.
func (r *WebhookSubscriptionReconciler) sample(ctx context.Context, subscription *v1alpha1.WebhookSubscription, id string) v1alpha1.SubscriptionTest {
	now := r.Clock.Now()
	test := v1alpha1.SubscriptionTest{ID: id, Time: microTime(now)}
	target, _, err := r.Targets.Look(ctx, subscription)
	if err != nil {
		test.Error = shorten(err.Error(), maxLastError)
		return test
	}
	result := r.Sender.Send(ctx, target, notify.Event{
		ID:   eventID(subscription.UID, notify.EventTest, id),
		Type: notify.EventTest,
		Time: now,
		Subject: notify.Subject{
			Namespace: subscription.Namespace, Name: subscription.Name, UID: string(subscription.UID), Kind: "WebhookSubscription",
		},
		Reason:  "Test",
		Message: "a sample that somebody asked for; nothing has happened",
	})
	test.StatusCode = int32(result.StatusCode) //nolint:gosec // of HTTP: three digits
	if result.Err != nil {
		test.Error = shorten(result.Err.Error(), maxLastError)
	}
	return test
}
