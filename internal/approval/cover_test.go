// SPDX-License-Identifier: Apache-2.0

package approval_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

func TestSetAll(t *testing.T) {
	t.Parallel()
	if got := names(slices.Collect(specs{"b": "autoApprove: true", "a": critical}.set(t).All())); !slices.Equal(got, []string{"a", "b"}) {
		t.Error(got)
	}
	for range (*approval.Set)(nil).All() {
		t.Error("the empty set has none")
	}
}

func TestCoversScore(t *testing.T) {
	t.Parallel()
	w := sound(t, "shop", "w", `{autoApprove: true, selector: {riskLevels: [High], maxRiskScore: "8.0"}}`)
	for score, want := range map[risk.Score]bool{69: false, 70: true, 80: true, 81: false} {
		if got := w.CoversScore(score); got != want {
			t.Errorf("%s: %t", score, got)
		}
	}
	if sound(t, "shop", "w", `{autoApprove: true}`).CoversScore(50) {
		t.Error("without a selector")
	}
}

func TestEclipsedBy(t *testing.T) {
	t.Parallel()
	const asks, auto = "stages: [{name: s, approvers: {users: [alice]}}]\n", "autoApprove: true\n"
	long := "[" + strings.Repeat("'a?b*c', ", 63) + "'x?']"
	for name, c := range map[string]struct {
		mine   string
		others specs
		want   []string
	}{
		"a higher priority":               {asks + "selector: {riskLevels: [Low]}", specs{"a": asks + "priority: 1\nselector: {}"}, []string{"a"}},
		"a lower priority":                {asks + "selector: {riskLevels: [Low]}", specs{"a": asks + "priority: -1\nselector: {}"}, nil},
		"an equal, with stages":           {asks + "selector: {}", specs{"a": asks + "selector: {}"}, nil},
		"an equal before one that passes": {auto + "selector: {riskLevels: [Low]}", specs{"a": asks + "selector: {}"}, []string{"a"}},
		"one that passes, before":         {auto + "selector: {}", specs{"a": auto + "selector: {}"}, []string{"a"}},
		"one that passes, after":          {auto + "selector: {}", specs{"z": auto + "selector: {}"}, nil},
		"one that passes, equal":          {asks + "selector: {}", specs{"a": auto + "selector: {}"}, nil},
		"several together": {asks + `selector: {riskLevels: [Low, Medium]}`,
			specs{"a": asks + "priority: 1\nselector: {riskLevels: [Low]}", "b": auto + "priority: 2\nselector: {maxRiskScore: \"6.0\", minRiskScore: \"3.0\"}", "c": asks + "priority: 1\nselector: {riskLevels: [Medium, High]}"}, []string{"a", "b", "c"}},
		"not all of it":             {asks + `selector: {riskLevels: [Low, Medium]}`, specs{"a": asks + "priority: 1\nselector: {riskLevels: [Low]}"}, nil},
		"fewer types":               {asks + `selector: {}`, specs{"a": asks + "priority: 1\nselector: {actionTypes: [x]}"}, nil},
		"fewer agents":              {asks + `selector: {}`, specs{"a": asks + "priority: 1\nselector: {agents: {names: [x]}}"}, nil},
		"a place that is claimed":   {asks + `selector: {environments: [sandbox]}`, specs{"a": asks + "priority: 1\nselector: {environments: [sandbox]}"}, nil},
		"a place that is certain":   {auto + `selector: {environments: [sandbox]}`, specs{"a": asks + "priority: 1\nselector: {environments: [sandbox, test]}"}, []string{"a"}},
		"places for all":            {auto + `selector: {}`, specs{"a": asks + "priority: 1\nselector: {environments: [sandbox, test]}"}, nil},
		"one that cannot be read":   {asks + `selector: {}`, specs{"a": asks + "priority: 1\nselector: {riskLevels: [Odd]}"}, nil},
		"itself cannot be read":     {asks + `selector: {riskLevels: [Odd]}`, specs{"a": asks + "priority: 1\nselector: {}"}, nil},
		"without a selector":        {asks, specs{"a": asks + "priority: 1\nselector: {}"}, nil},
		"only what is referred to":  {asks + `selector: {}`, specs{"a": asks + "priority: 1"}, nil},
		"more than can be compared": {asks + "selector: {actionTypes: " + long + "}", specs{"a": asks + "priority: 1\nselector: {actionTypes: " + long + "}"}, nil},
	} {
		mine := workflow(t, "shop", "mine", c.mine)
		if got := names(mine.EclipsedBy(c.others.set(t).With([]*approval.Workflow{mine}, nil))); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if sound(t, "shop", "w", `{autoApprove: true, selector: {}}`).EclipsedBy(nil) != nil {
		t.Error("there are no others")
	}
}

// What is eclipsed is never chosen, and nothing changes without it.
func TestWhatIsEclipsedIsNeverChosen(t *testing.T) {
	found := 0
	rapid.Check(t, func(rt *rapid.T) {
		var all []*approval.Workflow
		for _, name := range []string{"a", "b", "c", "d"} {
			object := &v1alpha1.ApprovalWorkflow{}
			object.Namespace, object.Name = "shop", name
			object.Spec.Priority = rapid.Int32Range(0, 2).Draw(rt, "priority")
			if object.Spec.AutoApprove = rapid.Bool().Draw(rt, "auto"); !object.Spec.AutoApprove {
				object.Spec.Stages = []v1alpha1.Stage{{Name: "s", Approvers: v1alpha1.ApproverSet{Users: []v1alpha1.UserName{"u"}}}}
			}
			object.Spec.Selector = &v1alpha1.WorkflowSelector{
				RiskLevels:   rapid.SampledFrom([][]v1alpha1.RiskLevel{nil, {"Low"}, {"High"}, {"Low", "Medium"}}).Draw(rt, "levels"),
				Environments: rapid.SampledFrom([][]v1alpha1.Environment{nil, nil, {"sandbox"}, {"sandbox", "production"}}).Draw(rt, "places"),
				ActionTypes:  rapid.SampledFrom([][]v1alpha1.Glob{nil, nil, {"db_*"}, {"db_read"}}).Draw(rt, "types"),
			}
			all = append(all, approval.Compile(object))
		}
		set := approval.NewSet(all)
		for _, w := range all {
			if len(w.EclipsedBy(set)) == 0 {
				continue
			}
			found++
			without := set.With(nil, []approval.Key{w.Key()})
			for range 10 {
				c := approval.Criteria{Score: risk.Score(rapid.IntRange(0, 100).Draw(rt, "score")), Facts: match.Facts{
					ActionType:   rapid.SampledFrom([]string{"db_read", "db_write", "x"}).Draw(rt, "type"),
					Environments: rapid.SampledFrom([][]string{nil, {"sandbox"}, {"", "sandbox"}, {"production", "sandbox"}, {"dr"}}).Draw(rt, "environments"),
				}}
				if with := set.Choose(c); slices.Contains(with, w) || !slices.Equal(with, without.Choose(c)) {
					rt.Fatalf("%+v chooses %v, without %s %v", c, names(with), w.Key(), names(without.Choose(c)))
				}
			}
		}
	})
	if found < 20 {
		t.Errorf("only %d were eclipsed, so little was tried", found)
	}
}
