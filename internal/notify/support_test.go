// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
)

var update = flag.Bool("update", false, "write the golden files anew")

var noon = time.Date(2026, 11, 22, 12, 0, 0, 123456000, time.FixedZone("CET", 3600))

func micro(d time.Duration) *metav1.MicroTime { return &metav1.MicroTime{Time: noon.Add(d)} }

// action is one that waits for people.
func action() *v1alpha1.AgentAction {
	return &v1alpha1.AgentAction{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "act-ghi789", UID: "6f2c0f1e-9f0a-4a0e-8f55-6d2a9d0c7b11"},
		Spec: v1alpha1.AgentActionSpec{
			AgentRef: v1alpha1.LocalReference{Name: "tutorial-agent"}, ActionType: "database_write",
			Description: "Set the newsletter preference of one customer", Resource: "customers",
			Parameters: &runtime.RawExtension{Raw: []byte(`{"table":"customers","password":"canary"}`)},
			Requester:  &v1alpha1.Requester{Username: "system:serviceaccount:default:tutorial-agent", Seal: "canary"},
		},
		Status: v1alpha1.AgentActionStatus{
			Decision: v1alpha1.DecisionPending, Reason: v1alpha1.ReasonApprovalRequired, Message: "High risk (7.2) needs one approval",
			Risk:         &v1alpha1.RiskStatus{Score: "7.2", Level: v1alpha1.RiskLevelHigh, CVSSVector: "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:N"},
			DecidingRule: &v1alpha1.RuleReference{Namespace: "ascend-system", Name: "rule-writes", DisplayName: "Review of writes"},
			Approval: &v1alpha1.ApprovalStatus{Stage: "approval", Required: 1, PendingApprovers: []string{"group:ascend-approvers", "user:alice"},
				Deadline: micro(4 * time.Hour)},
			ApprovalURL: "https://approvals.example.com/default/act-ghi789", SpecDigest: "sha256:6b0e",
		},
	}
}

// decided is the action later.
func decided(decision v1alpha1.Decision, reason, message string) *v1alpha1.AgentAction {
	a := action()
	a.Status.Decision, a.Status.Reason, a.Status.Message, a.Status.Approval = decision, reason, message, nil
	a.Status.DecidedAt = micro(time.Minute)
	if decision == v1alpha1.DecisionApproved {
		a.Status.ValidUntil = micro(time.Hour)
	}
	return a
}

func about(event v1alpha1.EventType, a *v1alpha1.AgentAction) notify.Event {
	return notify.Event{
		ID: "evt_0123456789abcdef", Type: event, Time: noon, Reason: a.Status.Reason, Message: a.Status.Message,
		Subject: notify.Subject{Namespace: a.Namespace, Name: a.Name, UID: string(a.UID), Kind: "AgentAction", Action: a},
	}
}

// sample is an event as good as any.
func sample() notify.Event { return about(v1alpha1.EventActionPending, action()) }

// everyEvent is one event of each type.
func everyEvent() map[string]notify.Event {
	reported := func(result v1alpha1.OutcomeResult, message string) *v1alpha1.AgentAction {
		a := decided(v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted, "alice agreed")
		a.Spec.Outcome = &v1alpha1.Outcome{Result: result, Message: message, StartedAt: micro(time.Minute), CompletedAt: micro(2 * time.Minute)}
		return a
	}
	escalated := action()
	escalated.Status.Approval.Escalated = true
	agent := &v1alpha1.Agent{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "tutorial-agent", UID: "0c1d"},
		Spec:       v1alpha1.AgentSpec{DisplayName: "Tutorial Agent", Owner: "data-team@example.com", State: v1alpha1.AgentSuspended},
	}
	deniedByRule := decided(v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied, "Bulk delete operations require manager approval")
	events := map[string]notify.Event{
		"submitted": about(v1alpha1.EventActionSubmitted, action()),
		"pending":   sample(),
		"escalated": about(v1alpha1.EventActionEscalated, escalated),
		"approved":  about(v1alpha1.EventActionApproved, decided(v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted, "alice agreed")),
		"denied":    about(v1alpha1.EventActionDenied, deniedByRule),
		"timeout":   about(v1alpha1.EventActionTimeout, decided(v1alpha1.DecisionTimedOut, v1alpha1.ReasonApprovalTimeout, "nobody decided within 4h")),
		"cancelled": about(v1alpha1.EventActionCancelled, decided(v1alpha1.DecisionCancelled, v1alpha1.ReasonCancelledByRequester, "withdrawn")),
		"executed":  about(v1alpha1.EventActionExecuted, reported(v1alpha1.OutcomeSucceeded, "1 row")),
		"failed":    about(v1alpha1.EventActionFailed, reported(v1alpha1.OutcomeFailed, "deadlock")),
		"violation": about(v1alpha1.EventPolicyViolation, deniedByRule),
		"suspended": {ID: "evt_a", Type: v1alpha1.EventAgentSuspended, Time: noon, Reason: "Suspended", Message: "the kill switch is on",
			Subject: notify.Subject{Namespace: "default", Name: agent.Name, UID: "0c1d", Kind: "Agent", Agent: agent}},
		"test": {ID: "evt_t", Type: notify.EventTest, Time: noon, Message: "a sample that somebody asked for",
			Subject: notify.Subject{Namespace: "default", Name: "hooks", UID: "9", Kind: "WebhookSubscription"}},
	}
	// Told when it was no longer so: the first try failed.
	late := about(v1alpha1.EventActionPending, deniedByRule)
	late.Reason, late.Message = v1alpha1.ReasonApprovalRequired, "High risk (7.2) needs one approval"
	events["pending-late"] = late
	return events
}

// golden compares with a file in testdata, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: run with -update if it is meant to be so:\n%s\nwant\n%s", name, got, want)
	}
}

var (
	here   = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	secret = []byte("a secret of more than sixteen bytes")
	name   = types.NamespacedName{Namespace: "shop", Name: "hooks"}
)

// sender may send to this machine.
func sender(tb testing.TB) *notify.Sender {
	tb.Helper()
	s := notify.NewSender(notify.SenderOptions{Version: "v1.2.3", AllowedNetworks: here})
	tb.Cleanup(s.Close)
	return s
}

// target is a subscription with that URL.
func target(url string) notify.Target {
	return notify.Target{Namespace: name.Namespace, Name: name.Name, UID: "1", URL: url, Secret: secret}
}

// receive is a receiver over TLS.
func receive(tb testing.TB, handler http.HandlerFunc) (*httptest.Server, notify.Target) {
	tb.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = quiet
	server.StartTLS()
	tb.Cleanup(server.Close)
	to := target(server.URL + "/canary-path?token=canary-token")
	to.Authorities = authorities(server)
	return server, to
}

func authorities(server *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return pool
}

// listen is a receiver without HTTP, which does what it likes with a connection.
func listen(tb testing.TB, serve func(net.Conn)) string {
	tb.Helper()
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				serve(connection)
			}()
		}
	}()
	return "http://" + listener.Addr().String() + "/"
}

// quiet keeps what test servers say of broken connections out of the output.
var quiet = log.New(io.Discard, "", 0)
