// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
	"github.com/ow-kai/ascend-operator/internal/subscriptions"
)

var outboxNoon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// fails is a receiver that takes nothing.
type fails struct {
	mu    sync.Mutex
	tries int
}

func (f *fails) Send(context.Context, notify.Target, notify.Event) notify.Result {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tries++
	return notify.Result{StatusCode: 503, Err: errors.New("the receiver answered 503")}
}

func (f *fails) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tries
}

// newOutbox is an outbox over objects, with a clock that stands still.
func newOutbox(t *testing.T, sender notify.Poster, objects ...client.Object) (*Outbox, *clocktesting.FakeClock) {
	t.Helper()
	kinds := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(kinds); err != nil {
		t.Fatal(err)
	}
	c := fake.NewClientBuilder().WithScheme(kinds).WithObjects(objects...).
		WithStatusSubresource(&v1alpha1.AgentAction{}, &v1alpha1.Agent{}, &v1alpha1.WebhookSubscription{}).
		WithIndex(&v1alpha1.AgentAction{}, "status.notification", func(o client.Object) []string {
			action, _ := o.(*v1alpha1.AgentAction)
			return []string{string(action.Status.Notification)}
		}).Build()
	clock := clocktesting.NewFakeClock(outboxNoon)
	statistics := &SubscriptionStatistics{Client: c, Clock: clock}
	targets := &Targets{Client: c, Live: c, CheckURL: notify.CheckURL, Clock: clock}
	queue := &notify.Queue{Sender: sender, Clock: clock, Resolve: targets.Resolve, Tried: statistics.Tried}
	o := &Outbox{Client: c, Live: c, Subscriptions: &subscriptions.Feed{Registry: &subscriptions.Registry{}},
		Targets: targets, Queue: queue, Statistics: statistics, Clock: clock}
	queue.Load, queue.Done, queue.Drained = o.load, o.done, o.drained
	o.init()
	return o, clock
}

func slackSubscription(name string) *v1alpha1.WebhookSubscription {
	s := &v1alpha1.WebhookSubscription{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(name), Generation: 1}}
	s.Spec = v1alpha1.WebhookSubscriptionSpec{URL: "https://hooks.example.com/" + name, Format: v1alpha1.FormatSlack, Events: []v1alpha1.EventType{v1alpha1.EventActionDenied}}
	return s
}

func deniedAction(to ...v1alpha1.ObjectName) *v1alpha1.AgentAction {
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "act-1", UID: "u1"}}
	action.Status.Decision, action.Status.Notification = v1alpha1.DecisionDenied, v1alpha1.NotificationPending
	what := happening{v1alpha1.EventActionDenied, v1alpha1.ReasonRuleDenied, "no"}
	action.Status.Notifications = []v1alpha1.PendingNotification{entryOf(action.UID, what, outboxNoon, to)}
	return action
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it has not come true: %s", what)
		}
	}
}

// A delivery that fails for a day is given up, and said to be.
func TestDeadLetterAfterADay(t *testing.T) {
	t.Parallel()
	receiver := &fails{}
	o, clock := newOutbox(t, receiver, slackSubscription("s"), deniedAction("s"))
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = o.Queue.Start(ctx) })
	running.Go(func() {
		for o.settleNext(ctx) {
		}
	})
	defer func() { stop(); o.settling.ShutDown(); running.Wait() }()
	if err := o.read(ctx); err != nil {
		t.Fatal(err)
	}
	action := func() *v1alpha1.AgentAction {
		found := &v1alpha1.AgentAction{}
		if err := o.Live.Get(ctx, types.NamespacedName{Namespace: "shop", Name: "act-1"}, found); err != nil {
			t.Fatal(err)
		}
		return found
	}
	eventually(t, "the first try", func() bool { return receiver.count() > 0 })
	if got := action(); got.Status.Notification != v1alpha1.NotificationPending || !untold(got, clock.Now()) {
		t.Fatalf("after a try that failed: %s", got.Status.Notification)
	}
	eventually(t, "it is given up", func() bool {
		if clock.HasWaiters() && clock.Now().Before(outboxNoon.Add(26*time.Hour)) {
			clock.Step(10 * time.Minute)
		}
		return action().Status.Notification == v1alpha1.NotificationFailed
	})
	if got := action(); len(got.Status.Notifications) > 0 || untold(got, clock.Now()) {
		t.Errorf("what was given up still waits: %v", got.Status.Notifications)
	}
	if past := clock.Since(outboxNoon); past < 24*time.Hour {
		t.Errorf("it was given up after %s", past)
	}
	eventually(t, "the dead letter", func() bool {
		o.Statistics.flush(ctx)
		found := &v1alpha1.WebhookSubscription{}
		return o.Live.Get(ctx, types.NamespacedName{Namespace: "shop", Name: "s"}, found) == nil && found.Status.FailedTotal == 1 &&
			len(found.Status.DeadLetters) == 1 && found.Status.DeadLetters[0].Event == v1alpha1.EventActionDenied &&
			found.Status.DeadLetters[0].Kind == "AgentAction" && found.Status.DeadLetters[0].Name == "act-1" &&
			strings.Contains(found.Status.DeadLetters[0].Error, "503") && strings.Contains(found.Status.LastError, "503")
	})
	if tries := receiver.count(); tries < 8 || tries > 14 {
		t.Errorf("%d tries in a day", tries)
	}
}

// What two subscriptions wait for is taken out for each by itself, and one that
// was given up is not forgotten over one that came later.
func TestSettleTakesOutWhatWasHeard(t *testing.T) {
	t.Parallel()
	o, _ := newOutbox(t, &fails{}, slackSubscription("a"), slackSubscription("b"), deniedAction("a", "b"))
	ctx, key := t.Context(), types.NamespacedName{Namespace: "shop", Name: "act-1"}
	live := func() *v1alpha1.AgentAction {
		found := &v1alpha1.AgentAction{}
		if err := o.Live.Get(ctx, key, found); err != nil {
			t.Fatal(err)
		}
		return found
	}
	entry := live().Status.Notifications[0]
	end := func(name v1alpha1.ObjectName, result notify.OutcomeResult) *v1alpha1.AgentAction {
		t.Helper()
		if err := o.done(ctx, deliveryOf(actionKey(live()), &entry, name), notify.Outcome{Result: result, Time: outboxNoon, Error: "e"}); err != nil {
			t.Fatal(err)
		}
		if _, err := o.settle(ctx, key); err != nil {
			t.Fatal(err)
		}
		return live()
	}
	if got := end("a", notify.OutcomeDead); got.Status.Notification != v1alpha1.NotificationFailing || !slices.Equal(got.Status.Notifications[0].To, []v1alpha1.ObjectName{"b"}) {
		t.Fatalf("after one was given up: %+v", got.Status)
	}
	// The next leader remembers nothing, and finds it all in status.
	o.acknowledged = newAcknowledged()
	if err := o.read(ctx); err != nil || o.Queue.Len() != 1 {
		t.Fatalf("the next leader has %d deliveries: %v", o.Queue.Len(), err)
	}
	if got := end("b", notify.OutcomeDelivered); got.Status.Notification != v1alpha1.NotificationFailed || len(got.Status.Notifications) > 0 {
		t.Errorf("after the other was told: %+v", got.Status)
	}
	before := live().ResourceVersion
	if got := end("b", notify.OutcomeDelivered); got.ResourceVersion != before || len(o.acknowledged.of) > 0 {
		t.Errorf("what was settled is written again, or remembered: %v", o.acknowledged.of)
	}
}

// What was given up is said for good, whatever is told later.
func TestNotificationState(t *testing.T) {
	t.Parallel()
	waits := deniedAction("a").Status.Notifications
	const pending, failing = v1alpha1.NotificationPending, v1alpha1.NotificationFailing
	const delivered, failed = v1alpha1.NotificationDelivered, v1alpha1.NotificationFailed
	for _, test := range []struct {
		before  v1alpha1.NotificationState
		left    []v1alpha1.PendingNotification
		givenUp bool
		want    v1alpha1.NotificationState
	}{
		{"", nil, false, ""},
		{"", waits, false, pending},
		{"", waits, true, failing},
		{pending, waits, false, pending},
		{pending, waits, true, failing},
		{pending, nil, false, delivered},
		{pending, nil, true, failed},
		{failing, waits, false, failing},
		{failing, nil, false, failed},
		{delivered, nil, false, delivered},
		{delivered, waits, false, pending},
		{failed, nil, false, failed},
		{failed, waits, false, failing},
	} {
		if got := notificationState(test.before, test.left, test.givenUp); got != test.want {
			t.Errorf("after %q, with %d left, given up %t: %q, want %q", test.before, len(test.left), test.givenUp, got, test.want)
		}
	}
}

// While an action is undecided the outbox writes nothing of it: its reconciler
// takes out what was heard with its own next write.
func TestUndecidedActionsAreTheReconcilers(t *testing.T) {
	t.Parallel()
	action := deniedAction("a")
	action.Status.Decision = v1alpha1.DecisionPending
	o, clock := newOutbox(t, &fails{}, slackSubscription("a"), action.DeepCopy())
	ctx, key := t.Context(), client.ObjectKeyFromObject(action)
	entry := action.Status.Notifications[0]
	if err := o.done(ctx, deliveryOf(actionKey(action), &entry, "a"), notify.Outcome{Result: notify.OutcomeDelivered, Time: outboxNoon}); err != nil {
		t.Fatal(err)
	}
	if again, err := o.settle(ctx, key); err != nil || again != handedOver {
		t.Fatalf("settled after %s, %v", again, err)
	}
	change := transition{action: action, before: &action.Status, after: action.Status.DeepCopy()}
	o.enlist(change, clock.Now())
	if got := change.after; got.Notification != v1alpha1.NotificationDelivered || len(got.Notifications) > 0 {
		t.Fatalf("the reconciler writes %+v", got)
	}
	o.wrote(change, errors.New("connection reset")) // nobody knows
	if !o.acknowledged.waits(key) {
		t.Error("what was heard is forgotten after a write that failed")
	}
	o.wrote(change, nil)
	if o.acknowledged.waits(key) && !o.acknowledged.of[key].unsure {
		t.Errorf("what was heard is remembered after it was written: %+v", o.acknowledged.of[key])
	}
}

// The answer to a write that was lost hides nothing: what the API server has is
// delivered, under the ids that it has.
func TestLostAnswersAreLookedUp(t *testing.T) {
	t.Parallel()
	o, _ := newOutbox(t, &fails{}, slackSubscription("a"), deniedAction("a"))
	stored := deniedAction("a")
	change := transition{action: stored, before: &v1alpha1.AgentActionStatus{}, after: stored.Status.DeepCopy()}
	change.after.Notifications[0].ID = "evt_of-another-try"
	o.wrote(change, errors.New("connection reset"))
	if _, err := o.settle(t.Context(), client.ObjectKeyFromObject(stored)); err != nil {
		t.Fatal(err)
	}
	if n := o.Queue.Len(); n != 1 {
		t.Fatalf("%d deliveries wait", n)
	}
	if _, err := o.load(t.Context(), deliveryOf(actionKey(stored), &stored.Status.Notifications[0], "a")); err != nil {
		t.Errorf("what is stored cannot be loaded: %v", err)
	}
	if _, err := o.load(t.Context(), deliveryOf(actionKey(stored), &change.after.Notifications[0], "a")); !errors.Is(err, notify.ErrObsolete) {
		t.Errorf("what was never stored: %v", err)
	}
	if len(o.acknowledged.of) > 0 {
		t.Errorf("doubt is remembered after it ended: %v", o.acknowledged.of)
	}
}

// The last write of a leader before can land after the next one has read the
// outbox. It decides an action, which then is in no cache of undecided ones, so
// that nothing but a second look finds what it tells.
func TestTheLastWriteOfTheLeaderBefore(t *testing.T) {
	t.Parallel()
	waits := deniedAction()
	waits.Status = v1alpha1.AgentActionStatus{Decision: v1alpha1.DecisionPending}
	o, _ := newOutbox(t, &fails{}, slackSubscription("a"), waits)
	o.SecondLook = 500 * time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { o.inherit(ctx) })
	defer func() { stop(); running.Wait() }()
	time.Sleep(o.SecondLook / 2) // the outbox has been read
	waits.Status = deniedAction("a").Status
	if err := o.Client.Status().Update(ctx, waits); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the delivery waits", func() bool { return o.Queue.Len() == 1 })
}

func TestEntriesHaveBounds(t *testing.T) {
	t.Parallel()
	entry := entryOf("u", happening{v1alpha1.EventActionDenied, "R", strings.Repeat("ä", 2000)}, outboxNoon, []v1alpha1.ObjectName{"a"})
	if len(entry.Message) > maxNotificationMessage || len(entry.ID) > 64 || !strings.HasPrefix(entry.ID, "evt_") {
		t.Errorf("%d bytes of message, id %s", len(entry.Message), entry.ID)
	}
	var many []v1alpha1.PendingNotification
	for i := range maxNotifications + 3 {
		many = append(many, v1alpha1.PendingNotification{ID: strconv.Itoa(i)})
	}
	if kept, dropped := newest(many, maxNotifications); dropped != 3 || len(kept) != maxNotifications || kept[0].ID != "3" {
		t.Errorf("%d kept from %s, %d dropped", len(kept), kept[0].ID, dropped)
	}
	if a, b := eventID("u", "action.denied", "1"), eventID("u", "action.denied", "2"); a == b || a != eventID("u", "action.denied", "1") {
		t.Errorf("ids %s and %s", a, b)
	}
}

func TestNewsOfAChange(t *testing.T) {
	t.Parallel()
	denied := func(reason string) *v1alpha1.AgentActionStatus {
		return &v1alpha1.AgentActionStatus{Decision: v1alpha1.DecisionDenied, Reason: reason, Message: "m"}
	}
	for reason, violates := range map[string]bool{
		v1alpha1.ReasonRuleDenied: true, v1alpha1.ReasonActionTypeNotAllowed: true, v1alpha1.ReasonResourceNotAllowed: true,
		v1alpha1.ReasonResourceBlocked: true, v1alpha1.ReasonRiskTooHigh: true, v1alpha1.ReasonNotASubject: true,
		v1alpha1.ReasonApprovalDenied: false, v1alpha1.ReasonAgentSuspended: false, v1alpha1.ReasonAgentNotFound: false, v1alpha1.ReasonNotAdmitted: false,
	} {
		want := []v1alpha1.EventType{v1alpha1.EventActionSubmitted, v1alpha1.EventActionDenied}
		if violates {
			want = append(want, v1alpha1.EventPolicyViolation)
		}
		var got []v1alpha1.EventType
		for _, what := range (transition{action: deniedAction(), before: &v1alpha1.AgentActionStatus{}, after: denied(reason)}).news() {
			got = append(got, what.event)
			if said := what.reason == reason && what.message == "m"; said == (what.event == v1alpha1.EventActionSubmitted) {
				t.Errorf("%s says %s: %s", what.event, what.reason, what.message)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", reason, got, want)
		}
	}
	same := denied(v1alpha1.ReasonRuleDenied)
	if got := (transition{action: deniedAction(), before: same, after: same}).news(); got != nil {
		t.Errorf("nothing has happened, and it tells %v", got)
	}
}
