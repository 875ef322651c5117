// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
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
	const (
		submitted, evaluated, recorded = v1alpha1.EventActionSubmitted, audit.EventEvaluated, audit.EventApprovalRecorded
		pending, escalated             = v1alpha1.EventActionPending, v1alpha1.EventActionEscalated
		approved, denied               = v1alpha1.EventActionApproved, v1alpha1.EventActionDenied
	)
	none := &v1alpha1.AgentActionStatus{}
	decided := func(d v1alpha1.Decision, changes ...func(*v1alpha1.AgentActionStatus)) *v1alpha1.AgentActionStatus {
		s := waiting(changes...)
		s.Decision = d
		return s
	}
	unasked := func(s *v1alpha1.AgentActionStatus) { s.Approval = nil }
	unread := func(s *v1alpha1.AgentActionStatus) { s.Approval, s.PolicyRevision = nil, "" }
	one := func(s *v1alpha1.AgentActionStatus) { s.Approval.Granted, s.RecordedApprovals = 1, 1 }
	void := func(s *v1alpha1.AgentActionStatus) {
		s.Approval.Uncounted, s.RecordedApprovals = []v1alpha1.UncountedApproval{{Approver: "alice"}}, 1
	}
	stretched := func(s *v1alpha1.AgentActionStatus) { s.Approval.Escalated = true }
	board := func(s *v1alpha1.AgentActionStatus) { s.Approval.Stage = "board" }
	scored := func(score v1alpha1.Score, vector string) func(*v1alpha1.AgentActionStatus) {
		return func(s *v1alpha1.AgentActionStatus) { s.Risk = &v1alpha1.RiskStatus{Score: score, CVSSVector: vector} }
	}
	matched := func(mode v1alpha1.RuleMode) func(*v1alpha1.AgentActionStatus) {
		return func(s *v1alpha1.AgentActionStatus) {
			s.MatchedRules = []v1alpha1.MatchedRule{{RuleReference: v1alpha1.RuleReference{Name: "r"}, Mode: mode}}
		}
	}
	for name, test := range map[string]struct {
		before, after *v1alpha1.AgentActionStatus
		want          []v1alpha1.EventType // none is nothing new
	}{
		"first look, pending":      {none, waiting(), []v1alpha1.EventType{submitted, evaluated, pending}},
		"first look, approved":     {none, decided("Approved", unasked), []v1alpha1.EventType{submitted, evaluated, approved}},
		"first look, denied":       {none, decided("Denied", unasked), []v1alpha1.EventType{submitted, evaluated, denied}},
		"first look, nobody asked": {none, decided("Denied", unread), []v1alpha1.EventType{submitted, denied}},
		"first look, withdrawn":    {none, decided("Cancelled", unread), []v1alpha1.EventType{submitted, v1alpha1.EventActionCancelled}},
		"approved by people":       {waiting(), decided("Approved", one), []v1alpha1.EventType{recorded, approved}},
		"approved by two at once":  {waiting(), decided("Approved", func(s *v1alpha1.AgentActionStatus) { s.RecordedApprovals = 2 }), []v1alpha1.EventType{recorded, recorded, approved}},
		"denied by people":         {waiting(one), decided("Denied", func(s *v1alpha1.AgentActionStatus) { s.RecordedApprovals = 2 }), []v1alpha1.EventType{recorded, denied}},
		"overridden": {waiting(one), decided("Approved", func(s *v1alpha1.AgentActionStatus) {
			s.RecordedApprovals, s.Reason = 2, v1alpha1.ReasonEmergencyOverride
		}), []v1alpha1.EventType{recorded, audit.EventOverridden, approved}},
		"timed out":                     {waiting(), decided("TimedOut"), []v1alpha1.EventType{v1alpha1.EventActionTimeout}},
		"timed out, escalated unseen":   {waiting(), decided("TimedOut", stretched), []v1alpha1.EventType{v1alpha1.EventActionTimeout}},
		"cancelled":                     {waiting(), decided("Cancelled"), []v1alpha1.EventType{v1alpha1.EventActionCancelled}},
		"cancelled with a verdict":      {waiting(), decided("Cancelled", func(s *v1alpha1.AgentActionStatus) { s.RecordedApprovals = 1 }), []v1alpha1.EventType{recorded, v1alpha1.EventActionCancelled}},
		"denied by a new rule":          {waiting(), decided("Denied", unasked, matched("Enforce"), func(s *v1alpha1.AgentActionStatus) { s.PolicyRevision = "sha256:2" }), []v1alpha1.EventType{evaluated, denied}},
		"the agent is gone":             {waiting(), decided("Denied", unread), []v1alpha1.EventType{denied}},
		"withdrawn afterwards":          {decided("Approved"), decided("Approved", func(s *v1alpha1.AgentActionStatus) { s.Reason = v1alpha1.ReasonAgentSuspended }), nil},
		"nothing":                       {waiting(), waiting(), nil},
		"another message":               {waiting(), waiting(func(s *v1alpha1.AgentActionStatus) { s.Message = "other words" }), nil},
		"observed only":                 {waiting(), waiting(func(s *v1alpha1.AgentActionStatus) { s.ObservedGeneration = 7 }), nil},
		"escalated":                     {waiting(), waiting(stretched), []v1alpha1.EventType{escalated}},
		"escalated before":              {waiting(stretched), waiting(stretched), nil},
		"the next stage escalated, too": {waiting(stretched), waiting(board, stretched), []v1alpha1.EventType{pending, escalated}},
		"an approval was counted":       {waiting(), waiting(one), []v1alpha1.EventType{recorded}},
		"and the next stage begins":     {waiting(), waiting(one, board), []v1alpha1.EventType{recorded, pending}},
		"an approval does not count":    {waiting(), waiting(void), []v1alpha1.EventType{recorded}},
		"one that counted is void":      {waiting(one), waiting(void), []v1alpha1.EventType{pending}},
		"one that may have is void":     {waiting(func(s *v1alpha1.AgentActionStatus) { s.RecordedApprovals = 1 }), waiting(void), []v1alpha1.EventType{pending}},
		"fewer verdicts than before":    {waiting(one), waiting(), []v1alpha1.EventType{pending}},
		"other workflows":               {waiting(), waiting(func(s *v1alpha1.AgentActionStatus) { s.Approval.Revision = "sha256:b" }), []v1alpha1.EventType{evaluated, pending}},
		"other rules, still pending":    {waiting(), waiting(func(s *v1alpha1.AgentActionStatus) { s.PolicyRevision = "sha256:2" }), []v1alpha1.EventType{evaluated}},
		"another score":                 {waiting(scored("7.0", "v")), waiting(scored("7.1", "v")), []v1alpha1.EventType{evaluated}},
		"another vector":                {waiting(scored("7.0", "v")), waiting(scored("7.0", "w")), []v1alpha1.EventType{evaluated}},
		"the same score":                {waiting(scored("7.0", "v")), waiting(scored("7.0", "v")), nil},
		"a rule's window opens":         {waiting(), waiting(matched("Audit")), []v1alpha1.EventType{evaluated}},
		"a rule is enforced now":        {waiting(matched("Audit")), waiting(matched("Enforce")), []v1alpha1.EventType{evaluated}},
		"approval was not asked for":    {waiting(unasked), waiting(), []v1alpha1.EventType{evaluated, pending}},
		"neither has an approval yet":   {waiting(unasked), waiting(unasked), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (transition{before: test.before, after: test.after}).events(); !slices.Equal(got, test.want) {
				t.Errorf("events %q; want %q", got, test.want)
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

// A series has the note of its first Event, so nothing in a note may change
// while the rest of what Events are told apart by stays the same.
func TestWhatIsRepeatedFormsASeries(t *testing.T) {
	t.Parallel()
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "act-1", UID: "u"}}
	type key struct{ done, path string }
	notes := map[key]string{}
	tell := func(version string, before, after *v1alpha1.AgentActionStatus, want string) {
		t.Helper()
		seen := action.DeepCopy()
		seen.ResourceVersion = version
		change := transition{action: seen, before: before, after: after}
		done, note := change.occasion()
		about := change.regarding()
		if done != want || about.ResourceVersion != "" || about.UID != "u" || about.Name != "act-1" || about.Kind != "AgentAction" {
			t.Errorf("%s, want %s, about %+v", done, want, about)
		}
		k := key{done, about.FieldPath}
		if first, told := notes[k]; told && first != note {
			t.Errorf("the series %v has the note %q, and %q would not be seen", k, first, note)
		}
		notes[k] = note
	}
	granted := func(n int32, changes ...func(*v1alpha1.AgentActionStatus)) *v1alpha1.AgentActionStatus {
		return waiting(append(changes, func(s *v1alpha1.AgentActionStatus) { s.Approval.Granted, s.RecordedApprovals = n, n })...)
	}
	board := func(s *v1alpha1.AgentActionStatus) { s.Approval.Stage = "board" }
	other := func(s *v1alpha1.AgentActionStatus) { s.PolicyRevision = "sha256:2" }
	tell("1", &v1alpha1.AgentActionStatus{}, granted(0), "RequestApproval")
	tell("2", granted(0), granted(1), "RecordApproval")
	tell("3", granted(1), granted(2), "RecordApproval")
	tell("4", granted(2), granted(2, other), "Evaluate")
	tell("5", granted(2, other), granted(0, other), "RequestApproval")
	tell("6", granted(2), granted(0, board), "RequestApproval")
	tell("7", granted(0, board), granted(0, board, func(s *v1alpha1.AgentActionStatus) { s.Approval.Escalated = true }), "Escalate")
	tell("8", granted(0, board), &v1alpha1.AgentActionStatus{Decision: v1alpha1.DecisionDenied, Message: "no"}, "Denied")
	if len(notes) != 6 {
		t.Errorf("%d series: %v", len(notes), notes)
	}
}

func TestShortenedTextFitsAndStaysText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "short", strings.Repeat("ä", 1000), strings.Repeat("x", 1023) + "€", strings.Repeat("😀", 600)} {
		note := shorten(text, maxEventNote)
		if len(note) > maxEventNote || !utf8.ValidString(note) {
			t.Errorf("%d bytes, valid %v: …%q", len(note), utf8.ValidString(note), note[max(0, len(note)-8):])
		}
		if len(text) <= maxEventNote && note != text {
			t.Errorf("%q became %q", text, note)
		}
	}
}
