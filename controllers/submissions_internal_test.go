// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/ratelimit"
)

var tallyKey = types.NamespacedName{Namespace: "default", Name: "a"}

func TestWhatTheWatchBringsCountsWhenItIsNewAndSealed(t *testing.T) {
	t.Parallel()
	sealed := &v1alpha1.Requester{Username: "agent", Seal: "v1.key.mac"}
	for name, c := range map[string]struct {
		requester *v1alpha1.Requester
		initial   bool
		age       time.Duration
		want      int64
	}{
		"new and sealed":                         {sealed, false, 0, 1},
		"the API server's clock is ahead":        {sealed, false, -5 * time.Minute, 1},
		"a watch that was late":                  {sealed, false, 59 * time.Second, 1},
		"later than names are remembered":        {sealed, false, ratelimit.Remembered, 0},
		"there when the watch began":             {sealed, true, 0, 0},
		"nobody has let it in":                   {nil, false, 0, 0},
		"somebody wrote a requester, not sealed": {&v1alpha1.Requester{Username: "agent"}, false, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := submissions{limiter: ratelimit.New(), clock: clocktesting.NewFakePassiveClock(submittedAt)}
			s.agent(agentNamed("a"))
			action := actionOf("a", 1, v1alpha1.DecisionNone)
			action.CreationTimestamp = metav1.NewTime(submittedAt.Add(-c.age))
			action.Spec.Requester = c.requester
			s.submitted(action, c.initial)
			s.submitted(action.DeepCopy(), c.initial)
			if got := s.limiter.Submissions(tallyKey, submittedAt).Day.Current; got != c.want {
				t.Errorf("%d count, want %d", got, c.want)
			}
		})
	}
}

func TestAnAgentThatIsGoneIsForgotten(t *testing.T) {
	t.Parallel()
	for name, event := range map[string]any{
		"deleted":          agentNamed("a"),
		"gone when looked": toolscache.DeletedFinalStateUnknown{Key: "default/a", Obj: agentNamed("a")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := submissions{limiter: ratelimit.New(), clock: clocktesting.NewFakePassiveClock(submittedAt)}
			s.agent(agentNamed("a"))
			s.limiter.Admit(tallyKey, "act", nil, submittedAt)
			s.agentGone(event)
			if got := s.limiter.Submissions(tallyKey, submittedAt); got != (v1alpha1.SubmissionCounts{}) {
				t.Errorf("still counts %+v", got)
			}
		})
	}
}

func TestSubmissionsAreWrittenWhenThereAreNewOnesOnly(t *testing.T) {
	t.Parallel()
	now := clocktesting.NewFakePassiveClock(submittedAt)
	tally, faults := tallied(t, agentNamed("a"), agentNamed("idle"))
	tally.Limiter, tally.Clock = ratelimit.New(), now
	flush := func(want int) {
		t.Helper()
		if err := tally.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if faults.writes != want {
			t.Errorf("%d writes, want %d", faults.writes, want)
		}
	}
	submit := func(name string) { tally.Limiter.Admit(tallyKey, name, nil, now.Now()) }

	submit("act-1")
	flush(0) // the status has not been read
	s := submissions{limiter: tally.Limiter, clock: now}
	s.agent(agentNamed("a"))
	s.agent(agentNamed("idle"))
	flush(1)
	flush(1)
	for range 50 {
		now.SetTime(now.Now().Add(time.Hour)) // over the day, and two days further
		flush(1)
	}
	submit("act-2")
	flush(2)
	got := countsOf(t, tally, "a").Submissions
	if got.Day.Current != 1 || got.Hour.Current != 1 || !got.Minute.Start.Time.Equal(now.Now().Truncate(time.Minute)) {
		t.Errorf("written %+v", got)
	}

	t.Log("an operator that starts goes on where this one stopped")
	again := submissions{limiter: ratelimit.New(), clock: now}
	again.agent(&v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "a"}, Status: countsOf(t, tally, "a")})
	one := int32(1)
	if refusal, ok := again.limiter.Admit(tallyKey, "act-3", &v1alpha1.RateLimit{PerHour: &one}, now.Now()); ok || refusal.Period != ratelimit.Hour {
		t.Errorf("let in: %+v", refusal)
	}
}

func TestDecisionsDoNotTouchSubmissionsWithoutALimiter(t *testing.T) {
	t.Parallel()
	agent := agentNamed("a")
	start := metav1.NewTime(submittedAt.Truncate(time.Hour))
	agent.Status.Submissions.Hour = v1alpha1.SubmissionCount{Start: &start, Current: 7}
	tally, _ := tallied(t, agent)
	tally.Decided(actionOf("a", 1, ""), v1alpha1.DecisionApproved, submittedAt)
	if err := tally.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := countsOf(t, tally, "a"); got.Submissions.Hour.Current != 7 || got.Actions.Approved != 1 {
		t.Errorf("status %+v", got)
	}
}
