// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// book keeps records in memory, and can refuse them.
type book struct {
	records []audit.Record
	err     error
}

func (b *book) Append(_ context.Context, records ...audit.Record) error {
	if b.err == nil {
		b.records = append(b.records, records...)
	}
	return b.err
}

func actionAt(version string) *v1alpha1.AgentAction {
	return &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "act-1", ResourceVersion: version}}
}

func approvedAt(version string, at time.Duration) audit.Record {
	return audit.Record{Time: submittedAt.Add(at), Event: v1alpha1.EventActionApproved, Decision: v1alpha1.DecisionApproved, ResourceVersion: version}
}

func TestAWrittenActionIsBehindUntilTheWatchBringsIt(t *testing.T) {
	t.Parallel()
	l := newLedger(&book{})
	if l.behind(actionAt("1")) {
		t.Error("an action nobody has touched is behind")
	}
	l.written(actionAt("1"))
	if !l.behind(actionAt("1")) {
		t.Error("the state that was written over is not behind")
	}
	if l.behind(actionAt("2")) {
		t.Error("the state that the watch brought is behind")
	}
	l.forget(client.ObjectKeyFromObject(actionAt("2")))
	if l.behind(actionAt("1")) || len(l.entries) != 0 {
		t.Error("something is kept of an action that is gone")
	}
}

func TestARepeatedAttemptMakesNoSecondRecord(t *testing.T) {
	t.Parallel()
	b := &book{}
	l := newLedger(b)
	for i := range 3 { // the write failed, nobody knows how far
		if err := l.record(t.Context(), actionAt("1"), approvedAt("1", time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.records) != 1 {
		t.Errorf("three attempts at one write made %d records", len(b.records))
	}
	denied := approvedAt("1", time.Minute)
	denied.Decision = v1alpha1.DecisionDenied
	if err := l.record(t.Context(), actionAt("1"), denied); err != nil || len(b.records) != 2 {
		t.Errorf("another decision made %d records, error %v", len(b.records), err)
	}
}

func TestARecordThatDidNotComeTrueIsTakenBack(t *testing.T) {
	t.Parallel()
	b := &book{}
	l := newLedger(b)
	conflict := errors.New("the object has been modified")
	if err := l.record(t.Context(), actionAt("1"), approvedAt("1", 0)); err != nil {
		t.Fatal(err)
	}
	b.err = errors.New("disk full")
	if err := l.refused(t.Context(), actionAt("1"), submittedAt, conflict); !errors.Is(err, b.err) {
		t.Fatalf("no record could be kept: %v", err)
	}
	b.err = nil
	if err := l.refused(t.Context(), actionAt("1"), submittedAt, conflict); err != nil {
		t.Fatal(err)
	}
	if len(b.records) != 2 || b.records[1].Event != audit.EventNotApplied || b.records[1].ResourceVersion != "1" {
		t.Errorf("records %+v", b.records)
	}
	if !l.behind(actionAt("1")) {
		t.Error("after a conflict the state that was decided about is not behind")
	}
	if err := l.refused(t.Context(), actionAt("2"), submittedAt, conflict); err != nil || len(b.records) != 2 {
		t.Errorf("a write without a record was taken back: %+v, error %v", b.records, err)
	}
}

// The records of one change are kept together, told apart as a whole, and taken
// back as a whole.
func TestTheRecordsOfAChangeStayTogether(t *testing.T) {
	t.Parallel()
	b := &book{}
	l := newLedger(b)
	due := submittedAt.Add(time.Hour)
	change := func(at, deadline time.Duration) []audit.Record {
		first, second := approvedAt("1", at), approvedAt("1", at)
		until := due.Add(deadline)
		first.Event, first.Actor, first.Approval = audit.EventApprovalRecorded, "alice", &audit.Approval{Approver: "alice"}
		second.Event, second.Deadline, second.Request = v1alpha1.EventActionPending, &until, &audit.Request{}
		return []audit.Record{first, second}
	}
	for _, step := range []struct {
		at, deadline time.Duration
		want         int // records there are then
	}{{0, 0, 2}, {time.Second, time.Second, 2}, {30 * time.Second, 30 * time.Second, 2}, {time.Minute, time.Minute, 4}, {61 * time.Second, 61 * time.Second, 4}} {
		if err := l.record(t.Context(), actionAt("1"), change(step.at, step.deadline)...); err != nil || len(b.records) != step.want {
			t.Fatalf("after %s there are %d records, want %d; %v", step.at, len(b.records), step.want, err)
		}
	}
	if err := l.record(t.Context(), actionAt("1"), change(0, time.Minute)[1]); err != nil || len(b.records) != 5 {
		t.Fatalf("one of two is another change: %d records, %v", len(b.records), err)
	}
	if err := l.record(t.Context(), actionAt("1"), change(0, 0)...); err != nil {
		t.Fatal(err)
	}
	if err := l.refused(t.Context(), actionAt("1"), submittedAt, errors.New("modified")); err != nil {
		t.Fatal(err)
	}
	back := b.records[len(b.records)-1]
	if len(b.records) != 8 || back.Event != audit.EventNotApplied || back.Message != "action.pending has not come true, for the action had changed: modified" ||
		back.Request != nil || back.Approval != nil || back.Actor != "" || back.ResourceVersion != "1" {
		t.Errorf("%d records, the last %+v", len(b.records), back)
	}
}

func TestWithoutARecordThereIsNothingToWrite(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left on device")
	b := &book{err: full}
	l := newLedger(b)
	if err := l.record(t.Context(), actionAt("1"), approvedAt("1", 0)); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	b.err = nil
	if err := l.record(t.Context(), actionAt("1"), approvedAt("1", time.Second)); err != nil || len(b.records) != 1 {
		t.Errorf("the record is lost: %+v, error %v", b.records, err)
	}
}
