// SPDX-License-Identifier: Apache-2.0

package approval_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
)

func TestChangedWorkflowsBeginANewRound(t *testing.T) {
	before := ask(chain(sound(t, "shop", "w", twoPeople)))
	after := ask(chain(sound(t, "shop", "w", "displayName: edited\n"+twoPeople)))
	given := before.yes("alice", "review", minute)
	half := before.at(2*minute, given)

	restarted := after.with(10*minute, &half.Status, given)
	if restarted.Result != approval.Waiting || restarted.Status.Granted != 0 ||
		!restarted.Status.RequestedAt.Time.Equal(noon.Add(10*minute)) || !restarted.Status.Deadline.Time.Equal(noon.Add(70*minute)) {
		t.Fatalf("the approval is not void, or the time does not run anew: %+v", restarted.Status)
	}
	if !strings.Contains(reasonFor(restarted, "alice"), "under other workflows") {
		t.Errorf("%v", restarted.Status.Uncounted)
	}
	const id = "review@2026-01-02T12:10:00.000000Z"
	if restarted.Status.Stage != id {
		t.Fatalf("the stage %q cannot be approved again by alice, whose entry for it is used up", restarted.Status.Stage)
	}
	if diff := cmp.Diff([]string{"user:alice", "user:bob", "user:carol"}, restarted.Status.PendingApprovers); diff != "" {
		t.Error(diff)
	}

	again := after.yes("alice", id, 11*minute)
	got := after.with(12*minute, &restarted.Status, given, again)
	if got.Status.Granted != 1 || got.Status.Stage != id {
		t.Fatalf("%+v", got.Status)
	}
	if diff := cmp.Diff([]string{"user:bob", "user:carol"}, got.Status.PendingApprovers); diff != "" {
		t.Error(diff)
	}
	for _, stage := range []string{"review", id} {
		got := after.with(13*minute, &got.Status, given, again, after.yes("bob", stage, 13*minute))
		if got.Result != approval.Granted {
			t.Errorf("under %s: %s %v", stage, got.Message, got.Status.Uncounted)
		}
	}

	t.Run("also when the old workflows come back", func(t *testing.T) {
		back := before.with(20*minute, &got.Status, given, again)
		if back.Status.Granted != 0 || !strings.Contains(reasonFor(back, "alice"), "before approval was asked for") {
			t.Errorf("%+v", back.Status)
		}
		if want := "review@2026-01-02T12:20:00.000000Z"; back.Status.Stage != want {
			t.Errorf("stage %q, want %q", back.Status.Stage, want)
		}
	})
}

func TestWhoHasOverriddenCanDoSoAgainInANewRound(t *testing.T) {
	const breakGlass = twoPeople + "emergencyOverride: {approvers: {users: [fred]}, required: 1}\n"
	before := ask(chain(sound(t, "shop", "w", breakGlass)))
	after := ask(chain(sound(t, "shop", "w", "displayName: edited\n"+breakGlass)))
	void := comment("fire", before.override("fred", minute))

	restarted := after.with(10*minute, nil, void)
	if restarted.Result != approval.Waiting {
		t.Fatal(restarted.Message)
	}
	again := comment("still fire", after.say(v1alpha1.VerdictOverride, "fred", v1alpha1.OverrideStage+"@2026-01-02T12:10:00.000000Z", 11*minute))
	if got := after.with(12*minute, &restarted.Status, void, again); got.Result != approval.Granted || !got.Overridden {
		t.Errorf("%s %v", got.Message, got.Status.Uncounted)
	}
	other := comment("still fire", after.say(v1alpha1.VerdictOverride, "fred", v1alpha1.OverrideStage+"@2026-01-02T09:00:00.000000Z", 11*minute))
	if got := after.with(12*minute, &restarted.Status, void, other); got.Result != approval.Waiting {
		t.Errorf("an override of another round counts: %s", got.Message)
	}
}

func TestWhatStatusPromisedIsKept(t *testing.T) {
	r := ask(chain(sound(t, "shop", "w", `
stages:
- {name: first, approvers: {users: [alice]}, timeout: 30m}
- {name: second, approvers: {users: [bob]}, timeout: 30m}
timeout: 1h
`)))
	first := r.chain.Evaluate(approval.Input{Now: noon, Digest: asked, Parties: parties})
	for name, shift := range map[string]time.Duration{"back an hour": -time.Hour, "on by 20 minutes": 20 * minute} {
		t.Run("when the clock is set "+name, func(t *testing.T) {
			got := r.with(shift, &first.Status)
			if got.Result != approval.Waiting {
				t.Fatal(got.Message)
			}
			if diff := cmp.Diff(first.Status, got.Status); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("when an earlier stamp turns up late", func(t *testing.T) {
		second := r.with(10*minute, &first.Status, r.yes("alice", "first", 10*minute))
		got := r.with(11*minute, &second.Status, r.yes("alice", "first", 9*minute))
		if !got.Status.Deadline.Equal(second.Status.Deadline) || !got.Status.StageStartedAt.Equal(second.Status.StageStartedAt) {
			t.Errorf("%v %v", got.Status.Deadline, second.Status.Deadline)
		}
	})
	t.Run("but not a start before the round", func(t *testing.T) {
		odd := first.Status.DeepCopy()
		odd.StageStartedAt = &metav1.MicroTime{Time: noon.Add(-time.Hour)}
		if got := r.with(minute, odd); !got.Status.StageStartedAt.Time.Equal(noon) {
			t.Errorf("%v", got.Status.StageStartedAt)
		}
	})
	t.Run("nor anything of another revision", func(t *testing.T) {
		odd := first.Status.DeepCopy()
		odd.Revision = "sha256:00"
		if got := r.with(5*minute, odd); !got.Status.RequestedAt.Time.Equal(noon.Add(5 * minute)) {
			t.Errorf("%v", got.Status.RequestedAt)
		}
	})
	t.Run("times are whole microseconds in UTC, as the API keeps them", func(t *testing.T) {
		zone := time.FixedZone("east", 3600)
		got := r.chain.Evaluate(approval.Input{Now: noon.Add(1234).In(zone), Digest: asked, Parties: parties})
		if at := got.Status.RequestedAt.Time; at.Nanosecond() != 1000 || at.Location() != time.UTC {
			t.Errorf("%v", at)
		}
	})
}

func TestSeveralWorkflows(t *testing.T) {
	global := sound(t, v1alpha1.GlobalNamespace, "base", `
stages: [{name: review, approvers: {users: [alice]}}]
timeout: 3h
onTimeout: Denied
approvalValidity: 2h`)
	local := sound(t, "shop", "own", `
stages: [{name: review, approvers: {users: [alice, bob]}}, {name: last, approvers: {users: [bob]}}]
timeout: 2h
approvalValidity: 30m`)
	r := ask(chain(local, global, local))

	if diff := cmp.Diff([]string{"ascend-system/base/review", "shop/own/review", "last"}, r.chain.Stages()); diff != "" {
		t.Fatal(diff)
	}
	got := r.at(minute)
	if got.Status.StageCount != 3 || got.ValidFor != 30*minute || got.DecidingWorkflow.Name != "base" ||
		!got.Status.Deadline.Time.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("%+v", got)
	}
	if got := r.at(2 * time.Hour); got.Result != approval.TimedOut || got.OnTimeout != v1alpha1.OnTimeoutTimedOut || got.DecidingWorkflow.Name != "own" {
		t.Errorf("the earlier deadline of a later workflow: %s %s %v", got.Result, got.OnTimeout, got.DecidingWorkflow)
	}
	t.Run("a name that two stages have is the id of neither", func(t *testing.T) {
		got := r.at(2*minute, r.yes("alice", "review", minute))
		if !strings.Contains(reasonFor(got, "alice"), `no stage "review"`) {
			t.Errorf("%v", got.Status.Uncounted)
		}
	})
	t.Run("the same person may count in different workflows", func(t *testing.T) {
		got := r.at(9*minute, r.yes("alice", "ascend-system/base/review", 1), r.yes("alice", "shop/own/review", 2), r.yes("bob", "last", 3))
		if got.Result != approval.Granted || got.Message != "approved by alice, bob" || got.DecidingWorkflow.Name != "own" {
			t.Error(got.Message)
		}
		if got.Status.Stage != "" || got.Status.StageIndex != 3 || got.OnTimeout != "" || got.Status.Deadline != nil {
			t.Errorf("%+v", got.Status)
		}
	})
	t.Run("at a common deadline the policy that denies wins", func(t *testing.T) {
		deny := sound(t, "shop", "strict", "onTimeout: Denied\n"+strings.ReplaceAll(onePerson, "review", "other"))
		soft := sound(t, "shop", "a", onePerson)
		if got := ask(chain(soft, deny)).at(time.Hour); got.OnTimeout != v1alpha1.OnTimeoutDenied || got.DecidingWorkflow.Name != "strict" {
			t.Errorf("%s %v", got.OnTimeout, got.DecidingWorkflow)
		}
	})
}

func TestMissingWorkflow(t *testing.T) {
	key := approval.Key{Namespace: "shop", Name: "gone"}
	r := ask(chain(approval.Missing(key)))
	got := r.at(minute)
	if diff := cmp.Diff([]string{approval.VerbApprove}, got.Status.PendingApprovers); diff != "" {
		t.Error(diff)
	}
	if want := "waiting for 1 approval in stage approval from anyone who holds the verb approve on approvalworkflows shop/gone; deadline 2026-01-03T12:00:00Z"; got.Message != want {
		t.Errorf("%q", got.Message)
	}
	if diff := cmp.Diff([]approval.Key{key}, r.chain.MissingWorkflows()); diff != "" {
		t.Error(diff)
	}
	entry := r.yes("zoe", "approval", minute)
	if got := r.at(minute, entry); got.Result != approval.Waiting {
		t.Error("who was not let pass by the verb counted")
	}
	if got := r.at(minute, as(approval.VerbApprove, entry)); got.Result != approval.Granted {
		t.Error(got.Message)
	}
	entry.Approver = parties.Requester
	if got := r.at(minute, as(approval.VerbApprove, entry)); got.Result != approval.Waiting {
		t.Error("the requester counted")
	}

	t.Run("no workflow at all is reported as none", func(t *testing.T) {
		c := chain(approval.Missing(approval.Key{}))
		got := ask(c).at(minute)
		if got.Status.Workflows != nil || c.MissingWorkflows() != nil || !strings.Contains(got.Message, "the verb approve on approvalworkflows;") {
			t.Errorf("%+v", got)
		}
		if timedOut := ask(c).at(25 * time.Hour); !strings.Contains(timedOut.Message, "of workflow (none)") {
			t.Error(timedOut.Message)
		}
	})
	t.Run("an empty chain is not granted", func(t *testing.T) {
		for name, c := range map[string]approval.Chain{"zero": {}, "made": chain()} {
			if got := ask(c).at(minute); !c.Empty() || got.Result != approval.Waiting || c.ValidFor() != time.Hour {
				t.Errorf("%s: %+v", name, got)
			}
		}
	})
}

func TestMessages(t *testing.T) {
	two := ask(chain(sound(t, "shop", "w", `
stages: [{name: security-review, required: 2, approvers: {groups: [security]}}]
timeout: 3h
`)))
	stranger := two
	stranger.parties.Requester = " "
	many := ask(chain(sound(t, "shop", "w", `
stages: [{name: review, approvers: {users: [a, b, c, d, e, f, "line\nbreak"]}}]
`)))
	barredOnly := ask(chain(sound(t, "shop", "w", `
stages: [{name: review, required: 2, approvers: {users: [alice, mallory]}}]
`)))
	broken := ask(chain(workflow(t, "shop", "w", `{}`)))
	subjects := ask(chain(sound(t, "shop", "w", `stages: [{name: review, approvers: {groups: [bot-makers]}}]`)))
	rescued := ask(chain(sound(t, "shop", "w", `
stages: [{name: review, required: 2, approvers: {users: [alice, mallory]}, escalation: {after: 1h, approvers: {users: [boss]}}}]
`)))
	cases := map[string]struct{ got, want string }{
		"what is still missing, of whom, and until when": {
			two.at(minute, as("group:security", two.yes("alice", "security-review", minute))).Message,
			"waiting for 1 of 2 approvals in stage security-review from group:security; deadline 2026-01-02T15:00:00Z",
		},
		"that nobody is barred as the requester": {
			stranger.at(minute).Message,
			"waiting for 2 of 2 approvals in stage security-review from group:security; deadline 2026-01-02T15:00:00Z" +
				"; the requester is not known, so nobody is barred from approving as the requester",
		},
		"the first of many, made readable": {
			many.at(minute).Message,
			"waiting for 1 approval in stage review from user:a, user:b, user:c, user:d, user:e and 2 more; deadline 2026-01-03T12:00:00Z",
		},
		"that nobody can satisfy a stage": {
			barredOnly.at(minute).Message,
			"waiting for 2 of 2 approvals in stage review from user:alice; deadline 2026-01-03T12:00:00Z" +
				"; this cannot be reached, for only 1 more can approve: name more approvers in workflow shop/w",
		},
		"that a group of subjects cannot satisfy a stage": {
			subjects.at(minute).Message,
			"waiting for 1 approval in stage review; deadline 2026-01-03T12:00:00Z" +
				"; this cannot be reached, for only 0 more can approve: name more approvers in workflow shop/w",
		},
		"no such thing where the escalation will help": {
			rescued.at(minute).Message,
			"waiting for 2 of 2 approvals in stage review from user:alice; escalates at 2026-01-02T13:00:00Z; deadline 2026-01-03T12:00:00Z",
		},
		"what is wrong with the workflow": {
			broken.at(minute).Message,
			"waiting for 1 approval in stage approval from anyone who holds the verb approve on approvalworkflows shop/w; deadline 2026-01-03T12:00:00Z" +
				"; workflow shop/w has errors: spec.stages: Required value: give either autoApprove: true or 1 to 5 stages",
		},
		"how many were missing at the deadline": {
			two.at(3 * time.Hour).Message,
			"nobody decided in time: stage security-review lacked 2 of 2 approvals at the deadline 2026-01-02T15:00:00Z of workflow shop/w",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.got != tc.want {
				t.Errorf("\n got %q\nwant %q", tc.got, tc.want)
			}
		})
	}
}

func TestBarredByAllThatIsKnown(t *testing.T) {
	with := func(p approval.Parties) round {
		return round{chain(sound(t, "shop", "w", `stages: [{name: review, approvers: {users: [alice, "system:anonymous", "system:serviceaccount:lab:x"], groups: [odd]}}]`)), p}
	}
	subject := func(kind v1alpha1.SubjectKind, name v1alpha1.UserName) approval.Parties {
		return approval.Parties{Requester: "r", AgentNamespace: "lab", Subjects: []v1alpha1.Subject{{Kind: kind, Name: name}}}
	}
	cases := map[string]struct {
		parties approval.Parties
		who, as string
		want    approval.Result
	}{
		"the requester's uid under another name":       {approval.Parties{Requester: "r", RequesterUID: "7"}, "alice", "", approval.Waiting},
		"a ServiceAccount in a group of its namespace": {subject(v1alpha1.SubjectGroup, "system:serviceaccounts:lab"), "system:serviceaccount:lab:x", "", approval.Waiting},
		"a ServiceAccount in the group of all":         {subject(v1alpha1.SubjectGroup, "system:serviceaccounts"), "system:serviceaccount:lab:x", "", approval.Waiting},
		"another namespace's group":                    {subject(v1alpha1.SubjectGroup, "system:serviceaccounts:shop"), "system:serviceaccount:lab:x", "", approval.Granted},
		"a user where everybody may submit":            {subject(v1alpha1.SubjectGroup, "system:authenticated"), "alice", "", approval.Waiting},
		"nobody in particular where all others may":    {subject(v1alpha1.SubjectGroup, "system:authenticated"), "system:anonymous", "", approval.Granted},
		"a ServiceAccount as subject by user name":     {subject(v1alpha1.SubjectUser, "system:serviceaccount:lab:x"), "system:serviceaccount:lab:x", "", approval.Waiting},
		"a ServiceAccount in the agent's namespace":    {subject(v1alpha1.SubjectServiceAccount, "x"), "system:serviceaccount:lab:x", "", approval.Waiting},
		"a kind nobody knows, meant as a user":         {subject("Robot", "alice"), "alice", "", approval.Waiting},
		"a kind nobody knows, meant as an account":     {subject("Robot", "x"), "system:serviceaccount:lab:x", "", approval.Waiting},
		"a kind nobody knows, meant as a group":        {subject("Robot", "odd"), "zoe", "group:odd", approval.Waiting},
		"a subject without a name bars nobody":         {subject(v1alpha1.SubjectUser, ""), "alice", "", approval.Granted},
		"sharing a group with the requester":           {approval.Parties{Requester: "r"}, "zoe", "group:odd", approval.Granted},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := with(tc.parties)
			entry := as(tc.as, r.yes(tc.who, "review", minute))
			entry.UID = "7"
			if got := r.at(minute, entry); got.Result != tc.want {
				t.Errorf("%s: %v", got.Result, got.Status.Uncounted)
			}
		})
	}
}

func TestStatusStaysWithinTheSchema(t *testing.T) {
	var users, accounts []string
	for i := range 70 { // the schema takes 64
		users = append(users, fmt.Sprintf("u%02d", i))
		accounts = append(accounts, fmt.Sprintf("{namespace: n, name: a%02d}", i))
	}
	set := func(prefix string) string {
		list := prefix + strings.Join(users, ", "+prefix)
		return fmt.Sprintf("{users: [%s], groups: [%s], serviceAccounts: [%s]}", list, list,
			strings.ReplaceAll(strings.Join(accounts, ", "), "name: ", "name: "+prefix))
	}
	var workflows []*approval.Workflow
	for i := range 70 {
		workflows = append(workflows, sound(t, "shop", fmt.Sprintf("w%02d", i), fmt.Sprintf(
			"stages: [{name: s, approvers: %s, escalation: {after: 1m, approvers: %s}}]", set("x"), set("y"))))
	}
	r := ask(chain(workflows...))
	var entries []v1alpha1.Approval
	for i := range 100 {
		entries = append(entries, r.yes(fmt.Sprintf("%s%d", strings.Repeat("é", 300), i), strings.Repeat("s", 300), 1))
	}
	s := r.at(2*minute, entries...).Status
	if len(s.Workflows) != 64 || len(s.PendingApprovers) != 400 || len(s.Uncounted) != 64 {
		t.Errorf("%d workflows, %d pending, %d uncounted", len(s.Workflows), len(s.PendingApprovers), len(s.Uncounted))
	}
	for _, u := range s.Uncounted {
		if len([]rune(u.Approver)) > 256 || len([]rune(u.Stage)) > 256 || len([]rune(u.Reason)) > 512 {
			t.Fatalf("too long: %d %d %d", len(u.Approver), len(u.Stage), len(u.Reason))
		}
	}
}
