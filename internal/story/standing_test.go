// SPDX-License-Identifier: Apache-2.0

package story_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/story"
	"github.com/ow-kai/ascend-operator/internal/trailtest"
)

// said is a record of one action: at which minute, based on which resourceVersion.
func said(event v1alpha1.EventType, decision v1alpha1.Decision, base string, minute int) audit.Record {
	return audit.Record{
		Event: event, Decision: decision, Reason: "Because", Namespace: "shop", Name: "act", UID: "u1", ResourceVersion: base,
		Time: trailtest.Start.Add(time.Duration(minute) * time.Minute),
	}
}

// Which decision holds, whichever replica's records come first, in Standing and in a Story.
func TestStanding(t *testing.T) {
	t.Parallel()
	pending := said(v1alpha1.EventActionPending, v1alpha1.DecisionPending, "1", 1)
	approved := said(v1alpha1.EventActionApproved, v1alpha1.DecisionApproved, "2", 5)
	back := said(audit.EventNotApplied, v1alpha1.DecisionApproved, "2", 6)
	withdrawn := said(audit.EventWithdrawn, v1alpha1.DecisionApproved, "3", 7)
	still := said(audit.EventNotApplied, v1alpha1.DecisionApproved, "3", 8)
	done := said(v1alpha1.EventActionExecuted, v1alpha1.DecisionApproved, "3", 9)
	early := said(v1alpha1.EventActionApproved, v1alpha1.DecisionApproved, "2", -59)
	for name, tc := range map[string]struct {
		first, second []audit.Record // of two replicas
		want          v1alpha1.Decision
	}{
		"nothing":                        {nil, []audit.Record{said(audit.EventEvaluated, v1alpha1.DecisionApproved, "1", 1)}, ""},
		"one replica after the other":    {[]audit.Record{pending}, []audit.Record{approved}, v1alpha1.DecisionApproved},
		"the clock was put back":         {[]audit.Record{pending, early}, nil, v1alpha1.DecisionApproved},
		"taken back":                     {[]audit.Record{pending, approved, back}, nil, v1alpha1.DecisionPending},
		"taken back, and nothing before": {[]audit.Record{approved, back}, nil, ""},
		"pending elsewhere, taken back":  {[]audit.Record{pending}, []audit.Record{approved, back}, v1alpha1.DecisionPending},
		"a withdrawal was taken back":    {[]audit.Record{approved}, []audit.Record{withdrawn, still}, v1alpha1.DecisionApproved},
		"decided again":                  {[]audit.Record{approved, back, said(v1alpha1.EventActionDenied, v1alpha1.DecisionDenied, "3", 7)}, nil, v1alpha1.DecisionDenied},
		"carried out":                    {[]audit.Record{approved}, []audit.Record{done}, v1alpha1.DecisionApproved},
		"nothing but its outcome":        {nil, []audit.Record{done}, v1alpha1.DecisionApproved},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := trailtest.Chained("a", slices.Clone(tc.first)), trailtest.Chained("b", slices.Clone(tc.second))
			for _, records := range [][]audit.Record{slices.Concat(a, b), slices.Concat(b, a)} {
				var standing story.Standing
				for i := range records {
					standing.Learn(&records[i])
				}
				if got := standing.Ruling().Decision; got != tc.want {
					t.Errorf("Standing: %q, want %q", got, tc.want)
				}
				first, _, _ := strings.Cut(written(t, gather(t, trailtest.Lines(records), story.Which{Name: "act"}), 0), "\n")
				word := story.DecisionWord(tc.want)
				if word == "" {
					word = "NOT DECIDED"
				}
				if !strings.HasPrefix(first, "shop/act: "+word) {
					t.Errorf("Story: %s, want %s", first, word)
				}
			}
		})
	}
}

// The records of a chain stay in their order when the clock is put back.
func TestClockPutBack(t *testing.T) {
	t.Parallel()
	records := trailtest.Chained("a", []audit.Record{
		said(v1alpha1.EventActionSubmitted, "", "1", 60), said(v1alpha1.EventActionPending, v1alpha1.DecisionPending, "1", 61), said(v1alpha1.EventActionApproved, v1alpha1.DecisionApproved, "2", 3),
	})
	other := trailtest.Chained("b", []audit.Record{said(audit.EventRefused, "", "2", 2)})
	found := gather(t, trailtest.Lines(slices.Concat(records, other)), story.Which{Name: "act"})
	var events []v1alpha1.EventType
	for _, entry := range found[0].Entries {
		events = append(events, entry.Event)
	}
	if want := []v1alpha1.EventType{audit.EventRefused, v1alpha1.EventActionSubmitted, v1alpha1.EventActionPending, v1alpha1.EventActionApproved}; !slices.Equal(events, want) {
		t.Errorf("the order is %v", events)
	}
}
