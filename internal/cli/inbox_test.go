// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"maps"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
)

// waiting is a pending action of that name, changed.
func waiting(name string, change func(*v1alpha1.AgentAction)) *v1alpha1.AgentAction {
	action := pending()
	action.Name, action.UID = name, types.UID("uid-"+name)
	if change != nil {
		change(action)
	}
	return sealed(action)
}

// until sets the deadline.
func until(left time.Duration) func(*v1alpha1.AgentAction) {
	return func(a *v1alpha1.AgentAction) { a.Status.Approval.Deadline = micro(testNow.Add(left)) }
}

// pile is a cluster where much waits, for alice and for others.
func pile() *cluster {
	own := waiting("act-own", func(a *v1alpha1.AgentAction) { a.Spec.Requester.Username = "alice" })
	judged := waiting("act-judged", func(a *v1alpha1.AgentAction) {
		a.Status.Approval.Required, a.Status.Approval.Granted = 2, 1
		a.Spec.Approvals = []v1alpha1.Approval{{Verdict: v1alpha1.VerdictApprove, Approver: "alice", Stage: "approval", WorkflowRevision: "sha256:wwww"}}
	})
	managers := waiting("act-managers", func(a *v1alpha1.AgentAction) {
		a.Status.Approval.PendingApprovers = []string{"group:managers", "group:directors", "user:carol"}
	})
	anyone := waiting("act-anyone", func(a *v1alpha1.AgentAction) {
		a.Status.Approval.PendingApprovers, a.Status.Approval.Deadline = []string{actions.VerbApprove}, nil
	})
	urgent := waiting("act-urgent", func(a *v1alpha1.AgentAction) {
		until(4 * time.Minute)(a)
		a.Spec.AgentRef.Name, a.Spec.ActionType = "warehouse-robot-of-the-north", "financial.transfer"
		a.Spec.Parameters.Raw = []byte(`{"url": "https://bank.example.com/accounts/4711/transfers"}`)
		a.Status.Risk = &v1alpha1.RiskStatus{Score: "10.0", Level: v1alpha1.RiskLevelCritical}
		a.Status.DecidingRule = &v1alpha1.RuleReference{Namespace: "ascend-system", Name: "rule-transfers"}
		a.Labels = map[string]string{"app": "bank"}
	})
	suspicious := hostile()
	suspicious.Name, suspicious.UID = "act-hostile", "uid-hostile"
	elsewhere := waiting("act-elsewhere", until(time.Hour))
	elsewhere.Namespace = "payments"
	return &cluster{objects: []client.Object{
		own, judged, managers, anyone, urgent, sealed(suspicious), elsewhere,
		waiting("act-late", until(-time.Second)),
		waiting("act-withdrawn", func(a *v1alpha1.AgentAction) { a.Spec.Cancelled = true }),
		waiting("act-ghi789", nil),
		decided(newAction("act-done", "database_read", time.Hour), v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, "2.1", v1alpha1.RiskLevelLow),
		high(nil), tutorialAgent(nil),
	}}
}

func TestInbox(t *testing.T) {
	cases := map[string][]string{
		"mine":   {"ascend", "inbox"},
		"all":    {"ascend", "inbox", "--all"},
		"wide":   {"kubectl-ascend", "inbox", "-A", "-o", "wide"},
		"agent":  {"ascend", "inbox", "--agent-id", "warehouse-robot-of-the-north"},
		"labels": {"ascend", "inbox", "-l", "app=bank"},
	}
	for name, argv := range maps.Clone(cases) {
		for at, width := range widths {
			t.Run(name+"-"+at, func(t *testing.T) {
				r := desk{width: width}.play(t.Context(), t, pile(), argv...)
				checkGolden(t, r.transcript(argv))
				if name != "wide" {
					mustFit(t, r.out, width)
				}
			})
		}
	}
	for name, argv := range map[string][]string{
		"name":         {"ascend", "inbox", "-o", "name"},
		"jsonpath":     {"ascend", "inbox", "-A", "-o", `jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {.status.risk.score}{"\n"}{end}`},
		"json":         {"ascend", "inbox", "-o", "json", "-n", "payments"},
		"nothing-json": {"ascend", "inbox", "-o", "json", "-n", "nowhere"},
		"nothing":      {"ascend", "inbox", "-n", "nowhere"},
		"bad-selector": {"ascend", "inbox", "-l", "a=b=c"},
		"watch-json":   {"ascend", "inbox", "-w", "-o", "json"},
		"too-much":     {"ascend", "inbox", "act-1"},
	} {
		t.Run(name, func(t *testing.T) {
			checkGolden(t, desk{}.play(t.Context(), t, pile(), argv...).transcript(argv))
		})
	}
}

// Whoever nothing waits for is told who they are, and what waits for others.
func TestInboxOfOthers(t *testing.T) {
	for name, me := range map[string]*authenticationv1.UserInfo{
		"nobody":  {Username: "mallory\u202e"},
		"manager": {Username: "erin", Groups: []string{"managers", "system:authenticated"}},
		"account": {Username: "system:serviceaccount:ops:bot", Groups: []string{"system:serviceaccounts"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := pile()
			c.me = me
			argv := []string{"ascend", "inbox"}
			checkGolden(t, desk{}.play(t.Context(), t, c, argv...).transcript(argv))
		})
	}
}

// What is the user's own by way of its agent, or of a stage before, does not wait
// for them; unless the workflow allows it.
func TestInboxKnowsPolicy(t *testing.T) {
	managed := func(name string) *v1alpha1.AgentAction {
		return waiting(name, func(a *v1alpha1.AgentAction) {
			passes(a)
			a.Status.Approval.StageCount = 2
			a.Status.Approval.PendingApprovers = []string{"group:ascend-approvers"}
			a.Spec.Approvals = []v1alpha1.Approval{{Verdict: v1alpha1.VerdictApprove, Approver: "alice", Stage: "approval", WorkflowRevision: "sha256:wwww"}}
		})
	}
	yes, no := true, false
	twoStages := func(distinct *bool) func(*v1alpha1.ApprovalWorkflowSpec) {
		return func(w *v1alpha1.ApprovalWorkflowSpec) {
			w.Stages = append(w.Stages, v1alpha1.Stage{Name: "managers"})
			w.DistinctApprovers = distinct
		}
	}
	owned := func(spec *v1alpha1.AgentSpec) { spec.Owner = "Alice" }
	allowed := func(w *v1alpha1.ApprovalWorkflowSpec) { w.AllowSelfApproval = true }
	for name, tc := range map[string]struct {
		action   *v1alpha1.AgentAction
		workflow func(*v1alpha1.ApprovalWorkflowSpec)
		agent    func(*v1alpha1.AgentSpec)
		waits    bool
	}{
		"nothing known":  {waiting("act-1", nil), nil, nil, true},
		"owner":          {waiting("act-1", nil), nil, owned, false},
		"owner, allowed": {waiting("act-1", nil), allowed, owned, true},
		"subject": {waiting("act-1", nil), nil, func(spec *v1alpha1.AgentSpec) {
			spec.Subjects[0] = v1alpha1.Subject{Kind: v1alpha1.SubjectUser, Name: "alice"}
		}, false},
		"group of subjects": {waiting("act-1", nil), nil, func(spec *v1alpha1.AgentSpec) {
			spec.Subjects[0] = v1alpha1.Subject{Kind: v1alpha1.SubjectGroup, Name: "ascend-approvers"}
		}, false},
		"stage before":   {managed("act-1"), twoStages(nil), nil, false},
		"distinct":       {managed("act-1"), twoStages(&yes), nil, false},
		"not distinct":   {managed("act-1"), twoStages(&no), nil, true},
		"unknown stages": {managed("act-1"), nil, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := &cluster{objects: []client.Object{tc.action, high(tc.workflow), tutorialAgent(tc.agent)}}
			r := desk{}.play(t.Context(), t, c, "ascend", "inbox", "-o", "name")
			want := ""
			if tc.waits {
				want = "agentaction.governance.ascendowkai.com/act-1\n"
			}
			if r.out != want {
				t.Errorf("the inbox has %q, want %q\n%s", r.out, want, r.errOut)
			}
		})
	}
}
