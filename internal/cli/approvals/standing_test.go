// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"testing"

	"github.com/ow-kai/ascend-operator/internal/cli/actions"
)

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
		"verb last":       {[]string{actions.VerbApprove, "group:b"}, "group:b"},
		"verb":            {[]string{"user:x", actions.VerbApprove}, actions.VerbApprove},
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
