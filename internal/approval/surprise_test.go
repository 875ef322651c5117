// SPDX-License-Identifier: Apache-2.0

package approval_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
)

func TestShortage(t *testing.T) {
	t.Parallel()
	none := approval.Shortage{}
	cases := map[string]struct {
		spec string
		want approval.Shortage
	}{
		"enough": {`stages: [{name: a, approvers: {users: [alice, bob]}, required: 2}]`, none},
		"one person twice": {`stages: [{name: a, required: 2, approvers: {users: ["system:serviceaccount:ci:bot"], serviceAccounts: [{namespace: ci, name: bot}]}}]`,
			approval.Shortage{Stages: []string{"a"}, Required: 2, Named: 1}},
		"one person in two stages": {`stages: [{name: a, approvers: {users: [alice]}}, {name: b, approvers: {users: [alice]}}]`,
			approval.Shortage{Stages: []string{"a", "b"}, Required: 2, Named: 1}},
		"one person in two stages, allowed": {"distinctApprovers: false\n" +
			`stages: [{name: a, approvers: {users: [alice]}}, {name: b, approvers: {users: [alice]}}]`, none},
		"two people in three stages": {`stages: [{name: a, approvers: {users: [alice, bob]}}, {name: b, approvers: {users: [carol, dan]}},
  {name: c, approvers: {users: [alice, bob]}}, {name: d, approvers: {users: [bob, alice]}}]`,
			approval.Shortage{Stages: []string{"a", "c", "d"}, Required: 3, Named: 2}},
		"a group may have anybody":    {`stages: [{name: a, approvers: {users: [alice]}}, {name: b, approvers: {users: [alice], groups: [x]}}]`, none},
		"an escalation helps":         {`stages: [{name: a, approvers: {users: [alice]}}, {name: b, approvers: {users: [alice]}, timeout: 1h, escalation: {approvers: {users: [bob]}}}]`, none},
		"a group at escalation helps": {`stages: [{name: a, approvers: {users: [alice]}}, {name: b, approvers: {users: [alice]}, timeout: 1h, escalation: {approvers: {groups: [x]}}}]`, none},
		"an override": {`{stages: [{name: a, approvers: {users: [alice]}}], emergencyOverride: {required: 2, approvers: {users: ["system:serviceaccount:ci:bot"], serviceAccounts: [{namespace: ci, name: bot}]}}}`,
			approval.Shortage{Stages: []string{v1alpha1.OverrideStage}, Required: 2, Named: 1}},
		"nobody at all": {`autoApprove: true`, none},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, short := sound(t, "shop", "w", c.spec).Shortage()
			if diff := cmp.Diff(c.want, got); diff != "" || short != (c.want.Required > 0) {
				t.Errorf("short %t (-want +got):\n%s", short, diff)
			}
		})
	}
}

// A workflow that is not short can be passed: there are different people for
// every place. Found by trying everybody everywhere.
func TestShortageIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people := []string{"a", "b", "c", "d"}
		var stages []string
		var places [][]string
		for i := range rapid.IntRange(1, 4).Draw(t, "stages") {
			users := rapid.SliceOfNDistinct(rapid.SampledFrom(people), 1, 3, rapid.ID[string]).Draw(t, "users")
			required := rapid.IntRange(1, len(users)).Draw(t, "required")
			stages = append(stages, fmt.Sprintf("{name: s%d, required: %d, approvers: {users: [%s]}}", i, required, strings.Join(users, ", ")))
			for range required {
				places = append(places, users)
			}
		}
		spec := "stages: [" + strings.Join(stages, ", ") + "]"
		_, short := sound(&testing.T{}, "shop", "w", spec).Shortage()
		if can := seated(places, map[string]bool{}); can == short {
			t.Fatalf("%s\nshort: %t, can be passed: %t", spec, short, can)
		}
	})
}

// seated says whether each place can have a person of its own.
func seated(places [][]string, taken map[string]bool) bool {
	if len(places) == 0 {
		return true
	}
	for _, who := range places[0] {
		if taken[who] {
			continue
		}
		taken[who] = true
		if seated(places[1:], taken) {
			return true
		}
		delete(taken, who)
	}
	return false
}

func TestNeverChosen(t *testing.T) {
	t.Parallel()
	for selector, want := range map[string]string{
		`{}`:                   "",
		`{riskLevels: [High]}`: "",
		`{riskLevels: [High], maxRiskScore: "3.9"}`:          "no score between",
		`{riskLevels: [Low, High], maxRiskScore: "3.9"}`:     "",
		`{actionTypes: ["a b", "x,y"]}`:                      "none of its actionTypes can match",
		`{actionTypes: ["a b", "x*"]}`:                       "",
		`{agents: {names: ["Team_*"]}}`:                      "none of its agents.names can match",
		`{riskLevels: [Critical], minRiskScore: "9.9"}`:      "",
		`{riskLevels: [Medium], minRiskScore: "7.0"}`:        "no score between",
		`{environments: [x], agents: {names: ["team-?ob"]}}`: "",
	} {
		got := sound(t, "shop", "w", "autoApprove: true\nselector: "+selector).NeverChosen()
		if (got == "") != (want == "") || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", selector, got, want)
		}
	}
	if got := sound(t, "shop", "w", "autoApprove: true").NeverChosen(); got != "" {
		t.Errorf("without a selector: %q", got)
	}
}

func TestOverlapping(t *testing.T) {
	t.Parallel()
	const asks, auto = "stages: [{name: s, approvers: {users: [alice]}}]\n", "autoApprove: true\n"
	cases := map[string]struct {
		mine, other string
		want        bool
	}{
		"everything twice":       {asks + "selector: {}", asks + "selector: {}", true},
		"no selector":            {asks + "selector: {}", asks, false},
		"other levels":           {asks + "selector: {riskLevels: [High]}", asks + "selector: {riskLevels: [Critical]}", false},
		"a level and a score":    {asks + "selector: {riskLevels: [High]}", asks + `selector: {minRiskScore: "8.9"}`, true},
		"another priority":       {asks + "selector: {}\npriority: 1", asks + "selector: {}", false},
		"asks and approves":      {asks + "selector: {}", auto + "selector: {riskLevels: [Low]}", true},
		"both approve":           {auto + "selector: {}", auto + "selector: {riskLevels: [Low]}", false},
		"narrower types":         {asks + "selector: {actionTypes: [db_read]}", asks + "selector: {actionTypes: ['db_*']}", true},
		"types that may overlap": {asks + "selector: {actionTypes: ['*_read']}", asks + "selector: {actionTypes: ['db_*']}", false},
		"other places":           {asks + "selector: {environments: [test]}", asks + "selector: {environments: [Production]}", false},
		"one place in common":    {asks + "selector: {environments: [test, production]}", asks + "selector: {environments: [Production]}", true},
		"other agents":           {asks + "selector: {agents: {names: [a]}}", asks + "selector: {agents: {names: [b]}}", false},
		"one that is never":      {asks + "selector: {}", asks + "selector: {actionTypes: ['a b']}", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mine, other := sound(t, "shop", "mine", c.mine), sound(t, "shop", "other", c.other)
			set := approval.NewSet([]*approval.Workflow{mine, other})
			if found := mine.Overlapping(set); (found == other) != c.want {
				t.Errorf("found %v", found)
			}
			if found := other.Overlapping(set); (found == mine) != c.want {
				t.Errorf("the other way round, found %v", found)
			}
		})
	}
	if found := sound(t, "shop", "w", auto+"selector: {}").Overlapping(nil); found != nil {
		t.Error("found one in no set")
	}
}

func TestSearchForOverlapsIsBounded(t *testing.T) {
	t.Parallel()
	var globs []string
	for i := range 64 {
		globs = append(globs, fmt.Sprintf("'*%s?%d'", strings.Repeat("a", 200), i))
	}
	spec := "stages: [{name: s, approvers: {users: [alice]}}]\nselector: {actionTypes: [" + strings.Join(globs, ", ") + "]}"
	all := []*approval.Workflow{sound(t, "shop", "w", strings.ReplaceAll(spec, "?", "b?"))}
	for i := range 500 {
		all = append(all, sound(t, "shop", fmt.Sprint("w", i), spec))
	}
	start := time.Now()
	all[0].Overlapping(approval.NewSet(all))
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestCrowd(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"security": "", "system:authenticated": "everybody who can log in, agents among them", "system:unauthenticated": "whoever has not logged in",
		"system:anonymous": "whoever has not logged in", "system:masters": "those whom no RBAC holds back",
		"system:serviceaccounts": "every ServiceAccount of the cluster, agents among them", "system:serviceaccounts:shop": "every ServiceAccount of namespace shop",
	} {
		if got := approval.Crowd(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for name, none := range map[string]bool{
		"alice": false, "system:serviceaccount:a:b": false, "system:serviceaccount:a": true,
		"system:serviceaccount:a:": true, "system:serviceaccount::b": true, "system:serviceaccount:a:b:c": true,
	} {
		if got := approval.NoServiceAccount(name); got != none {
			t.Errorf("%s: %t, want %t", name, got, none)
		}
	}
}
