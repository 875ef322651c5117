// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// everyWord has an action for every word of the table, and one whose agent
// tries to write into the table.
func everyWord() []client.Object {
	hostile := decided(newAction("act-hostile", "database_read", 3*time.Hour), v1alpha1.DecisionDenied, "Evil\x1b[2K\nReason", "9.5", v1alpha1.RiskLevelCritical)
	hostile.Spec.Requester.Username = "mallory\u202egnp.exe\u200b"
	elsewhere := decided(newAction("act-elsewhere", "send_email", 26*time.Hour), v1alpha1.DecisionCancelled, v1alpha1.ReasonCancelledByRequester, "3.9", v1alpha1.RiskLevelLow)
	elsewhere.Namespace = "payments"
	elsewhere.Spec.AgentRef.Name = "mailer"
	return append(tutorial(),
		newAction("act-new", "database_read", -time.Second),
		decided(newAction("act-late", "database_write", 5*terminal.Day), v1alpha1.DecisionTimedOut, v1alpha1.ReasonApprovalTimeout, "7.2", v1alpha1.RiskLevelHigh),
		hostile, elsewhere)
}

func TestActionsList(t *testing.T) {
	for name, argv := range map[string][]string{
		"limit":           {"ascend", "actions", "list", "--agent-id", "tutorial-agent", "--limit", "3"},
		"every-word":      {"ascend", "actions", "list"},
		"wide":            {"ascend", "actions", "list", "-o", "wide"},
		"all-namespaces":  {"ascend", "actions", "list", "-A"},
		"other-agent":     {"ascend", "actions", "list", "-A", "--agent-id", "mailer"},
		"name":            {"ascend", "actions", "list", "-o", "name", "--limit", "0"},
		"json":            {"ascend", "actions", "list", "-o", "json", "--limit", "1"},
		"yaml":            {"ascend", "actions", "list", "-o", "yaml", "--limit", "1"},
		"empty":           {"ascend", "actions", "list", "-n", "nowhere"},
		"empty-agent":     {"ascend", "actions", "list", "-A", "--agent-id", "no\x1bbody"},
		"empty-json":      {"ascend", "actions", "list", "-n", "nowhere", "-o", "json"},
		"kubectl":         {"kubectl-ascend", "actions", "ls", "--limit=1"},
		"bad-limit":       {"ascend", "actions", "list", "--limit", "-1"},
		"bad-output":      {"ascend", "actions", "list", "-o", "xml"},
		"bad-argument":    {"ascend", "actions", "list", "act-1"},
		"unknown-flag":    {"kubectl-ascend", "actions", "list", "--nope"},
		"unknown-command": {"ascend", "actoins"},
	} {
		t.Run(name, func(t *testing.T) {
			c := &cluster{objects: everyWord()}
			checkGolden(t, play(t, testServer, c.dial(t), argv...).transcript(argv))
		})
	}
}

// The table of the tutorial.
func TestTutorialTable(t *testing.T) {
	c := &cluster{objects: tutorial()}
	argv := []string{"ascend", "actions", "list", "--agent-id", "tutorial-agent", "--limit", "10"}
	checkGolden(t, play(t, testServer, c.dial(t), argv...).transcript(argv))
}

// Without --limit, what was cut off is told.
func TestActionsListTellsOfMore(t *testing.T) {
	c := &cluster{}
	for i := range 50 + 2 {
		c.objects = append(c.objects, newAction(fmt.Sprintf("act-%d", i), "database_read", time.Hour))
	}
	r := play(t, testServer, c.dial(t), "ascend", "actions", "list")
	if r.errOut != "2 older actions are not shown; --limit 0 shows all.\n" {
		t.Errorf("stderr is %q", r.errOut)
	}
}
