// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"slices"
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func TestDifferences(t *testing.T) {
	status := &v1alpha1.AgentActionStatus{
		Decision:     v1alpha1.DecisionDenied,
		Message:      "Bulk delete operations require manager approval",
		Risk:         &v1alpha1.RiskStatus{Score: "10.0", Level: v1alpha1.RiskLevelCritical},
		DecidingRule: &v1alpha1.RuleReference{Name: "rule-no-bulk-delete", DisplayName: "Block Bulk Deletions"},
	}
	for name, c := range map[string]struct {
		expect expectation
		status *v1alpha1.AgentActionStatus
		want   []string
	}{
		"as expected":         {expectation{decision: v1alpha1.DecisionDenied, rule: "rule-no-bulk-delete", title: "Block Bulk Deletions"}, status, nil},
		"nothing is expected": {expectation{}, status, nil},
		"wrong decision and score": {expectation{decision: v1alpha1.DecisionApproved, score: "2.1"}, status, []string{
			`act: the decision is "Denied", expected "Approved"`, `act: the score is "10.0", expected "2.1"`,
		}},
		"not decided": {expectation{decision: v1alpha1.DecisionDenied, rule: "rule-no-bulk-delete"}, &v1alpha1.AgentActionStatus{}, []string{
			`act: the decision is "", expected "Denied"`, `act: the deciding rule is "", expected "rule-no-bulk-delete"`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.expect.differences("act", c.status); !slices.Equal(got, c.want) {
				t.Errorf("differences:\n%q\nwant:\n%q", got, c.want)
			}
		})
	}
}

// The story holds every row of the table in docs/scoring.md.
func TestStoryChecksEveryFixedPoint(t *testing.T) {
	want := map[string]expectation{
		"read-categories":        {decision: v1alpha1.DecisionApproved, score: "2.1", level: v1alpha1.RiskLevelLow},
		"read-customers":         {decision: v1alpha1.DecisionApproved, score: "5.3", level: v1alpha1.RiskLevelMedium, vector: readVector, base: "4.3"},
		"update-billing-address": {decision: v1alpha1.DecisionPending, score: "7.2", level: v1alpha1.RiskLevelHigh},
		"delete-inactive-users": {decision: v1alpha1.DecisionDenied, rule: "rule-no-bulk-delete", title: "Block Bulk Deletions",
			message: "Bulk delete operations require manager approval"},
		"read-orders":           {decision: v1alpha1.DecisionApproved},
		"read-customers-strict": {decision: v1alpha1.DecisionPending, score: "5.3", level: v1alpha1.RiskLevelMedium, vector: readVector, base: "4.3"},
	}
	for _, c := range chapters(false) {
		for _, s := range c.scenes {
			if expect, first := want[s.action]; first && s.expect != expect {
				t.Errorf("%s: %+v, want %+v", s.action, s.expect, expect)
			}
			delete(want, s.action)
		}
	}
	for action := range want {
		t.Errorf("the story does not have %s", action)
	}
	for _, c := range chapters(true) {
		if s := c.scenes[0]; s.action == "read-customers" && s.expect.decision != v1alpha1.DecisionPending {
			t.Error("in strict mode personal data has to wait for a person")
		}
	}
}

func TestMistakes(t *testing.T) {
	failed := errors.New("exit status 1")
	for name, c := range map[string]struct {
		refused, out string
		err          error
		want         []string
	}{
		"works":                   {"", "created", nil, nil},
		"fails":                   {"", "no", failed, []string{"c: exit status 1"}},
		"refused":                 {"by you", "cannot be approved by\n  you", failed, nil},
		"not refused":             {"by you", "cannot be approved by you", nil, []string{"c: it was not refused"}},
		"fails for another cause": {"by you", "not found", failed, []string{`c: it failed (exit status 1), but does not say "by you"`}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (scene{command: "c", refused: c.refused}).mistakes(c.out, c.err); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
