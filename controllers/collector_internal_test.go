// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/seal"
)

// pages answers like an API server that sends one action a page, decoding into
// what it is given as encoding/json does: what is absent stays as it was.
type pages struct {
	client.Client
	actions []*v1alpha1.AgentAction
	deleted []string
	err     error // of deletions
}

func (p *pages) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	var o client.ListOptions
	o.ApplyOptions(options)
	at := 0
	if o.Continue != "" {
		if _, err := fmt.Sscan(o.Continue, &at); err != nil {
			return err
		}
	}
	into, ok := list.(*v1alpha1.AgentActionList)
	if !ok {
		return fmt.Errorf("asked for a %T", list)
	}
	into.Items = append(into.Items[:0], *p.actions[at])
	if at+1 < len(p.actions) {
		into.Continue = strconv.Itoa(at + 1)
	}
	return nil
}

func (p *pages) Delete(_ context.Context, object client.Object, options ...client.DeleteOption) error {
	var o client.DeleteOptions
	o.ApplyOptions(options)
	if o.Preconditions == nil || *o.Preconditions.UID != object.GetUID() || *o.Preconditions.ResourceVersion != object.GetResourceVersion() {
		return errors.New("deletes by name alone")
	}
	p.deleted = append(p.deleted, object.GetName())
	return p.err
}

func decidedAction(name string, ttl time.Duration) *v1alpha1.AgentAction {
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), ResourceVersion: "7"}}
	action.Spec.TTLAfterDecision = &metav1.Duration{Duration: ttl}
	at := metav1.NewMicroTime(submittedAt)
	action.Status = v1alpha1.AgentActionStatus{Decision: v1alpha1.DecisionDenied, DecidedAt: &at}
	return action
}

func TestCollectionIsOnTimeAndNeverEarly(t *testing.T) {
	t.Parallel()
	noTTL := decidedAction("default-ttl", 0)
	noTTL.Spec.TTLAfterDecision = nil
	server := &pages{actions: []*v1alpha1.AgentAction{decidedAction("hour", time.Hour), noTTL, decidedAction("now", 0), decidedAction("hour-too", time.Hour)}}
	clock := clocktesting.NewFakeClock(submittedAt)
	collector := &Collector{Client: server, Live: server, Audit: &book{}, Clock: clock, Interval: time.Minute}
	for _, step := range []struct {
		after time.Duration
		want  []string
	}{
		{0, []string{"now"}},
		{time.Hour - time.Nanosecond, []string{"now"}},
		{time.Hour, []string{"hour", "now", "hour-too"}},
		{720*time.Hour - time.Nanosecond, []string{"hour", "now", "hour-too"}},
		{720 * time.Hour, []string{"hour", "default-ttl", "now", "hour-too"}},
	} {
		server.deleted = nil
		clock.SetTime(submittedAt.Add(step.after))
		if err := collector.collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(server.deleted, step.want) {
			t.Errorf("after %s: deleted %v, want %v", step.after, server.deleted, step.want)
		}
	}
}

// The name of an action does not come free while its requester's seal would
// still fit another action of that name.
func TestCollectionKeepsWhatCouldBeSubmittedAgain(t *testing.T) {
	t.Parallel()
	young := decidedAction("young", 0)
	young.CreationTimestamp = metav1.NewTime(submittedAt.Add(-time.Second))
	server := &pages{actions: []*v1alpha1.AgentAction{young, decidedAction("hour", time.Hour)}}
	clock := clocktesting.NewFakeClock(submittedAt)
	collector := &Collector{Client: server, Live: server, Audit: &book{}, Clock: clock, Interval: time.Minute, Keep: KeepAtLeast}
	for _, step := range []struct {
		after time.Duration
		want  []string
	}{
		{0, nil},
		{10*time.Minute - time.Second - time.Nanosecond, nil},
		{10*time.Minute - time.Second, []string{"young"}},
		{time.Hour, []string{"young", "hour"}},
	} {
		server.deleted = nil
		clock.SetTime(submittedAt.Add(step.after))
		if err := collector.collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(server.deleted, step.want) {
			t.Errorf("after %s: deleted %v, want %v", step.after, server.deleted, step.want)
		}
	}
	if KeepAtLeast < 2*seal.AdmissionWindow {
		t.Error("admittedAt may be as much after creationTimestamp as before")
	}
}

// Nothing is deleted without its record, which is there before the deletion;
// what did not come true is taken back, and what is tried again has no second one.
func TestCollectionIsRecorded(t *testing.T) {
	t.Parallel()
	resource := v1alpha1.GroupVersion.WithResource("agentactions").GroupResource()
	asked := decidedAction("asked", 0)
	asked.Spec.Requester = &v1alpha1.Requester{Username: "bot"}
	asked.Status.SpecDigest, asked.Status.Reason = "sha256:d", v1alpha1.ReasonRuleDenied
	forged := decidedAction("forged", 0)
	forged.Spec.Requester = &v1alpha1.Requester{Username: "root"}
	forged.Status.Reason = v1alpha1.ReasonNotAdmitted
	server := &pages{actions: []*v1alpha1.AgentAction{asked, decidedAction("later", time.Hour), forged}}
	trail := &book{}
	clock := clocktesting.NewFakeClock(submittedAt)
	collector := &Collector{Client: server, Live: server, Audit: trail, Clock: clock, Interval: time.Minute}
	look := func(lost, refused, want error, story ...string) {
		t.Helper()
		trail.records, server.deleted = nil, nil
		trail.err, server.err = lost, refused
		if err := collector.collect(t.Context()); !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
		var got []string
		for _, r := range trail.records {
			got = append(got, strings.Join([]string{string(r.Event), r.Name, r.ResourceVersion, r.Requester}, " "))
		}
		if !slices.Equal(got, story) {
			t.Errorf("records %q, want %q", got, story)
		}
	}
	full := errors.New("no space left on device")
	look(full, nil, full)
	if server.deleted != nil {
		t.Errorf("%q was deleted without a record", server.deleted)
	}
	both := []string{"action.collected asked 7 bot", "action.collected forged 7 "}
	look(nil, errLostConnection, errLostConnection, both...)
	if r := trail.records[0]; r.Decision != v1alpha1.DecisionDenied || r.SpecDigest != "sha256:d" || r.UID != "asked" || !r.Time.Equal(submittedAt) {
		t.Errorf("record %+v", r)
	}
	look(nil, errLostConnection, errLostConnection)
	asked.ResourceVersion = "8"
	look(nil, errLostConnection, errLostConnection, "decision.not-applied asked 7 bot", "action.collected asked 8 bot")
	look(nil, apierrors.NewConflict(resource, "x", nil), nil, "decision.not-applied asked 8 bot", "decision.not-applied forged 7 ")
	look(nil, apierrors.NewNotFound(resource, "x"), nil,
		"action.collected asked 8 bot", "decision.not-applied asked 8 bot", "action.collected forged 7 ", "decision.not-applied forged 7 ")
	look(nil, nil, nil, "action.collected asked 8 bot", "action.collected forged 7 ")
	server.actions = []*v1alpha1.AgentAction{decidedAction("later", time.Hour)}
	look(nil, nil, nil)
	if len(collector.recorded) != 0 {
		t.Errorf("remembers %v", collector.recorded)
	}
}

func TestCollectionPassesOverWhatChanged(t *testing.T) {
	t.Parallel()
	resource := v1alpha1.GroupVersion.WithResource("agentactions").GroupResource()
	for name, test := range map[string]struct{ err, want error }{
		"gone":    {apierrors.NewNotFound(resource, "now"), nil},
		"changed": {apierrors.NewConflict(resource, "now", nil), nil},
		"outage":  {errLostConnection, errLostConnection},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &pages{err: test.err, actions: []*v1alpha1.AgentAction{decidedAction("now", 0), decidedAction("now-too", 0)}}
			collector := &Collector{Client: server, Live: server, Audit: &book{}, Clock: clocktesting.NewFakeClock(submittedAt), Interval: time.Minute}
			if err := collector.collect(t.Context()); !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
			if len(server.deleted) != 2 {
				t.Errorf("tried %v", server.deleted)
			}
		})
	}
}

var errLostConnection = errors.New("connection reset by peer")

func TestAnActionSleepsTowardsItsDeadline(t *testing.T) {
	t.Parallel()
	r := &AgentActionReconciler{Clock: clocktesting.NewFakePassiveClock(submittedAt)}
	for name, test := range map[string]struct {
		moment time.Time
		want   time.Duration
	}{
		"never":          {time.Time{}, 0},
		"soon":           {submittedAt.Add(30 * time.Second), 30 * time.Second},
		"far away":       {submittedAt.Add(24 * time.Hour), longestNap},
		"now":            {submittedAt, time.Millisecond},
		"already passed": {submittedAt.Add(-time.Hour), time.Millisecond},
	} {
		if got := r.wakeAt(test.moment).RequeueAfter; got != test.want {
			t.Errorf("%s: wakes after %s, want %s", name, got, test.want)
		}
	}
}
