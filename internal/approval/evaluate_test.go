// SPDX-License-Identifier: Apache-2.0

package approval_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
)

const minute = time.Minute

func TestWhoCounts(t *testing.T) {
	const accounts = `
stages: [{name: review, approvers: {users: ["system:serviceaccount:ops:gate"], groups: [security, bot-makers], serviceAccounts: [{namespace: ops, name: robot}]}}]
`
	named := ask(chain(sound(t, "shop", "named", accounts+"timeout: 1h\n")))
	self := ask(chain(sound(t, "shop", "self", `
allowSelfApproval: true
stages: [{name: review, approvers: {users: [mallory, data-team@example.com], groups: [bot-makers], serviceAccounts: [{namespace: shop, name: bot}]}}]
`)))
	users := ask(chain(sound(t, "shop", "users", `
stages: [{name: review, approvers: {users: [alice, Mallory, Data-Team@Example.com, "system:serviceaccount:shop:bot"], groups: [security]}}]
`)))
	remarks := ask(chain(sound(t, "shop", "remarks", "requireComment: true\n"+onePerson)))
	const robot, gate, bot = "system:serviceaccount:ops:robot", "system:serviceaccount:ops:gate", "system:serviceaccount:shop:bot"

	cases := map[string]struct {
		round  round
		entry  v1alpha1.Approval
		reason string // part of it; "" counts
	}{
		"a user named as such":                        {users, users.yes("alice", "review", minute), ""},
		"a user as that entry":                        {users, as("user:alice", users.yes("alice", "review", minute)), ""},
		"somebody else as that entry":                 {users, as("user:alice", users.yes("bob", "review", minute)), "not an approver"},
		"a user in another spelling":                  {users, users.yes("Alice", "review", minute), "not an approver"},
		"a member of a group, by its label":           {named, as("group:security", named.yes("bob", "review", minute)), ""},
		"a member of a group, without its label":      {named, named.yes("bob", "review", minute), "not an approver"},
		"a member of a group that is not asked":       {named, as("group:interns", named.yes("bob", "review", minute)), `bob as "group:interns" is not an approver of stage review`},
		"the name of a group as a user's":             {named, named.yes("security", "review", minute), "not an approver"},
		"a ServiceAccount by its user name":           {named, named.yes(robot, "review", minute), ""},
		"a ServiceAccount by its label":               {named, as("serviceaccount:ops/robot", named.yes(robot, "review", minute)), ""},
		"a ServiceAccount of another namespace":       {named, named.yes("system:serviceaccount:shop:robot", "review", minute), "not an approver"},
		"a user under a ServiceAccount's label":       {named, as("serviceaccount:ops/robot", named.yes("robot", "review", minute)), "not an approver"},
		"a ServiceAccount listed among the users":     {named, named.yes(gate, "review", minute), ""},
		"the requester":                               {users, users.yes(bot, "review", minute), "submitted this action"},
		"the requester through a group":               {users, as("group:security", users.yes(bot, "review", minute)), "submitted this action"},
		"a subject of the agent":                      {users, users.yes("Mallory", "review", minute), "may submit actions as this agent"},
		"a subject of the agent through a group":      {users, as("group:security", users.yes("mallory", "review", minute)), "may submit actions as this agent"},
		"the owner of the agent, in another spelling": {users, users.yes("Data-Team@Example.com", "review", minute), "owns this agent"},
		"a member of a group that may submit":         {named, as("group:bot-makers", named.yes("eve", "review", minute)), "belongs to a group that may submit"},
		"the requester, where that is allowed":        {self, self.yes(bot, "review", minute), ""},
		"the owner, where that is allowed":            {self, self.yes("data-team@example.com", "review", minute), ""},
		"a subject group, where that is allowed":      {self, as("group:bot-makers", self.yes("eve", "review", minute)), ""},
		"who is not named, where self is allowed":     {self, self.yes("eve", "review", minute), "not an approver"},
		"a comment where one is asked for":            {remarks, comment("checked the backup", remarks.yes("alice", "review", minute)), ""},
		"no comment where one is asked for":           {remarks, remarks.yes("alice", "review", minute), "asks for a comment"},
		"blanks for a comment":                        {remarks, comment(" \n\t", remarks.yes("alice", "review", minute)), "asks for a comment"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := tc.round.at(2*minute, tc.entry)
			want := approval.Granted
			if tc.reason != "" {
				want = approval.Waiting
			}
			if got.Result != want {
				t.Errorf("result %s, want %s: %s", got.Result, want, got.Message)
			}
			if reason := reasonFor(got, tc.entry.Approver); (tc.reason == "") != (reason == "") || !strings.Contains(reason, tc.reason) {
				t.Errorf("reason %q, want %q in it", reason, tc.reason)
			}
		})
	}
}

func TestStampsBindAVerdict(t *testing.T) {
	r := ask(chain(sound(t, "shop", "one", onePerson)))
	spoil := func(how func(*v1alpha1.Approval)) v1alpha1.Approval {
		a := r.yes("alice", "review", minute)
		how(&a)
		return a
	}
	cases := map[string]struct {
		entry  v1alpha1.Approval
		reason string
	}{
		"without a time":               {spoil(func(a *v1alpha1.Approval) { a.Time = nil }), "carries no time"},
		"with a zero time":             {spoil(func(a *v1alpha1.Approval) { a.Time = &metav1.MicroTime{} }), "carries no time"},
		"without a digest":             {spoil(func(a *v1alpha1.Approval) { a.SpecDigest = "" }), "carries no digest"},
		"without a revision":           {spoil(func(a *v1alpha1.Approval) { a.WorkflowRevision = "" }), "kubectl approve"},
		"for another request":          {spoil(func(a *v1alpha1.Approval) { a.SpecDigest = "sha256:00" }), "another request"},
		"under other workflows":        {spoil(func(a *v1alpha1.Approval) { a.WorkflowRevision = "sha256:00" }), "under other workflows"},
		"with an unknown verdict":      {spoil(func(a *v1alpha1.Approval) { a.Verdict = "Approved" }), `the verdict "Approved" is not known`},
		"without a verdict":            {spoil(func(a *v1alpha1.Approval) { a.Verdict = "" }), "is not known"},
		"for an unknown stage":         {spoil(func(a *v1alpha1.Approval) { a.Stage = "revue" }), `no stage "revue" to pass; the stages are review`},
		"for the override's stage":     {spoil(func(a *v1alpha1.Approval) { a.Stage = "emergency-override" }), "no stage"},
		"from before the round":        {spoil(func(a *v1alpha1.Approval) { a.Time.Time = noon.Add(-approval.ClockSkew - 1) }), "before approval was asked for"},
		"an Override in a plain stage": {spoil(func(a *v1alpha1.Approval) { a.Verdict = v1alpha1.VerdictOverride }), "goes with stage emergency-override"},
		"by nobody":                    {spoil(func(a *v1alpha1.Approval) { a.Approver = " " }), "names no approver"},
	}
	for name, tc := range cases {
		t.Run("does not count "+name, func(t *testing.T) {
			got := r.at(2*minute, tc.entry)
			if got.Result != approval.Waiting || got.Status.Granted != 0 {
				t.Errorf("counted: %s %s", got.Result, got.Message)
			}
			if len(got.Status.Uncounted) != 1 || !strings.Contains(got.Status.Uncounted[0].Reason, tc.reason) {
				t.Errorf("uncounted %v, want %q", got.Status.Uncounted, tc.reason)
			}
			if !strings.Contains(got.Message, "1 of the verdicts given do not count") {
				t.Errorf("message does not mention it: %s", got.Message)
			}
		})
	}
	t.Run("counts within the skew of clocks", func(t *testing.T) {
		if got := r.at(minute, r.yes("alice", "review", -approval.ClockSkew)); got.Result != approval.Granted {
			t.Error(got.Message)
		}
	})
	t.Run("does not count where the request has no digest", func(t *testing.T) {
		a := r.yes("alice", "review", minute)
		a.SpecDigest = ""
		got := r.chain.Evaluate(approval.Input{Now: noon, Approvals: []v1alpha1.Approval{a}, Parties: parties})
		if got.Result != approval.Waiting {
			t.Error(got.Message)
		}
	})
}

func TestQuorum(t *testing.T) {
	two := ask(chain(sound(t, "shop", "two", twoPeople)))
	grouped := ask(chain(sound(t, "shop", "grouped", `
stages: [{name: review, required: 2, approvers: {users: [alice, Alice], groups: [a, b]}}]
`)))
	withUID := func(uid string, a v1alpha1.Approval) v1alpha1.Approval {
		a.UID = uid
		return a
	}
	cases := map[string]struct {
		round   round
		entries []v1alpha1.Approval
		want    approval.Result
		granted int32
	}{
		"nobody":                           {two, nil, approval.Waiting, 0},
		"one of two":                       {two, []v1alpha1.Approval{two.yes("alice", "review", 1)}, approval.Waiting, 1},
		"two of two":                       {two, []v1alpha1.Approval{two.yes("alice", "review", 1), two.yes("bob", "review", 1)}, approval.Granted, 0},
		"three of two":                     {two, []v1alpha1.Approval{two.yes("alice", "review", 1), two.yes("bob", "review", 2), two.yes("carol", "review", 3)}, approval.Granted, 0},
		"one person twice":                 {two, []v1alpha1.Approval{two.yes("alice", "review", 1), two.yes("alice", "review", 2)}, approval.Waiting, 1},
		"one person under two groups":      {grouped, []v1alpha1.Approval{as("group:a", grouped.yes("bob", "review", 1)), as("group:b", grouped.yes("bob", "review", 2))}, approval.Waiting, 1},
		"one person in two spellings":      {grouped, []v1alpha1.Approval{grouped.yes("alice", "review", 1), grouped.yes("Alice", "review", 2)}, approval.Waiting, 1},
		"one person under two names":       {grouped, []v1alpha1.Approval{withUID("7", grouped.yes("alice", "review", 1)), withUID("7", as("group:a", grouped.yes("al", "review", 2)))}, approval.Waiting, 1},
		"two people of one group":          {grouped, []v1alpha1.Approval{as("group:a", grouped.yes("bob", "review", 1)), as("group:a", grouped.yes("carol", "review", 2))}, approval.Granted, 0},
		"an Override instead of the other": {two, []v1alpha1.Approval{two.yes("alice", "review", 1), two.override("bob", 1)}, approval.Waiting, 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := tc.round.at(minute, tc.entries...)
			if got.Result != tc.want || got.Status.Granted != tc.granted {
				t.Errorf("%s with %d granted, want %s with %d: %s", got.Result, got.Status.Granted, tc.want, tc.granted, got.Message)
			}
		})
	}
}

func TestDeny(t *testing.T) {
	spec := `
stages:
- {name: first, approvers: {users: [alice, bob]}, timeout: 10m, escalation: {after: 5m, approvers: {users: [boss]}}}
- {name: second, approvers: {users: [alice, carol]}}
timeout: 1h
`
	r := ask(chain(sound(t, "shop", "w", spec)))
	override := ask(chain(sound(t, "shop", "o", spec+"emergencyOverride: {approvers: {users: [bob, dan]}}\n")))
	cases := map[string]struct {
		round   round
		entries []v1alpha1.Approval
		want    approval.Result
		by      string
	}{
		"by an approver of the stage":           {r, []v1alpha1.Approval{r.no("alice", "first", minute)}, approval.Denied, "alice"},
		"by an approver of a later stage":       {r, []v1alpha1.Approval{r.no("carol", "second", minute)}, approval.Denied, "carol"},
		"in a stage that was passed":            {r, []v1alpha1.Approval{r.yes("alice", "first", minute), r.no("bob", "first", 2*minute)}, approval.Denied, "bob"},
		"the earliest is named":                 {r, []v1alpha1.Approval{r.no("carol", "second", 2*minute), r.no("alice", "first", minute)}, approval.Denied, "alice"},
		"by somebody who is not in the stage":   {r, []v1alpha1.Approval{r.no("carol", "first", minute)}, approval.Waiting, ""},
		"by the requester":                      {r, []v1alpha1.Approval{r.no(parties.Requester, "first", minute)}, approval.Waiting, ""},
		"before escalation, by who joins later": {r, []v1alpha1.Approval{r.no("boss", "first", minute)}, approval.Waiting, ""},
		"after escalation, by who joined":       {r, []v1alpha1.Approval{r.no("boss", "first", 6*minute)}, approval.Denied, "boss"},
		"by who never joined, the stage being passed": {r, []v1alpha1.Approval{
			r.yes("alice", "first", minute), r.no("boss", "first", 6*minute)}, approval.Waiting, ""},
		"at the moment of the last approval": {r, []v1alpha1.Approval{
			r.yes("bob", "first", minute), r.yes("carol", "second", 2*minute), r.no("alice", "first", 2*minute)}, approval.Denied, "alice"},
		"after the last approval, before it was recorded": {r, []v1alpha1.Approval{
			r.yes("bob", "first", minute), r.yes("carol", "second", 2*minute), r.no("alice", "second", 3*minute)}, approval.Denied, "alice"},
		"at the moment of the last override": {override, []v1alpha1.Approval{
			override.override("bob", minute), override.override("dan", 2*minute), override.no("alice", "first", 2*minute)}, approval.Denied, "alice"},
		"after the deadline":                    {r, []v1alpha1.Approval{r.no("alice", "first", 11*minute)}, approval.TimedOut, ""},
		"in time, evaluated after the deadline": {r, []v1alpha1.Approval{r.no("alice", "first", 9*minute)}, approval.Denied, "alice"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			at := 7 * minute
			if last := tc.entries[0].Time.Time; last.After(noon.Add(8 * minute)) {
				at = 12 * minute
			}
			got := tc.round.at(at, tc.entries...)
			if got.Result != tc.want || got.By != tc.by {
				t.Errorf("%s by %q, want %s by %q: %s %v", got.Result, got.By, tc.want, tc.by, got.Message, got.Status.Uncounted)
			}
		})
	}
	t.Run("its comment is kept as written, and shown made readable", func(t *testing.T) {
		const text = "no\nand \u202enever\x1b[31m"
		got := r.at(minute, comment(text, r.no("alice", "first", minute)))
		if got.Comment != text {
			t.Errorf("comment %q", got.Comment)
		}
		if want := `denied by alice in stage first: no\nand \u202enever\x1b[31m`; got.Message != want {
			t.Errorf("message %q, want %q", got.Message, want)
		}
	})
}

func TestStagesInTheirOrder(t *testing.T) {
	spec := `
stages:
- {name: first, approvers: {users: [alice, bob]}}
- {name: second, approvers: {users: [alice, carol]}}
`
	distinct := ask(chain(sound(t, "shop", "w", spec)))
	repeated := ask(chain(sound(t, "shop", "w", "distinctApprovers: false\n"+spec)))

	t.Run("a stage begins when the one before it is passed", func(t *testing.T) {
		got := distinct.at(minute, distinct.yes("bob", "first", minute))
		if got.Result != approval.Waiting || got.Status.Stage != "second" || got.Status.StageIndex != 1 ||
			!got.Status.StageStartedAt.Time.Equal(noon.Add(minute)) {
			t.Errorf("%+v", got.Status)
		}
	})
	t.Run("an approval of a stage that has not begun does not count, then or later", func(t *testing.T) {
		early := distinct.yes("carol", "second", minute)
		if got := distinct.at(2*minute, early); !strings.Contains(reasonFor(got, "carol"), "before stage second began") {
			t.Errorf("%v", got.Status.Uncounted)
		}
		got := distinct.at(3*minute, early, distinct.yes("bob", "first", 2*minute))
		if got.Result != approval.Waiting || !strings.Contains(reasonFor(got, "carol"), "before stage second began at 2026-01-02T12:02:00Z") {
			t.Errorf("%s %v", got.Result, got.Status.Uncounted)
		}
	})
	t.Run("clocks may differ by a little at the border of two stages", func(t *testing.T) {
		got := distinct.at(3*minute, distinct.yes("bob", "first", minute), distinct.yes("carol", "second", minute-approval.ClockSkew))
		if got.Result != approval.Granted {
			t.Error(got.Message)
		}
	})
	t.Run("nobody counts in two stages", func(t *testing.T) {
		got := distinct.at(3*minute, distinct.yes("alice", "first", minute), distinct.yes("alice", "second", 2*minute))
		if got.Result != approval.Waiting || !strings.Contains(reasonFor(got, "alice"), "different people") {
			t.Errorf("%s %v", got.Result, got.Status.Uncounted)
		}
		if diff := cmp.Diff([]string{"user:carol"}, got.Status.PendingApprovers); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("unless the workflow says so", func(t *testing.T) {
		got := repeated.at(3*minute, repeated.yes("alice", "first", minute), repeated.yes("alice", "second", 2*minute))
		if got.Result != approval.Granted {
			t.Error(got.Message)
		}
	})
	t.Run("who did not count in a stage is free for the next", func(t *testing.T) {
		got := distinct.at(4*minute, distinct.yes("bob", "first", minute), distinct.yes("alice", "first", 2*minute), distinct.yes("alice", "second", 3*minute))
		if got.Result != approval.Granted || !strings.Contains(reasonFor(got, "alice"), "stage first had its 1 already") {
			t.Errorf("%s %v", got.Message, got.Status.Uncounted)
		}
	})
}

func TestDeadlines(t *testing.T) {
	cases := map[string]struct {
		spec      string
		entries   func(round) []v1alpha1.Approval
		deadline  time.Duration
		onTimeout v1alpha1.TimeoutPolicy
	}{
		"the workflow's timeout":     {onePerson, nil, time.Hour, v1alpha1.OnTimeoutTimedOut},
		"24 hours where it has none": {`stages: [{name: review, approvers: {users: [alice]}}]`, nil, 24 * time.Hour, v1alpha1.OnTimeoutTimedOut},
		"the stage's, where that is earlier": {`
stages: [{name: review, timeout: 10m, approvers: {users: [alice]}}]
timeout: 1h
onTimeout: Denied`, nil, 10 * minute, v1alpha1.OnTimeoutDenied},
		"the stage's twice, where it escalates at it": {`
stages: [{name: review, timeout: 10m, approvers: {users: [alice]}, escalation: {approvers: {users: [boss]}}}]
timeout: 1h`, nil, 20 * minute, v1alpha1.OnTimeoutTimedOut},
		"the stage's once, where it escalates before": {`
stages: [{name: review, timeout: 10m, approvers: {users: [alice]}, escalation: {after: 5m, approvers: {users: [boss]}}}]
timeout: 1h`, nil, 10 * minute, v1alpha1.OnTimeoutTimedOut},
		"from the beginning of the stage": {`
stages:
- {name: first, approvers: {users: [alice]}}
- {name: review, timeout: 10m, approvers: {users: [bob]}}
timeout: 1h`, func(r round) []v1alpha1.Approval { return []v1alpha1.Approval{r.yes("alice", "first", 7*minute)} }, 17 * minute, v1alpha1.OnTimeoutTimedOut},
		"the workflow's, where the stage would outlast it": {`
stages:
- {name: first, approvers: {users: [alice]}}
- {name: review, timeout: 10m, approvers: {users: [bob]}}
timeout: 15m`, func(r round) []v1alpha1.Approval { return []v1alpha1.Approval{r.yes("alice", "first", 7*minute)} }, 15 * minute, v1alpha1.OnTimeoutTimedOut},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := ask(chain(sound(t, "shop", "w", tc.spec)))
			var entries []v1alpha1.Approval
			if tc.entries != nil {
				entries = tc.entries(r)
			}
			before := r.at(tc.deadline-time.Microsecond, entries...)
			if before.Result != approval.Waiting || !before.Status.Deadline.Time.Equal(noon.Add(tc.deadline)) || before.OnTimeout != tc.onTimeout {
				t.Errorf("before: %s, deadline %v, then %s", before.Result, before.Status.Deadline, before.OnTimeout)
			}
			if !before.NextChange.Equal(noon.Add(tc.deadline)) {
				t.Errorf("next change at %v", before.NextChange)
			}
			after := r.at(tc.deadline, entries...)
			if after.Result != approval.TimedOut || after.OnTimeout != tc.onTimeout || !after.NextChange.IsZero() || after.Status.PendingApprovers != nil {
				t.Errorf("after: %+v", after)
			}
			if !strings.HasPrefix(after.Message, "nobody decided in time: stage review lacked 1 approval at the deadline") {
				t.Error(after.Message)
			}
			who := "alice"
			if entries != nil {
				who = "bob"
			}
			inTime := r.yes(who, "review", tc.deadline)
			if got := r.at(48*time.Hour, append(entries, inTime)...); got.Result != approval.Granted {
				t.Errorf("an approval stamped in time and evaluated late: %s", got.Message)
			}
			late := r.yes(who, "review", tc.deadline+time.Microsecond)
			if got := r.at(tc.deadline+minute, append(entries, late)...); got.Result != approval.TimedOut || !strings.Contains(reasonFor(got, who), "after the deadline") {
				t.Errorf("an approval stamped late: %s %v", got.Message, got.Status.Uncounted)
			}
		})
	}
}

func TestEscalation(t *testing.T) {
	r := ask(chain(sound(t, "shop", "w", `
stages: [{name: review, approvers: {users: [alice]}, escalation: {after: 30m, approvers: {users: [boss], groups: [heads]}}}]
timeout: 2h
`)))
	t.Run("is announced until it happens", func(t *testing.T) {
		got := r.at(29 * minute)
		if got.Status.Escalated || !got.Status.EscalateAt.Time.Equal(noon.Add(30*minute)) || !got.NextChange.Equal(noon.Add(30*minute)) {
			t.Errorf("%+v", got)
		}
		if diff := cmp.Diff([]string{"user:alice"}, got.Status.PendingApprovers); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("widens the circle", func(t *testing.T) {
		got := r.at(30 * minute)
		if !got.Status.Escalated || got.Status.EscalateAt != nil || !got.NextChange.Equal(noon.Add(2*time.Hour)) {
			t.Errorf("%+v", got)
		}
		if diff := cmp.Diff([]string{"group:heads", "user:alice", "user:boss"}, got.Status.PendingApprovers); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("lets in who approves after it", func(t *testing.T) {
		if got := r.at(31*minute, r.yes("boss", "review", 31*minute)); got.Result != approval.Granted {
			t.Error(got.Message)
		}
	})
	t.Run("does not count who approved before it, not even later", func(t *testing.T) {
		got := r.at(time.Hour, r.yes("boss", "review", 29*minute))
		if got.Result != approval.Waiting || !strings.Contains(reasonFor(got, "boss"), "only after its escalation") {
			t.Errorf("%s %v", got.Message, got.Status.Uncounted)
		}
	})
	t.Run("never comes where the deadline is earlier", func(t *testing.T) {
		short := ask(chain(sound(t, "shop", "w", `
stages: [{name: review, approvers: {users: [alice]}, escalation: {after: 30m, approvers: {users: [boss]}}}]
timeout: 20m
`)))
		if got := short.at(minute); got.Status.EscalateAt != nil || !got.NextChange.Equal(noon.Add(20*minute)) {
			t.Errorf("%+v", got.Status)
		}
	})
}

func TestEmergencyOverride(t *testing.T) {
	spec := "emergencyOverride: {approvers: {users: [dan, erin], groups: [fire]}}\n" + twoPeople
	r := ask(chain(sound(t, "shop", "w", spec)))
	plain := sound(t, "shop", "plain", `stages: [{name: plain, approvers: {users: [alice]}}]`)
	both := ask(chain(sound(t, "shop", "a", spec), plain))

	t.Run("takes two people", func(t *testing.T) {
		one := r.at(minute, r.override("dan", minute))
		if one.Result != approval.Waiting || one.Overridden || !strings.Contains(one.Message, "emergency override: 1 of 2") {
			t.Errorf("%+v", one)
		}
		got := r.at(minute, r.override("dan", minute), r.override("erin", minute))
		if got.Result != approval.Granted || !got.Overridden {
			t.Errorf("%+v", got)
		}
		if want := "emergency override of workflow shop/w by dan, erin"; got.Message != want {
			t.Errorf("%q, want %q", got.Message, want)
		}
	})
	refused := map[string]struct {
		entry  v1alpha1.Approval
		reason string
	}{
		"somebody who is not named":   {r.override("frank", minute), "not named in the emergencyOverride"},
		"the requester":               {as("group:fire", r.override(parties.Requester, minute)), "submitted this action"},
		"who gives no comment":        {comment(" ", r.override("erin", minute)), "needs a comment"},
		"who comes after the timeout": {r.override("erin", 61*minute), "after the deadline"},
		"the same person":             {as("group:fire", r.override("Dan", minute)), "same person has overridden"},
	}
	for name, tc := range refused {
		t.Run("does not count "+name, func(t *testing.T) {
			got := r.at(2*minute, r.override("dan", 1), tc.entry)
			if got.Result != approval.Waiting || !strings.Contains(reasonFor(got, tc.entry.Approver), tc.reason) {
				t.Errorf("%s %v", got.Result, got.Status.Uncounted)
			}
		})
	}
	t.Run("passes no workflow that has none", func(t *testing.T) {
		got := both.at(2*minute, both.override("dan", minute), both.override("erin", minute))
		if got.Result != approval.Waiting || got.Status.Stage != "plain" || !got.Overridden {
			t.Errorf("%+v", got)
		}
		got = both.at(3*minute, both.override("dan", minute), both.override("erin", minute), both.yes("alice", "plain", 2*minute))
		if want := "approved by alice; emergency override of workflow shop/a by dan, erin"; got.Message != want {
			t.Errorf("%q, want %q", got.Message, want)
		}
		alone := ask(chain(plain))
		got = alone.at(2*minute, alone.override("dan", minute))
		if !strings.Contains(reasonFor(got, "dan"), "none of the workflows") {
			t.Errorf("%v", got.Status.Uncounted)
		}
	})
	t.Run("can be complete before the turn of its workflow, and moves its deadline away", func(t *testing.T) {
		late := ask(chain(plain, sound(t, "shop", "z", spec)))
		before := late.at(minute)
		if !before.Status.Deadline.Time.Equal(noon.Add(time.Hour)) {
			t.Errorf("deadline %v", before.Status.Deadline)
		}
		entries := []v1alpha1.Approval{late.override("dan", minute), late.override("erin", minute)}
		waits := late.with(2*time.Hour, &before.Status, entries...)
		if waits.Result != approval.Waiting || !waits.Status.Deadline.Time.Equal(noon.Add(24*time.Hour)) {
			t.Errorf("%s, deadline %v", waits.Result, waits.Status.Deadline)
		}
		got := late.at(3*time.Hour, append(entries, late.yes("alice", "plain", 150*minute))...)
		if got.Result != approval.Granted || !got.Overridden {
			t.Error(got.Message)
		}
	})
	t.Run("is not marked where the stages were passed first", func(t *testing.T) {
		got := r.at(4*minute, r.yes("alice", "review", minute), r.yes("bob", "review", 2*minute), r.override("dan", 3*minute), r.override("erin", 3*minute))
		if got.Result != approval.Granted || got.Overridden || got.Message != "approved by alice, bob" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("comes too late once a stage has timed out", func(t *testing.T) {
		timed := ask(chain(sound(t, "shop", "t", `
stages: [{name: review, timeout: 10m, approvers: {users: [alice]}}]
emergencyOverride: {approvers: {users: [dan, erin]}}
timeout: 1h
`)))
		got := timed.at(20*minute, timed.override("dan", 9*minute), timed.override("erin", 11*minute))
		if got.Result != approval.TimedOut || reasonFor(got, "dan") != "" || !strings.Contains(reasonFor(got, "erin"), "after the deadline") {
			t.Errorf("%s %v", got.Result, got.Status.Uncounted)
		}
	})
	t.Run("leaves the approvals of skipped stages uncounted", func(t *testing.T) {
		two := ask(chain(sound(t, "shop", "w", `
stages: [{name: first, approvers: {users: [alice]}}, {name: second, approvers: {users: [bob]}}]
emergencyOverride: {approvers: {users: [dan, erin]}}
`)))
		got := two.at(5*minute, two.override("dan", 1), two.override("erin", 2), two.yes("bob", "second", minute), two.yes("eve", "second", minute))
		if got.Result != approval.Granted || !strings.Contains(reasonFor(got, "bob"), "passed by emergency override") ||
			!strings.Contains(reasonFor(got, "eve"), "not an approver") {
			t.Errorf("%s %v", got.Result, got.Status.Uncounted)
		}
	})
}
