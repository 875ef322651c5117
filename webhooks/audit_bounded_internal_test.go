// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// refusals appends n records of refusals of a user, and returns how many more
// records there are.
func refusals(t *testing.T, b *boundedAudit, w *world, actor string, n int, at time.Time) int {
	t.Helper()
	before := len(w.records)
	for range n {
		if err := b.Append(t.Context(), audit.Record{Time: at, Event: audit.EventRefused, Actor: actor, Message: "no"}); err != nil {
			t.Fatal(err)
		}
	}
	return len(w.records) - before
}

// Of one user 60 refusals are recorded at once, then one a second, and the next
// record says how many are missing. Nobody else is affected.
func TestRefusalsOfOneUserAreBounded(t *testing.T) {
	t.Parallel()
	w := &world{}
	b := newBoundedAudit(w)
	if got := refusals(t, b, w, "mallory", 100, noon); got != 60 {
		t.Errorf("%d of 100 are recorded", got)
	}
	if got := refusals(t, b, w, "alice", 1, noon); got != 1 {
		t.Errorf("%d of another user's", got)
	}
	if got := refusals(t, b, w, "mallory", 5, noon.Add(time.Second)); got != 1 {
		t.Errorf("%d of 5 a second later", got)
	}
	if last := w.records[len(w.records)-1]; last.Message != "no (40 more refusals of this user were not recorded)" {
		t.Errorf("the record says %q", last.Message)
	}
	if got := refusals(t, b, w, "mallory", 1, noon.Add(2*time.Second)); got != 1 {
		t.Errorf("%d of 1 two seconds later", got)
	}
	if last := w.records[len(w.records)-1]; last.Message != "no (4 more refusals of this user were not recorded)" {
		t.Errorf("the record says %q", last.Message)
	}
	if got := refusals(t, b, w, "mallory", 100, noon.Add(2*time.Minute)); got != 60 {
		t.Errorf("%d of 100 after two quiet minutes", got)
	}
	if last := w.records[len(w.records)-1]; last.Message != "no" {
		t.Errorf("the record says %q", last.Message)
	}
}

// What cannot be recorded for a while is told of later, too.
func TestRefusalsWhileNoRecordCanBeKeptAreCounted(t *testing.T) {
	t.Parallel()
	w := &world{lost: errors.New("the disk is full")}
	b := newBoundedAudit(w)
	for range 3 {
		if err := b.Append(t.Context(), audit.Record{Time: noon, Event: audit.EventRefused, Actor: "mallory", Message: "no"}); !errors.Is(err, w.lost) {
			t.Fatalf("got %v", err)
		}
	}
	w.lost = nil
	refusals(t, b, w, "mallory", 2, noon)
	if w.records[0].Message != "no (3 more refusals of this user were not recorded)" || w.records[1].Message != "no" {
		t.Errorf("the records say %q and %q", w.records[0].Message, w.records[1].Message)
	}
}

// A request that is broken off while it is judged leaves the record of its refusal.
func TestARefusalIsRecordedThoughNobodyWaits(t *testing.T) {
	t.Parallel()
	gone, breakOff := context.WithCancel(t.Context())
	breakOff()
	var out bytes.Buffer
	log := newBoundedAudit(audit.NewLog(&out))
	req := &admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{Namespace: "shop", Name: "x", UserInfo: authenticationv1.UserInfo{Username: "mallory"}}}
	of := &recorder{audit: log, clock: clocktesting.NewFakePassiveClock(noon)}
	of.refused(gone, req, nil, whyNoPurge, "no")
	policy := &recorded{kind: "SmartRule", audit: log, clock: of.clock}
	policy.refused(gone, req, admission.Denied("no"))
	if got := strings.Count(out.String(), `"actor":"mallory"`); got != 2 {
		t.Errorf("%d of 2 refusals are recorded: %s", got, out.String())
	}
}

// Whoever can make up names fills neither the memory nor the trail; and those
// who are quiet are forgotten.
func TestUsersAreBounded(t *testing.T) {
	t.Parallel()
	w := &world{}
	b := newBoundedAudit(w)
	for i := range 2 * maxActors {
		refusals(t, b, w, fmt.Sprintf("made-up-%d", i), 1, noon)
	}
	if want := maxActors + refusalBurst; len(b.actors) != maxActors || len(w.records) != want {
		t.Errorf("%d users, %d records, want %d", len(b.actors), len(w.records), want)
	}
	if refusals(t, b, w, "new", 1, noon.Add(time.Hour)) != 1 || len(b.actors) != 1 {
		t.Errorf("after an hour %d users are counted", len(b.actors))
	}
	for i := range maxActors {
		refusals(t, b, w, fmt.Sprintf("another-%d", i), 1, noon.Add(time.Hour))
	}
	want := fmt.Sprintf("no (%d more refusals of users that are not counted one by one were not recorded)", maxActors-refusalBurst)
	if last := w.records[len(w.records)-1]; last.Message != want {
		t.Errorf("the record says %q, want %q", last.Message, want)
	}
}

// What is let through must not happen without its record, however often.
func TestWhatIsLetThroughIsAlwaysRecorded(t *testing.T) {
	t.Parallel()
	w := &world{}
	b := newBoundedAudit(w)
	refusals(t, b, w, "paul", 100, noon)
	before := len(w.records)
	for range 500 {
		if err := b.Append(t.Context(), audit.Record{Time: noon, Event: audit.EventPurged, Actor: "paul"}); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(w.records) - before; got != 500 {
		t.Errorf("%d of 500", got)
	}
	w.lost = errors.New("disk full")
	if err := b.Append(t.Context(), audit.Record{Time: noon, Event: audit.EventPurged, Actor: "paul"}); !errors.Is(err, w.lost) {
		t.Errorf("got %v", err)
	}
}

// A record of the longest request there can be has a few KiB.
func TestRecordsAreClipped(t *testing.T) {
	t.Parallel()
	w := &world{}
	b := newBoundedAudit(w)
	long := strings.Repeat("é", 1<<20)
	record := audit.Record{
		Time: noon, Event: audit.EventRefused, Actor: long, Kind: long, Namespace: long, Name: long, UID: long, ResourceVersion: long,
		Agent: long, ActionType: long, Resource: long, Decision: v1alpha1.Decision(long), Reason: long, Message: long, SpecDigest: long,
	}
	for range refusalBurst + 3 {
		if err := b.Append(t.Context(), record); err != nil {
			t.Fatal(err)
		}
	}
	record.Time = noon.Add(time.Second)
	if err := b.Append(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	for _, r := range w.records {
		text, err := json.Marshal(r)
		if err != nil || len(text) > 12<<10 {
			t.Fatalf("a record of %d bytes, %v", len(text), err)
		}
	}
	first, last := w.records[0], w.records[len(w.records)-1]
	for what, got := range map[string]struct {
		text string
		want int
	}{
		"actor": {first.Actor, 256}, "name": {first.Name, 253}, "agent": {first.Agent, 253}, "actionType": {first.ActionType, 128},
		"resource": {first.Resource, 1024}, "message": {first.Message, 2048}, "the message with what is missing": {last.Message, 2048},
	} {
		if n := len([]rune(got.text)); n != got.want {
			t.Errorf("%s has %d characters, want %d", what, n, got.want)
		}
	}
	if !strings.HasSuffix(last.Message, "… (3 more refusals of this user were not recorded)") {
		t.Errorf("the last message ends with %q", last.Message[len(last.Message)-80:])
	}
}
