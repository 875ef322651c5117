// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

func TestProgramFor(t *testing.T) {
	for argv0, want := range map[string]string{
		"ascend":                         "ascend",
		"bin/ascend":                     "ascend",
		"./kubectl-ascend":               "kubectl ascend",
		"kubectl-approve":                "kubectl approve",
		"some/where/kubectl-approve":     "kubectl approve",
		`C:\bin\kubectl-deny.exe`:        "kubectl deny",
		"KUBECTL-DENY.EXE":               "kubectl deny",
		"ascend-v1.2.3":                  "ascend",
		"kubectl-approve-something-else": "ascend",
		"kubectl_complete-approve":       "kubectl approve",
		"/some/kubectl_complete-ascend":  "kubectl ascend",
		"KUBECTL_COMPLETE-DENY.EXE":      "kubectl deny",
		"kubectl_complete-other":         "ascend",
		"":                               "ascend",
	} {
		if got := programFor(argv0).display; got != want {
			t.Errorf("called as %q it is %q, want %q", argv0, got, want)
		}
	}
}

// Every command has a help with session.Examples under its own name, and the exit
// codes are documented at the top.
func TestHelp(t *testing.T) {
	for name, argv := range map[string][]string{
		"ascend":          {"ascend", "--help"},
		"approve":         {"ascend", "approve", "--help"},
		"kubectl-approve": {"kubectl-approve", "--help"},
		"kubectl-deny":    {"kubectl-deny", "--help"},
		"kubectl-ascend":  {"kubectl-ascend", "explain", "--help"},
		"actions":         {"ascend", "actions"},
	} {
		t.Run(name, func(t *testing.T) {
			r := play(t, testServer, (&cluster{}).dial(t), argv...)
			// The flags of the connection are cli-runtime's and change with it.
			r.out, _, _ = strings.Cut(r.out, "      --as string")
			checkGolden(t, r.transcript(argv))
		})
	}
}

func TestVersionCommand(t *testing.T) {
	r := play(t, testServer, nil, "ascend", "version")
	if r.code != session.ExitOK || !strings.HasPrefix(r.out, "ascend ") {
		t.Errorf("got %+v", r)
	}
}

func TestCompletion(t *testing.T) {
	c := &cluster{objects: everyWord()}
	for name, argv := range map[string][]string{
		"approve":         {"ascend", "__complete", "approve", ""},
		"approve-second":  {"ascend", "__complete", "approve", "act-ghi789", ""},
		"explain":         {"ascend", "__complete", "explain", ""},
		"kubectl-approve": {"kubectl-approve", "__complete", ""},
		"namespace":       {"ascend", "__complete", "explain", "-n", "payments", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := play(t, testServer, c.dial(t), argv...)
			r.errOut = "" // cobra says there what it does
			checkGolden(t, r.transcript(argv))
		})
	}
	if r := play(t, testServer, nil, "ascend", "completion", "bash"); r.code != session.ExitOK || !strings.Contains(r.out, "bash completion") {
		t.Errorf("no completion script: %+v", r)
	}
}
