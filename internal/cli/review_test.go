// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// widths are those of golden files: a pipe, and two terminals.
var widths = map[string]int{"piped": 0, "80": 80, "120": 120}

// reviewed is a cluster with an action, its agent and a workflow of two stages.
func reviewed(action *v1alpha1.AgentAction) *cluster {
	workflow := high(func(w *v1alpha1.ApprovalWorkflowSpec) {
		w.Stages[0].Escalation = &v1alpha1.Escalation{Approvers: v1alpha1.ApproverSet{Groups: []v1alpha1.UserName{"managers"}}}
		w.ApprovalValidity = &metav1.Duration{Duration: time.Hour}
		w.OnTimeout = v1alpha1.OnTimeoutTimedOut
		w.RequireComment = true
	})
	agent := tutorialAgent(func(spec *v1alpha1.AgentSpec) {
		spec.State, spec.Environment, spec.Type = "Active", v1alpha1.EnvironmentSandbox, "Autonomous"
	})
	return &cluster{objects: []client.Object{sealed(action), workflow, agent}}
}

func TestReview(t *testing.T) {
	approvedAction := everything()
	approves(approvedAction)
	lied := everything()
	lied.Status.SpecDigest = "sha256:" + strings.Repeat("ab", 32)
	lied.Status.Risk.Score = "2.1"

	for name, action := range map[string]*v1alpha1.AgentAction{
		"pending":    pending(),
		"everything": everything(),
		"approved":   approvedAction,
		"new":        newAction("act-ghi789", "database_read", time.Second),
		"lied":       lied,
		"hostile":    hostile(),
		"unreadable": changed(func(a *v1alpha1.AgentAction) { a.Spec.Parameters.Raw = []byte(`{"id": 12345678901234567890}`) }),
	} {
		for at, width := range widths {
			t.Run(name+"-"+at, func(t *testing.T) {
				argv := []string{"ascend", "review", "act-ghi789"}
				r := desk{width: width}.play(t.Context(), t, reviewed(action), argv...)
				checkGolden(t, r.transcript(argv))
				mustFit(t, r.out, width)
			})
		}
	}
}

// mustFit checks that nothing is wider than the screen but what is to be copied,
// and that nothing reaches the terminal that commands it.
func mustFit(t *testing.T, out string, width int) {
	t.Helper()
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		copied := strings.HasPrefix(line, "  kubectl ")
		if n := len([]rune(line)); width > 0 && n > width && !copied {
			t.Errorf("a line has %d columns, the terminal %d: %s", n, width, line)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x202e || r == 0x200b || r == 0x0441 }) {
			t.Errorf("a line has what is not fit for a terminal: %q", line)
		}
	}
}

// What is long is cut, says how much is missing, and --full has all of it.
func TestReviewIsBounded(t *testing.T) {
	r := desk{width: 80}.play(t.Context(), t, reviewed(long()), "ascend", "review", "act-ghi789")
	if lines := strings.Count(r.out, "\n"); r.code != session.ExitOK || lines > 400 {
		t.Errorf("exit %d with %d lines, want 0 and at most 400", r.code, lines)
	}
	for _, says := range []string{
		"… (90 more lines; --full shows all)",    // of the description
		"script: |  (10000 lines)",               // of the parameter
		"… (11902 more lines; --full shows all)", // of the parameters: 10,000 + 2,000 and two keys
		"… (63440 more characters)",              // of the context
		fmt.Sprintf("kubectl approve act-ghi789 -n default --digest %s", digestOf(long())),
	} {
		if !strings.Contains(r.out, says) {
			t.Errorf("it does not say %q:\n%s", says, r.out)
		}
	}
	full := desk{}.play(t.Context(), t, reviewed(long()), "ascend", "review", "act-ghi789", "--full")
	if got := strings.Count(full.out, "| x\n"); got != 10000 {
		t.Errorf("--full shows %d of 10000 lines", got)
	}
	if !strings.Contains(full.out, strings.Repeat("0123456789abcdef", 4090)) || strings.Contains(full.out, "… (") {
		t.Error("--full cuts something")
	}
}

// A reviewer who may read neither agents nor workflows sees the rest, and is told.
func TestReviewMissing(t *testing.T) {
	argv := []string{"kubectl-ascend", "review", "aact/act-nope", "-n", "payments"}
	checkGolden(t, play(t, testServer, (&cluster{}).dial(t), argv...).transcript(argv))
}
