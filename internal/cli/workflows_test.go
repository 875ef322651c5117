// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func TestWithStage(t *testing.T) {
	named := func(name string, stages ...string) workflow {
		w := workflow{ref: v1alpha1.ObjectReference{Namespace: "ascend-system", Name: v1alpha1.ObjectName(name)}, spec: &v1alpha1.ApprovalWorkflowSpec{}}
		for _, stage := range stages {
			w.spec.Stages = append(w.spec.Stages, v1alpha1.Stage{Name: stage})
		}
		return w
	}
	unread := workflow{ref: v1alpha1.ObjectReference{Namespace: "default", Name: "secret"}}
	all := []workflow{named("high", "review", "boss"), named("other", "review"), unread}
	for stage, want := range map[string][]string{
		"ascend-system/high/review":                              {"high"},
		"ascend-system/other/review@2025-12-19T14:02:30.000000Z": {"other"},
		"boss":                             {"high", "secret"},
		"boss@2025-12-19T14:02:30.000000Z": {"high", "secret"},
		"unknown":                          {"secret"},
	} {
		var got []string
		for _, w := range withStage(all, stage) {
			got = append(got, string(w.ref.Name))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("stage %s (-want +got):\n%s", stage, diff)
		}
	}
	if got := withStage(all[:2], "unknown"); len(got) != 2 {
		t.Errorf("a stage of no workflow leaves %d, want all", len(got))
	}
}

func TestStageName(t *testing.T) {
	for stage, want := range map[string]string{
		"review":                           "review",
		"ascend-system/high/review":        "review",
		"review@2025-12-19T14:02:30.0Z":    "review",
		"ns/w/review@2025-12-19T14:02:30Z": "review",
	} {
		if got := stageName(stage); got != want {
			t.Errorf("%s is stage %s, want %s", stage, got, want)
		}
	}
}

func TestMemberOf(t *testing.T) {
	bot := identity{username: "system:serviceaccount:ops:bot", groups: []string{"b", "a", "system:serviceaccounts"}}
	for name, tc := range map[string]struct {
		entries []string
		want    string
	}{
		"own name first":  {[]string{"group:a", "serviceaccount:ops/bot"}, "serviceaccount:ops/bot"},
		"as a user":       {[]string{"user:system:serviceaccount:ops:bot"}, "user:system:serviceaccount:ops:bot"},
		"groups in order": {[]string{"group:a", "group:b"}, "group:a"},
		"verb last":       {[]string{verbApprove, "group:b"}, "group:b"},
		"verb":            {[]string{"user:x", verbApprove}, verbApprove},
		"nobody":          {[]string{"user:bot", "group:A", "serviceaccount:other/bot"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, found := bot.memberOf(tc.entries)
			if got != tc.want || found != (tc.want != "") {
				t.Errorf("got %q, %t, want %q", got, found, tc.want)
			}
		})
	}
}
