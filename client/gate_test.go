// SPDX-License-Identifier: Apache-2.0

package client

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// approvedNow is a submission that may be run, and what the gate is asked with.
func approvedNow(t *testing.T) (*submission, *v1alpha1.AgentAction, reading, string) {
	t.Helper()
	action := Action{Type: "database_read", Parameters: map[string]any{"table": "orders"}}
	object, digest, err := action.object("default", "a")
	if err != nil {
		t.Fatal(err)
	}
	date := time.Unix(1_800_000_000, 0)
	decided, until := metav1.NewMicroTime(date.Add(-time.Minute)), metav1.NewMicroTime(date.Add(time.Minute))
	object.Name, object.UID, object.ResourceVersion = "act-1", "u", "7"
	object.Status = v1alpha1.AgentActionStatus{Decision: v1alpha1.DecisionApproved, SpecDigest: digest, DecidedAt: &decided, ValidUntil: &until}
	return &submission{action: object, created: true, digest: digest}, object.DeepCopy(), reading{sent: time.Now(), date: date}, digest
}

// The gate opens for one state of affairs, and for no other.
func TestGate(t *testing.T) {
	asked, now, at, digest := approvedNow(t)
	if err := gate(asked, now, at, digest); err != nil {
		t.Fatal(err)
	}
	at0 := func(t metav1.MicroTime) *metav1.MicroTime { return &t }
	for name, change := range map[string]func(*submission, *v1alpha1.AgentAction, *reading, *string){
		"not made by this call":    func(s *submission, _ *v1alpha1.AgentAction, _ *reading, _ *string) { s.created = false },
		"another uid":              func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) { a.UID = "v" },
		"no uid":                   func(s *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) { s.action.UID, a.UID = "", "" },
		"another name":             func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) { a.Name = "act-2" },
		"another namespace":        func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) { a.Namespace = "shop" },
		"older than what was seen": func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) { a.ResourceVersion = "6" },
		"no version":               func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) { a.ResourceVersion = "" },
		"not evaluated":            func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) { a.Status.Decision = "" },
		"pending":                  func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) { a.Status.Decision = "Pending" },
		"denied":                   func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) { a.Status.Decision = "Denied" },
		"timed out":                func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) { a.Status.Decision = "TimedOut" },
		"cancelled":                func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) { a.Status.Decision = "Cancelled" },
		"a word that is not known": func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) { a.Status.Decision = "approved" },
		"parameters changed here":  func(_ *submission, _ *v1alpha1.AgentAction, _ *reading, d *string) { *d = "sha256:other" },
		"approved for another": func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) {
			a.Status.SpecDigest = "sha256:other"
		},
		"no digest at all": func(s *submission, a *v1alpha1.AgentAction, _ *reading, d *string) {
			s.digest, a.Status.SpecDigest, *d = "", "", ""
		},
		"parameters changed there": func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) {
			a.Spec.Parameters.Raw = []byte(`{"table":"users"}`)
		},
		"another agent there": func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) { a.Spec.AgentRef.Name = "b" },
		"withdrawn":           func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) { a.Spec.Cancelled = true },
		"reported": func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) {
			a.Spec.Outcome = &v1alpha1.Outcome{}
		},
		"no validity":               func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) { a.Status.ValidUntil = nil },
		"no moment of the decision": func(_ *submission, a *v1alpha1.AgentAction, _ *reading, _ *string) { a.Status.DecidedAt = nil },
		"no date":                   func(_ *submission, _ *v1alpha1.AgentAction, r *reading, _ *string) { r.date = time.Time{} },
		"a date long before": func(_ *submission, _ *v1alpha1.AgentAction, r *reading, _ *string) {
			r.date = r.date.Add(-3 * time.Minute)
		},
		"over": func(_ *submission, _ *v1alpha1.AgentAction, r *reading, _ *string) {
			r.date = r.date.Add(2 * time.Minute)
		},
		"over within the margin": func(_ *submission, a *v1alpha1.AgentAction, r *reading, _ *string) {
			a.Status.ValidUntil = at0(metav1.NewMicroTime(r.date.Add(time.Second + margin)))
		},
		"over since it was sent": func(_ *submission, _ *v1alpha1.AgentAction, r *reading, _ *string) { r.sent = r.sent.Add(-time.Minute) },
	} {
		asked, now, at, digest := approvedNow(t)
		change(asked, now, &at, &digest)
		if err := gate(asked, now, at, digest); err == nil {
			t.Errorf("%s: runs", name)
		}
	}
}
