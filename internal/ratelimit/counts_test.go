// SPDX-License-Identifier: Apache-2.0

package ratelimit_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/ratelimit"
)

func count(start time.Time, current, previous int64) v1alpha1.SubmissionCount {
	at := metav1.NewTime(start)
	return v1alpha1.SubmissionCount{Start: &at, Current: current, Previous: previous}
}

func TestSubmissionsCountByPeriodsOfTheClock(t *testing.T) {
	t.Parallel()
	s := newSubmitter()
	if got := s.Submissions(agent, midnight); got != (v1alpha1.SubmissionCounts{}) {
		t.Errorf("before the first: %+v", got)
	}
	s.burst(3, nil, midnight.Add(59*time.Minute+59*time.Second))
	s.burst(2, nil, midnight.Add(60*time.Minute+1*time.Second))
	now := midnight.Add(60*time.Minute + 2*time.Second)
	want := v1alpha1.SubmissionCounts{
		Minute: count(midnight.Add(time.Hour), 2, 3),
		Hour:   count(midnight.Add(time.Hour), 2, 3),
		Day:    count(midnight, 5, 0),
	}
	if got := s.Submissions(agent, now); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	later := s.Submissions(agent, now.Add(2*time.Hour))
	if want := (v1alpha1.SubmissionCounts{Day: count(midnight, 5, 0)}); !reflect.DeepEqual(later, want) {
		t.Errorf("later %+v, want %+v", later, want)
	}
}

func TestARestartKeepsTheCounts(t *testing.T) {
	t.Parallel()
	s := newSubmitter()
	all := limit(10, 10, 10)
	s.burst(7, all, midnight.Add(time.Minute))
	written := s.Submissions(agent, midnight.Add(70*time.Second))

	again := newSubmitter()
	at := midnight.Add(10 * time.Minute)
	again.Seed(agent, written, at)
	if got := again.burst(100, all, at); got != 3 {
		t.Errorf("%d let in, want the 3 that are left of hour and day", got)
	}
	nextDay := newSubmitter()
	nextDay.Seed(agent, written, midnight.Add(48*time.Hour))
	if got := nextDay.burst(100, all, midnight.Add(48*time.Hour)); got != 10 {
		t.Errorf("%d let in two days later", got)
	}
}

func TestSeed(t *testing.T) {
	t.Parallel()
	day := func(current, previous int64) v1alpha1.SubmissionCounts {
		return v1alpha1.SubmissionCounts{Day: count(midnight, current, previous)}
	}
	at := midnight.Add(time.Hour)
	for name, c := range map[string]struct {
		before int
		seeds  []v1alpha1.SubmissionCounts
		want   v1alpha1.SubmissionCount
	}{
		"is where counting begins":                 {0, []v1alpha1.SubmissionCounts{day(5, 9)}, count(midnight, 5, 9)},
		"adds to what came before it":              {2, []v1alpha1.SubmissionCounts{day(5, 9)}, count(midnight, 7, 9)},
		"then no longer adds":                      {2, []v1alpha1.SubmissionCounts{day(5, 9), day(5, 9)}, count(midnight, 7, 9)},
		"then raises":                              {2, []v1alpha1.SubmissionCounts{{}, day(5, 9)}, count(midnight, 5, 9)},
		"never lowers":                             {2, []v1alpha1.SubmissionCounts{day(5, 9), {}, day(1, 1)}, count(midnight, 7, 9)},
		"of the day before is the previous":        {2, []v1alpha1.SubmissionCounts{{Day: count(midnight.Add(-24*time.Hour), 5, 9)}}, count(midnight, 2, 5)},
		"of days before is nothing":                {2, []v1alpha1.SubmissionCounts{{Day: count(midnight.Add(-48*time.Hour), 5, 9)}}, count(midnight, 2, 0)},
		"without a start is nothing":               {2, []v1alpha1.SubmissionCounts{{Day: v1alpha1.SubmissionCount{Current: 5}}}, count(midnight, 2, 0)},
		"below nothing is nothing":                 {2, []v1alpha1.SubmissionCounts{day(-5, -9)}, count(midnight, 2, 0)},
		"of a time to come, later, is ignored":     {2, []v1alpha1.SubmissionCounts{{}, {Day: count(midnight.Add(48*time.Hour), 24, 0)}}, count(midnight, 2, 0)},
		"of a clock that was a year ahead, counts": {0, []v1alpha1.SubmissionCounts{{Day: count(midnight.Add(364*24*time.Hour), 24, 0)}}, count(midnight, 1, 24)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSubmitter()
			s.burst(c.before, nil, at)
			for _, seed := range c.seeds {
				s.Seed(agent, seed, at)
			}
			if got := s.Submissions(agent, at).Day; !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func TestUnwrittenIsMoreThanThePassageOfTime(t *testing.T) {
	t.Parallel()
	s := newSubmitter()
	s.Seed(agent, v1alpha1.SubmissionCounts{}, midnight)
	if _, changed := s.Unwritten(agent, v1alpha1.SubmissionCounts{}, midnight); changed {
		t.Error("an idle agent has something to write")
	}
	s.burst(3, nil, midnight)
	written, changed := s.Unwritten(agent, v1alpha1.SubmissionCounts{}, midnight)
	if !changed {
		t.Error("submissions are nothing to write")
	}
	for _, passed := range []time.Duration{0, time.Second, time.Minute, 2 * time.Minute, time.Hour, 3 * time.Hour, 24 * time.Hour, 72 * time.Hour} {
		if now, changed := s.Unwritten(agent, written, midnight.Add(passed)); changed {
			t.Errorf("after %s there is %+v to write", passed, now)
		}
	}
	unseeded := newSubmitter()
	unseeded.burst(1, nil, midnight)
	if _, changed := unseeded.Unwritten(agent, written, midnight); changed {
		t.Error("counts are written over a status that has not been read")
	}
	s.burst(1, nil, midnight.Add(72*time.Hour))
	if _, changed := s.Unwritten(agent, written, midnight.Add(72*time.Hour)); !changed {
		t.Error("a submission days later is nothing to write")
	}
}

func TestSubmissionsSurviveTheStatus(t *testing.T) {
	t.Parallel()
	s := newSubmitter()
	at := midnight.Add(25*time.Hour + 61*time.Minute)
	for i, back := range []time.Duration{25 * time.Hour, time.Hour, time.Minute, 0} {
		s.burst(i+1, nil, at.Add(-back))
	}
	counts := s.Submissions(agent, at)
	again := ratelimit.New()
	again.Seed(agent, counts, at)
	if got := again.Submissions(agent, at); fmt.Sprint(got) != fmt.Sprint(counts) || !reflect.DeepEqual(got, counts) {
		t.Errorf("%+v became %+v", counts, got)
	}
}

// The clock of the replica that writes the status may be a little ahead.
func TestSeedOfTheNextMinuteWaits(t *testing.T) {
	t.Parallel()
	s := newSubmitter()
	s.Seed(agent, v1alpha1.SubmissionCounts{}, midnight)
	s.burst(2, nil, midnight)
	ahead := v1alpha1.SubmissionCounts{Minute: count(midnight.Add(time.Minute), 1, 3)}
	s.Seed(agent, ahead, midnight)
	if got := s.Submissions(agent, midnight).Minute; !reflect.DeepEqual(got, count(midnight, 2, 0)) {
		t.Errorf("%+v", got)
	}
	s.Seed(agent, ahead, midnight.Add(time.Minute))
	if got := s.Submissions(agent, midnight.Add(time.Minute)).Minute; !reflect.DeepEqual(got, count(midnight.Add(time.Minute), 1, 3)) {
		t.Errorf("%+v", got)
	}
}
