// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"reflect"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/policy"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/voucher"
)

// asked is a transition of an action on which alice and bob have given verdicts.
func asked(before, after *v1alpha1.AgentActionStatus, changes ...func(*transition)) transition {
	given := metav1.NewMicroTime(submittedAt.Add(time.Minute))
	admitted := metav1.NewMicroTime(submittedAt)
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: "act-1", UID: "u1", ResourceVersion: "17", CreationTimestamp: metav1.NewTime(submittedAt.Add(time.Second)),
	}}
	action.Spec.Approvals = []v1alpha1.Approval{
		{Approver: "alice", As: "group:dba", Stage: "review", Verdict: v1alpha1.VerdictApprove, Comment: "fine", Time: &given, WorkflowRevision: "sha256:a"},
		{Approver: "bob", Stage: "review", Verdict: v1alpha1.VerdictDeny, WorkflowRevision: "sha256:a"},
	}
	requester := v1alpha1.Requester{Username: "system:serviceaccount:shop:bot", AdmittedAt: &admitted}
	t := transition{
		action: action, before: before, after: after,
		vouched: voucher.Vouched{Requester: requester, Approvals: action.Spec.Approvals},
		request: &request.Request{Agent: "bot", ActionType: "database_write", Resource: "customers", Requester: requester, Approvals: action.Spec.Approvals},
	}
	for _, change := range changes {
		change(&t)
	}
	return t
}

func TestTheRecordsOfAFirstLook(t *testing.T) {
	t.Parallel()
	due := metav1.NewMicroTime(submittedAt.Add(time.Hour))
	status := waiting(func(s *v1alpha1.AgentActionStatus) {
		s.Reason, s.Message, s.SpecDigest = v1alpha1.ReasonApprovalRequired, "ask first", "sha256:d"
		s.Risk = &v1alpha1.RiskStatus{Score: "7.2", Level: v1alpha1.RiskLevelHigh, CVSSVector: "CVSS:3.1/AV:N"}
		s.DecidingRule = &v1alpha1.RuleReference{Namespace: "shop", Name: "r"}
		s.MatchedRules = []v1alpha1.MatchedRule{{RuleReference: *s.DecidingRule, Effect: v1alpha1.EffectRequireApproval, Mode: v1alpha1.RuleEnforce}}
		s.Approval.Workflows = []v1alpha1.ObjectReference{{Namespace: "shop", Name: "people"}}
		s.Approval.Deadline, s.Approval.PendingApprovers = &due, []string{"group:dba"}
	})
	now := submittedAt.Add(2 * time.Second)
	got := asked(&v1alpha1.AgentActionStatus{}, status).records(now)
	if len(got) != 3 {
		t.Fatalf("records: %+v", got)
	}
	requester := "system:serviceaccount:shop:bot"
	same := audit.Record{Time: now, Namespace: "shop", Name: "act-1", UID: "u1", ResourceVersion: "17", Agent: "bot", Requester: requester,
		ActionType: "database_write", Resource: "customers", SpecDigest: "sha256:d"}
	submitted := same
	submitted.Event, submitted.Actor, submitted.Message = v1alpha1.EventActionSubmitted, requester, "admitted at 2026-11-22T12:00:00Z, stored at 2026-11-22T12:00:01Z"
	evaluated := same
	evaluated.Event, evaluated.RiskScore, evaluated.RiskLevel, evaluated.CVSSVector = audit.EventEvaluated, "7.2", v1alpha1.RiskLevelHigh, "CVSS:3.1/AV:N"
	evaluated.MatchedRules, evaluated.DecidingRule = []string{"shop/r RequireApproval Enforce"}, "shop/r"
	evaluated.Workflows, evaluated.ApprovalRevision, evaluated.PolicyRevision = []string{"shop/people"}, "sha256:a", "sha256:1"
	pending := evaluated
	pending.Event, pending.Decision, pending.Reason, pending.Message = v1alpha1.EventActionPending, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, "ask first"
	pending.Stage, pending.Required, pending.PendingApprovers, pending.Deadline = "review", 2, []string{"group:dba"}, &due.Time
	pending.Request, pending.Approvals = got[2].Request, got[2].Approvals
	for i, want := range []audit.Record{submitted, evaluated, pending} {
		if !reflect.DeepEqual(got[i], want) {
			t.Errorf("record %d: %+v\nwant %+v", i+1, got[i], want)
		}
	}
	if got[2].Request == nil {
		t.Error("the record of the decision has no request")
	}
}

func TestTheRecordOfASubmissionSaysWhoVouches(t *testing.T) {
	t.Parallel()
	denied := &v1alpha1.AgentActionStatus{Decision: v1alpha1.DecisionDenied}
	for name, c := range map[string]struct {
		change         func(*transition)
		actor, message string
	}{
		"admission": {func(*transition) {}, "system:serviceaccount:shop:bot", "admitted at 2026-11-22T12:00:00Z, stored at 2026-11-22T12:00:01Z"},
		"somebody":  {func(c *transition) { c.request.Requester.AdmittedAt = nil }, "system:serviceaccount:shop:bot", "stored at 2026-11-22T12:00:01Z"},
		"nobody": {func(c *transition) {
			c.vouched, c.request.Requester = voucher.Vouched{Refusal: "no seal"}, v1alpha1.Requester{}
		}, "",
			"stored at 2026-11-22T12:00:01Z; nobody vouches for who submitted it"},
	} {
		got := asked(&v1alpha1.AgentActionStatus{}, denied, c.change).records(submittedAt)
		if got[0].Event != v1alpha1.EventActionSubmitted || got[0].Actor != c.actor || got[0].Message != c.message {
			t.Errorf("%s: %+v", name, got[0])
		}
	}
}

// Each verdict has one record, with who gave it where somebody vouches for that,
// and with the reason where it does not count.
func TestTheRecordsOfVerdicts(t *testing.T) {
	t.Parallel()
	both := func(s *v1alpha1.AgentActionStatus) { s.RecordedApprovals = 2 }
	for name, c := range map[string]struct {
		before, after *v1alpha1.AgentActionStatus
		change        func(*transition)
		actors        []string
		uncounted     []string
	}{
		"both count": {waiting(), waiting(both), nil, []string{"alice", "bob"}, []string{"", ""}},
		"one is told already": {waiting(func(s *v1alpha1.AgentActionStatus) { s.RecordedApprovals = 1 }), waiting(both), nil,
			[]string{"bob"}, []string{""}},
		"one does not count": {waiting(), waiting(both, func(s *v1alpha1.AgentActionStatus) {
			s.Approval.Uncounted = []v1alpha1.UncountedApproval{{Approver: "bob", Stage: "board", Reason: "another"}, {Approver: "bob", Stage: "review", Reason: "too late"}}
		}), nil, []string{"alice", "bob"}, []string{"", "too late"}},
		"one is forged": {waiting(), waiting(both), func(c *transition) {
			c.vouched.Forged = []v1alpha1.UncountedApproval{{Approver: "alice", Stage: "review", Reason: "no seal"}}
		}, []string{"", "bob"}, []string{"no seal", ""}},
		"one is held": {waiting(), waiting(both), func(c *transition) { c.vouched.Approvals = c.vouched.Approvals[:1] },
			[]string{"alice", "bob"}, []string{"", "it is held until admission is enforced"}},
		"it was withdrawn": {waiting(), waiting(both, func(s *v1alpha1.AgentActionStatus) { s.Decision = v1alpha1.DecisionCancelled }), nil,
			[]string{"alice", "bob"}, slices.Repeat([]string{"the action was withdrawn before it was counted"}, 2)},
		"a rule denies": {waiting(), waiting(both, func(s *v1alpha1.AgentActionStatus) { s.Decision, s.Approval = v1alpha1.DecisionDenied, nil }), nil,
			[]string{"alice", "bob"}, slices.Repeat([]string{"policy decided without asking people"}, 2)},
		"nobody knows who asks": {&v1alpha1.AgentActionStatus{}, waiting(both, func(s *v1alpha1.AgentActionStatus) { s.Decision = v1alpha1.DecisionDenied }),
			func(c *transition) { c.vouched = voucher.Vouched{Refusal: "no seal"} }, []string{"", ""}, slices.Repeat([]string{"nobody vouches for who submitted the action"}, 2)},
	} {
		change := asked(c.before, c.after)
		if c.change != nil {
			c.change(&change)
		}
		var actors, uncounted []string
		for _, r := range change.records(submittedAt) {
			if r.Event == audit.EventApprovalRecorded {
				actors, uncounted = append(actors, r.Actor), append(uncounted, r.Approval.Uncounted)
			}
			if (r.Approval != nil) != (r.Event == audit.EventApprovalRecorded) {
				t.Errorf("%s: %s has the verdict %+v", name, r.Event, r.Approval)
			}
		}
		if !slices.Equal(actors, c.actors) || !slices.Equal(uncounted, c.uncounted) {
			t.Errorf("%s: by %q, uncounted %q", name, actors, uncounted)
		}
	}
	at := submittedAt.Add(time.Minute)
	got := asked(waiting(), waiting(both)).records(submittedAt)[0]
	want := audit.Approval{Approver: "alice", As: "group:dba", Stage: "review", Verdict: v1alpha1.VerdictApprove, Comment: "fine", Time: &at}
	if !reflect.DeepEqual(*got.Approval, want) || got.ApprovalRevision != "sha256:a" || got.Decision != v1alpha1.DecisionPending {
		t.Errorf("record %+v of %+v", got, got.Approval)
	}
}

func TestAnOverrideIsMarked(t *testing.T) {
	t.Parallel()
	after := waiting(func(s *v1alpha1.AgentActionStatus) {
		s.Decision, s.Reason, s.RecordedApprovals = v1alpha1.DecisionApproved, v1alpha1.ReasonEmergencyOverride, 2
	})
	got := asked(waiting(func(s *v1alpha1.AgentActionStatus) { s.RecordedApprovals = 1 }), after).records(submittedAt)
	var glass []v1alpha1.EventType
	for _, r := range got {
		if r.BreakGlass {
			glass = append(glass, r.Event)
		}
	}
	if !slices.Equal(glass, []v1alpha1.EventType{audit.EventOverridden, v1alpha1.EventActionApproved}) || len(got) != 3 {
		t.Errorf("marked: %v of %d", glass, len(got))
	}
}

// The controls are those of the enforced rules that matched, in the policy they matched in.
func TestControls(t *testing.T) {
	t.Parallel()
	store, err := policy.NewStore()
	if err != nil {
		t.Fatal(err)
	}
	for name, controls := range map[string][]v1alpha1.Control{"one": {"SOC2:CC6.1", "NIST-800-53:AC-6"}, "two": {"NIST-800-53:AC-6", "HIPAA:164.312"}, "bare": nil, "tried": {"PCI-DSS:7"}} {
		rule := &v1alpha1.SmartRule{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: "u", Generation: 1}}
		rule.Spec.Effect, rule.Spec.Controls = v1alpha1.EffectDeny, controls
		store.SetRule(rule)
	}
	matched := func(mode v1alpha1.RuleMode, names ...string) (all []v1alpha1.MatchedRule) {
		for _, name := range names {
			all = append(all, v1alpha1.MatchedRule{RuleReference: v1alpha1.RuleReference{Namespace: "shop", Name: v1alpha1.ObjectName(name)}, Mode: mode})
		}
		return all
	}
	for name, c := range map[string]struct {
		matched []v1alpha1.MatchedRule
		want    []string
	}{
		"none":       {nil, nil},
		"no control": {matched(v1alpha1.RuleEnforce, "bare", "gone"), nil},
		"tried only": {matched(v1alpha1.RuleAudit, "tried"), nil},
		"several":    {append(matched(v1alpha1.RuleEnforce, "two", "bare", "one"), matched(v1alpha1.RuleAudit, "tried")...), []string{"HIPAA:164.312", "NIST-800-53:AC-6", "SOC2:CC6.1"}},
	} {
		if got := controlsOf(store.Snapshot(), c.matched); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := controlsOf(nil, matched(v1alpha1.RuleEnforce, "one")); got != nil {
		t.Errorf("without policy: %q", got)
	}
}
