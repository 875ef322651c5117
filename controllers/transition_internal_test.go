// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// waiting is a status that waits in a stage, with changes.
func waiting(changes ...func(*v1alpha1.AgentActionStatus)) *v1alpha1.AgentActionStatus {
	s := &v1alpha1.AgentActionStatus{
		Decision: v1alpha1.DecisionPending, PolicyRevision: "sha256:1",
		Approval: &v1alpha1.ApprovalStatus{Revision: "sha256:a", Stage: "review", Required: 2},
	}
	for _, change := range changes {
		change(s)
	}
	return s
}

func TestWhatAChangeTells(t *testing.T) {
	t.Parallel()
	none := &v1alpha1.AgentActionStatus{}
	decided := func(d v1alpha1.Decision) *v1alpha1.AgentActionStatus {
		return &v1alpha1.AgentActionStatus{Decision: d}
	}
	for name, test := range map[string]struct {
		before, after *v1alpha1.AgentActionStatus
		want          v1alpha1.EventType // "" is nothing new
	}{
		"first look, pending":  {none, waiting(), v1alpha1.EventActionPending},
		"first look, approved": {none, decided(v1alpha1.DecisionApproved), v1alpha1.EventActionApproved},
		"first look, denied":   {none, decided(v1alpha1.DecisionDenied), v1alpha1.EventActionDenied},
		"approved by people":   {waiting(), decided(v1alpha1.DecisionApproved), v1alpha1.EventActionApproved},
		"timed out":            {waiting(), decided(v1alpha1.DecisionTimedOut), v1alpha1.EventActionTimeout},
		"cancelled":            {waiting(), decided(v1alpha1.DecisionCancelled), v1alpha1.EventActionCancelled},
		"nothing":              {waiting(), waiting(), ""},
		"another message":      {waiting(), waiting(func(s *v1alpha1.AgentActionStatus) { s.Message = "other words" }), ""},
		"observed only":        {waiting(), waiting(func(s *v1alpha1.AgentActionStatus) { s.ObservedGeneration = 7 }), ""},
		"escalated":            {waiting(), waiting(func(s *v1alpha1.AgentActionStatus) { s.Approval.Escalated = true }), v1alpha1.EventActionEscalated},
		"escalated before": {
			waiting(func(s *v1alpha1.AgentActionStatus) { s.Approval.Escalated = true }),
			waiting(func(s *v1alpha1.AgentActionStatus) { s.Approval.Escalated = true }), ""},
		"an approval was counted": {waiting(), waiting(func(s *v1alpha1.AgentActionStatus) { s.Approval.Granted = 1 }), v1alpha1.EventActionPending},
		"the next stage":          {waiting(), waiting(func(s *v1alpha1.AgentActionStatus) { s.Approval.Stage = "board" }), v1alpha1.EventActionPending},
		"an approval was void": {waiting(), waiting(func(s *v1alpha1.AgentActionStatus) {
			s.Approval.Uncounted = []v1alpha1.UncountedApproval{{Approver: "alice"}}
		}), v1alpha1.EventActionPending},
		"other workflows":             {waiting(), waiting(func(s *v1alpha1.AgentActionStatus) { s.Approval.Revision = "sha256:b" }), v1alpha1.EventActionPending},
		"other rules, still pending":  {waiting(), waiting(func(s *v1alpha1.AgentActionStatus) { s.PolicyRevision = "sha256:2" }), v1alpha1.EventActionPending},
		"approval was not asked for":  {waiting(func(s *v1alpha1.AgentActionStatus) { s.Approval = nil }), waiting(), v1alpha1.EventActionPending},
		"neither has an approval yet": {waiting(func(s *v1alpha1.AgentActionStatus) { s.Approval = nil }), waiting(func(s *v1alpha1.AgentActionStatus) { s.Approval = nil }), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event, tells := transition{before: test.before, after: test.after}.event()
			if tells != (test.want != "") || (tells && event != test.want) {
				t.Errorf("event %q, %v; want %q", event, tells, test.want)
			}
		})
	}
}

func TestTheRecordSaysWhatWasVouchedFor(t *testing.T) {
	t.Parallel()
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "act-1", UID: "u1", ResourceVersion: "17"}}
	action.Spec.Requester = &v1alpha1.Requester{Username: "forged"}
	action.Spec.Approvals = []v1alpha1.Approval{{Approver: "forged"}}
	status := waiting()
	status.Risk = &v1alpha1.RiskStatus{Score: "7.2", Level: v1alpha1.RiskLevelHigh}
	status.MatchedRules = []v1alpha1.MatchedRule{{
		RuleReference: v1alpha1.RuleReference{Namespace: "ascend-system", Name: "r"},
		Effect:        v1alpha1.EffectRequireApproval, Mode: v1alpha1.RuleEnforce,
	}}
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	got := transition{action: action, before: &action.Status, after: status, request: &request.Request{
		Agent: "tutorial-agent", ActionType: "database_write", Resource: "customers",
		Requester: v1alpha1.Requester{Username: "system:serviceaccount:default:tutorial-agent"},
		Approvals: []v1alpha1.Approval{{Approver: "alice", As: "group:dba", Stage: "review", Verdict: v1alpha1.VerdictApprove, Comment: "fine"}},
	}}.record(v1alpha1.EventActionPending, at)
	if got.Requester != "system:serviceaccount:default:tutorial-agent" || len(got.Approvals) != 1 || got.Approvals[0].Approver != "alice" {
		t.Errorf("the record keeps what nobody vouched for: %+v", got)
	}
	if got.UID != "u1" || got.ResourceVersion != "17" || got.Resource != "customers" || got.RiskScore != "7.2" || !got.Time.Equal(at) ||
		len(got.MatchedRules) != 1 || got.MatchedRules[0] != "ascend-system/r RequireApproval Enforce" {
		t.Errorf("record: %+v", got)
	}
}

func TestTheFirstRecordKeepsTheRequest(t *testing.T) {
	t.Parallel()
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "act-1", Labels: map[string]string{"a": "b"}}}
	action.Spec.AgentRef.Name, action.Spec.ActionType = "bot", "database_read"
	action.Spec.Parameters = &runtime.RawExtension{Raw: []byte(`{"b":1, "a":2}`)}
	action.Spec.Requester = &v1alpha1.Requester{Username: "forged"}
	bot := &v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "bot"}, Spec: v1alpha1.AgentSpec{Owner: "carol"}}
	policy := &decision.Snapshot{Namespaces: map[string]*decision.Namespace{"shop": {
		Agents: map[string]*decision.Agent{"bot": decision.NewAgent(bot)},
		Object: &rules.NamespaceObject{Name: "shop", Labels: map[string]string{"tier": "gold"}},
	}}}
	none := &v1alpha1.AgentActionStatus{}
	because := func(d v1alpha1.Decision, reason string) *v1alpha1.AgentActionStatus {
		return &v1alpha1.AgentActionStatus{Decision: d, Reason: reason}
	}
	for name, test := range map[string]struct {
		before, after *v1alpha1.AgentActionStatus
		want          bool
	}{
		"approved at first look":     {none, because(v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved), true},
		"pending at first look":      {none, because(v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired), true},
		"denied at first look":       {none, because(v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied), true},
		"nobody knows who asks":      {none, because(v1alpha1.DecisionDenied, v1alpha1.ReasonNotAdmitted), false},
		"cannot be read":             {none, because(v1alpha1.DecisionDenied, v1alpha1.ReasonInvalidRequest), false},
		"withdrawn before any look":  {none, because(v1alpha1.DecisionCancelled, v1alpha1.ReasonCancelledByRequester), false},
		"approved by people":         {waiting(), because(v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted), false},
		"other rules, still pending": {waiting(), waiting(func(s *v1alpha1.AgentActionStatus) { s.PolicyRevision = "2" }), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked, err := request.Read(action, v1alpha1.Requester{Username: "system:serviceaccount:shop:bot"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := transition{action: action, request: asked, before: test.before, after: test.after, policy: policy}.record("x", time.Time{}).Request
			if (got != nil) != test.want {
				t.Fatalf("request %+v, want one: %v", got, test.want)
			}
			if got == nil {
				return
			}
			if string(got.Parameters) != `{"b":1, "a":2}` || got.Labels["a"] != "b" || got.Requester.Username != "system:serviceaccount:shop:bot" ||
				got.Agent.Spec.Owner != "carol" || got.Namespace.Labels["tier"] != "gold" {
				t.Errorf("request %+v", got)
			}
		})
	}
}

func TestTheRecordSaysWhoHasToAgree(t *testing.T) {
	t.Parallel()
	status := waiting(func(s *v1alpha1.AgentActionStatus) {
		s.Approval.Workflows = []v1alpha1.ObjectReference{{Namespace: "ascend-system", Name: "high"}, {Namespace: "shop", Name: "own"}}
	})
	got := transition{action: &v1alpha1.AgentAction{}, before: status, after: status, request: &request.Request{}}.record("x", time.Time{})
	if got.ApprovalRevision != "sha256:a" || strings.Join(got.Workflows, " ") != "ascend-system/high shop/own" {
		t.Errorf("record: %+v", got)
	}
}

func TestEventNotesFitAndStayText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "short", strings.Repeat("ä", 1000), strings.Repeat("x", 1023) + "€", strings.Repeat("😀", 600)} {
		note := eventNote(&v1alpha1.AgentActionStatus{Message: text})
		if len(note) > 1024 || !utf8.ValidString(note) {
			t.Errorf("%d bytes, valid %v: …%q", len(note), utf8.ValidString(note), note[max(0, len(note)-8):])
		}
		if len(text) <= 1024 && note != text {
			t.Errorf("%q became %q", text, note)
		}
	}
	status := waiting(func(s *v1alpha1.AgentActionStatus) {
		s.Message, s.Approval.Granted, s.Approval.Escalated = "m", 1, true
	})
	if note := eventNote(status); note != "m; stage review has 1 of 2 approvals, escalated" {
		t.Errorf("note %q", note)
	}
}
