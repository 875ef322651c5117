// SPDX-License-Identifier: Apache-2.0

package approval_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
)

const (
	mixedCircle = `
stages:
- name: review
  approvers:
    users: [alice]
    groups: [security, bot-makers]
    serviceAccounts: [{namespace: ci, name: gate}]
  escalation: {after: 30m, approvers: {groups: [managers]}}
- name: release
  approvers: {users: [dora]}
emergencyOverride: {approvers: {users: [erin], groups: [emergency]}, required: 2}
timeout: 2h
`
	otherOverride = `
stages: [{name: check, approvers: {users: [frank]}}]
emergencyOverride: {approvers: {groups: [emergency]}, required: 2}
timeout: 2h
`
	noOverride  = `stages: [{name: check, approvers: {users: [frank]}}]`
	selfAllowed = `
stages: [{name: review, approvers: {users: [alice], groups: [bot-makers]}}]
allowSelfApproval: true
`
)

// person is a user with groups.
func person(name string, groups ...string) approval.Person {
	return approval.Person{Username: name, Groups: groups}
}

// seat asks for a seat so long after noon.
func (r round) seat(passed time.Duration, who approval.Person, verdict v1alpha1.Verdict, stage string, given ...v1alpha1.Approval) (approval.Seat, error) {
	return r.chain.Seat(approval.Input{
		Now:       noon.Add(passed),
		Prior:     &v1alpha1.ApprovalStatus{Revision: r.chain.Revision(), RequestedAt: &metav1.MicroTime{Time: noon}},
		Digest:    asked,
		Approvals: given,
		Parties:   r.parties,
	}, who, verdict, stage)
}

// Who has a seat, as what, and on which workflow the verb is needed.
func TestSeat(t *testing.T) {
	one := ask(chain(sound(t, "shop", "mixed", mixedCircle)))
	two := ask(chain(sound(t, "shop", "mixed", mixedCircle), sound(t, "shop", "other", otherOverride), sound(t, "shop", "plain", noOverride)))
	mixed, other := approval.Key{Namespace: "shop", Name: "mixed"}, approval.Key{Namespace: "shop", Name: "other"}
	approve, override := v1alpha1.VerdictApprove, v1alpha1.VerdictOverride
	for name, c := range map[string]struct {
		round   round
		passed  time.Duration
		who     approval.Person
		verdict v1alpha1.Verdict
		stage   string
		given   []v1alpha1.Approval
		want    approval.Seat
	}{
		"named as a user":                  {round: one, who: person("alice", "security"), verdict: approve, want: approval.Seat{As: "user:alice", Stage: "review", Workflows: []approval.Key{mixed}}},
		"who denies":                       {round: one, who: person("alice"), verdict: v1alpha1.VerdictDeny, stage: "review", want: approval.Seat{As: "user:alice", Stage: "review", Workflows: []approval.Key{mixed}}},
		"of a group":                       {round: one, who: person("bob", "zoo", "security"), verdict: approve, want: approval.Seat{As: "group:security", Stage: "review", Workflows: []approval.Key{mixed}}},
		"a ServiceAccount":                 {round: one, who: person("system:serviceaccount:ci:gate"), verdict: approve, want: approval.Seat{As: "serviceaccount:ci/gate", Stage: "review", Workflows: []approval.Key{mixed}}},
		"after the escalation":             {round: one, passed: 30 * time.Minute, who: person("mona", "managers"), verdict: approve, want: approval.Seat{As: "group:managers", Stage: "review", Workflows: []approval.Key{mixed}}},
		"in the second stage":              {round: one, passed: time.Minute, who: person("dora"), verdict: approve, given: []v1alpha1.Approval{one.yes("alice", "review", time.Second)}, want: approval.Seat{As: "user:dora", Stage: "release", Workflows: []approval.Key{mixed}}},
		"who holds the verb":               {round: ask(approval.Chain{}), who: person("anybody"), verdict: approve, want: approval.Seat{As: approval.VerbApprove, Stage: "approval", Workflows: []approval.Key{{}}}},
		"override as a user":               {round: two, who: person("erin"), verdict: override, want: approval.Seat{As: "user:erin", Stage: v1alpha1.OverrideStage, Workflows: []approval.Key{mixed}}},
		"override as more":                 {round: two, who: person("erin", "emergency"), verdict: override, want: approval.Seat{As: "group:emergency", Stage: v1alpha1.OverrideStage, Workflows: []approval.Key{mixed, other}}},
		"override of two at once":          {round: two, who: person("gina", "emergency"), verdict: override, stage: v1alpha1.OverrideStage, want: approval.Seat{As: "group:emergency", Stage: v1alpha1.OverrideStage, Workflows: []approval.Key{mixed, other}}},
		"the subject, where it is allowed": {round: ask(chain(sound(t, "shop", "self", selfAllowed))), who: person("mallory", "bot-makers"), verdict: approve, want: approval.Seat{As: "group:bot-makers", Stage: "review", Workflows: []approval.Key{{Namespace: "shop", Name: "self"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.round.seat(c.passed, c.who, c.verdict, c.stage, c.given...)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, c.want)
			}
		})
	}
}

// Who has none, and why.
func TestNoSeat(t *testing.T) {
	one := ask(chain(sound(t, "shop", "mixed", mixedCircle)))
	plain := ask(chain(sound(t, "shop", "plain", noOverride)))
	approve, override := v1alpha1.VerdictApprove, v1alpha1.VerdictOverride
	for name, c := range map[string]struct {
		round   round
		passed  time.Duration
		who     approval.Person
		verdict v1alpha1.Verdict
		stage   string
		given   []v1alpha1.Approval
		want    string
		self    bool
	}{
		"nobody of the circle":          {round: one, who: person("zoe", "zoo"), verdict: approve, want: "zoe is not an approver of stage review of workflow shop/mixed; who may: group:bot-makers, group:security, serviceaccount:ci/gate, user:alice"},
		"before the escalation":         {round: one, who: person("mona", "managers"), verdict: approve, want: "mona is an approver of stage review only after its escalation at 2026-01-02T12:30:00Z"},
		"for another stage":             {round: one, who: person("alice"), verdict: approve, stage: "release", want: `it waits in stage review, not in "release"`},
		"the requester":                 {round: one, who: person("system:serviceaccount:shop:bot", "security"), verdict: approve, want: "submitted this action", self: true},
		"the owner in another spelling": {round: one, who: person("Data-Team@Example.com", "security"), verdict: approve, want: "owns this agent", self: true},
		"a subject by a group":          {round: one, who: person("zoe", "security", "Bot-Makers"), verdict: approve, want: "belongs to a group that may submit actions as this agent", self: true},
		"a subject who denies":          {round: one, who: person("mallory", "security"), verdict: v1alpha1.VerdictDeny, want: "may submit actions as this agent", self: true},
		"a subject who overrides":       {round: one, who: person("mallory", "emergency"), verdict: override, want: "may submit actions as this agent", self: true},
		"after a denial":                {round: one, passed: time.Minute, who: person("alice"), verdict: approve, given: []v1alpha1.Approval{as("group:security", one.no("bob", "review", time.Second))}, want: "somebody has denied it already"},
		"after the last approval":       {round: plain, passed: time.Minute, who: person("frank"), verdict: approve, given: []v1alpha1.Approval{plain.yes("frank", "check", time.Second)}, want: "every stage has been passed already"},
		"after the deadline":            {round: one, passed: 3 * time.Hour, who: person("alice"), verdict: approve, want: "the deadline of stage review, 2026-01-02T14:00:00Z, has passed"},
		"no override there":             {round: plain, who: person("erin"), verdict: override, want: "none of the workflows that have to be passed has an emergencyOverride"},
		"not named in the override":     {round: one, who: person("alice", "security"), verdict: override, want: "alice is not named in the emergencyOverride of the workflows that have to be passed; who may: group:emergency, user:erin"},
		"an override of a stage":        {round: one, who: person("erin"), verdict: override, stage: "review", want: "an Override goes with stage emergency-override"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.round.seat(c.passed, c.who, c.verdict, c.stage, c.given...)
			no := (*approval.NoSeatError)(nil)
			if !errors.As(err, &no) || !strings.Contains(no.Error(), c.want) || no.Self != c.self {
				t.Errorf("got %+v, want %q, self %t", err, c.want, c.self)
			}
		})
	}
}

// Whoever used up an id in an earlier round gets the other one, which is the
// same stage.
func TestSeatInALaterRound(t *testing.T) {
	r := ask(chain(sound(t, "shop", "mixed", mixedCircle)))
	earlier := r.yes("alice", "review", -time.Hour)
	glass := r.override("erin", -time.Hour)
	for _, c := range []struct {
		who     approval.Person
		verdict v1alpha1.Verdict
		plain   string
	}{
		{person("alice"), v1alpha1.VerdictApprove, "review"},
		{person("erin"), v1alpha1.VerdictOverride, v1alpha1.OverrideStage},
	} {
		got, err := r.seat(time.Minute, c.who, c.verdict, "", earlier, glass)
		want := c.plain + "@2026-01-02T12:00:00.000000Z"
		if err != nil || got.Stage != want {
			t.Errorf("%s: stage %q, %v, want %q", c.who.Username, got.Stage, err, want)
		}
		if other := approval.InRound(c.plain, &v1alpha1.ApprovalStatus{RequestedAt: &metav1.MicroTime{Time: noon}}); other != want {
			t.Errorf("InRound is %q, want %q", other, want)
		}
		for _, stage := range []string{c.plain, want} {
			if _, err := r.seat(time.Minute, c.who, c.verdict, stage, earlier, glass); err != nil {
				t.Errorf("%s names stage %s: %v", c.who.Username, stage, err)
			}
		}
	}
	if got := approval.InRound("review", nil); got != "review" {
		t.Errorf("without a round: %q", got)
	}
}

// Somebody whose verdicts are void can give another one as often as it takes;
// all ids of a stage are one stage, in which a person counts once.
func TestAStageHasAnotherIDForEachMoment(t *testing.T) {
	r := ask(chain(sound(t, "shop", "mixed", mixedCircle)))
	status := &v1alpha1.ApprovalStatus{RequestedAt: &metav1.MicroTime{Time: noon}}
	for _, stage := range []string{"review", "review@2026-01-02T12:00:00.000000Z", "review@2026-01-02T12:00:30.000000Z"} {
		if got := approval.Anew(stage, status, noon.Add(time.Minute)); got != "review@2026-01-02T12:01:00.000000Z" {
			t.Errorf("%s becomes %s", stage, got)
		}
		if _, err := r.seat(time.Minute, person("alice"), v1alpha1.VerdictApprove, stage); err != nil {
			t.Errorf("names stage %s: %v", stage, err)
		}
	}
	if got := approval.Anew("review", status, noon.Add(-time.Minute)); got != "review@2026-01-02T12:00:00.000000Z" {
		t.Errorf("by a clock that is behind: %s", got)
	}
	if got := approval.Anew("review", nil, noon); got != "review" {
		t.Errorf("without a round: %s", got)
	}
	for _, stage := range []string{"review@2026-01-02T11:59:59.999999Z", "review@2026-01-02T12:00:00Z", "review@", "@2026-01-02T12:00:00.000000Z", "2026-01-02T12:00:00.000000Z"} {
		if _, err := r.seat(time.Minute, person("alice"), v1alpha1.VerdictApprove, stage); err == nil {
			t.Errorf("%s passes for stage review", stage)
		}
	}
	two := ask(chain(sound(t, "shop", "w", twoPeople)))
	first, again := two.yes("alice", "review@2026-01-02T12:00:01.000000Z", time.Second), two.yes("alice", "review@2026-01-02T12:00:02.000000Z", 2*time.Second)
	if got := two.at(minute, first, again); got.Status.Granted != 1 {
		t.Errorf("one person counts as %d", got.Status.Granted)
	}
	if got := two.at(minute, first, two.yes("bob", "review", 3*time.Second)); got.Result != approval.Granted {
		t.Errorf("%s: %v", got.Message, got.Status.Uncounted)
	}
}

// A verdict that is given as the seat says counts: what admission lets through
// the controller does not refuse, as long as nothing else speaks against it.
func TestASeatCounts(t *testing.T) {
	r := ask(chain(sound(t, "shop", "mixed", mixedCircle)))
	for _, who := range []approval.Person{
		person("alice"), person("bob", "security"), person("system:serviceaccount:ci:gate"), person("erin"), person("gina", "emergency"),
	} {
		for _, verdict := range []v1alpha1.Verdict{v1alpha1.VerdictApprove, v1alpha1.VerdictDeny, v1alpha1.VerdictOverride} {
			seat, err := r.seat(time.Minute, who, verdict, "")
			if err != nil {
				continue
			}
			entry := as(seat.As, r.say(verdict, who.Username, seat.Stage, time.Minute))
			if why := reasonFor(r.at(time.Minute, entry), who.Username); why != "" {
				t.Errorf("%s of %s as %s does not count: %s", verdict, who.Username, seat.As, why)
			}
		}
	}
}
