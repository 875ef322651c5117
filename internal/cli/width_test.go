// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// scene is one run of a command, in a cluster as whoever uses it sees it.
type scene struct {
	argv []string
	in   interface {
		at(t *testing.T, d desk, argv ...string) result
	}
}

func (c *cluster) at(t *testing.T, d desk, argv ...string) result {
	t.Helper()
	return d.play(t.Context(), t, c, argv...)
}

func (w *workshop) at(t *testing.T, d desk, argv ...string) result {
	t.Helper()
	return d.build(t.Context(), t, w, argv...)
}

// scenes has a run of each command; what a command does otherwise is shown in the
// tests of its own.
func scenes(t *testing.T) map[string]scene {
	t.Helper()
	approved := decided(newAction("act-done", "database_read", 0), v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, "2.1", v1alpha1.RiskLevelLow)
	approved.Spec.Requester = &v1alpha1.Requester{Username: alice.Username, UID: alice.UID}
	own := func() *workshop {
		return &workshop{objects: append(registered(), approved.DeepCopy(), pending())}
	}
	approving, denying := with(pending(), cluster{operator: approves}), with(pending(), cluster{operator: denies})
	offline := &cluster{}
	return map[string]scene{
		"inbox":           {[]string{"ascend", "inbox"}, &cluster{objects: tutorial()}},
		"review":          {[]string{"ascend", "review", "act-ghi789"}, reviewed(everything())},
		"approve":         {[]string{"ascend", "approve", "act-ghi789", "--comment", "ticket 4711"}, &approving},
		"deny":            {[]string{"ascend", "deny", "act-ghi789", "--reason", "wrong customer"}, &denying},
		"submit":          {[]string{"ascend", "submit", "--agent-id", "tutorial-agent", "--type", "database_read", "--name", "act-ghi789", "--param", "table=customers"}, &workshop{operator: asApproved}},
		"wait":            {[]string{"ascend", "wait", "act-done"}, own()},
		"explain":         {[]string{"ascend", "explain", "act-ghi789"}, &cluster{objects: append(tutorial(), high(nil), tutorialAgent(nil))}},
		"actions list":    {[]string{"ascend", "actions", "list", "-o", "wide"}, &workshop{objects: everyWord()}},
		"actions get":     {[]string{"ascend", "actions", "get", "act-ghi789"}, own()},
		"actions cancel":  {[]string{"ascend", "actions", "cancel", "act-ghi789", "--yes"}, own()},
		"actions report":  {[]string{"ascend", "actions", "report", "act-done", "--succeeded"}, own()},
		"agents list":     {[]string{"ascend", "agents", "list"}, own()},
		"agents register": {[]string{"ascend", "agents", "register", "stock-agent", "--environment", "sandbox", "--owner", "data@example.com"}, &workshop{}},
		"agents suspend":  {[]string{"ascend", "agents", "suspend", "tutorial-agent", "--reason", "incident 12"}, own()},
		"agents resume":   {[]string{"ascend", "agents", "resume", "tutorial-agent", "--yes"}, &workshop{objects: []client.Object{tutorialAgent(func(spec *v1alpha1.AgentSpec) { spec.State = v1alpha1.AgentSuspended })}}},
		"agents token":    {[]string{"ascend", "agents", "token", "tutorial-agent"}, own()},
		"rules validate":  {[]string{"ascend", "rules", "validate", brokenPolicy}, offline},
		"rules test":      {[]string{"ascend", "rules", "test", goodPolicy + "/tests", "--cover"}, offline},
		"rules explain":   {[]string{"ascend", "rules", "explain", "large-refunds", "--rules", goodPolicy}, offline},
		"audit verify":    {[]string{"ascend", "audit", "verify", dayLog}, offline},
		"audit tail":      {[]string{"ascend", "audit", "tail", dayLog}, offline},
		"audit show":      {[]string{"ascend", "audit", "show", "act-drop", dayLog}, offline},
		"audit export":    {[]string{"ascend", "audit", "export", "--format", "csv", "--kind", "SmartRule", dayLog}, offline},
		"audit evidence":  {[]string{"ascend", "audit", "evidence", "--framework", "NIST-800-53", "--output", t.TempDir() + "/pack", dayLog}, offline},
		"simulate":        {[]string{"ascend", "simulate", "--rules", changedPolicy, "--audit-log", pastLog(t)}, offline},
	}
}

// Every command is shown in a narrow terminal, in a wide one, and in a pipe.
func TestEveryCommandAtEveryWidth(t *testing.T) {
	for name := range scenes(t) {
		for width, d := range screens {
			t.Run(strings.ReplaceAll(name, " ", "-")+"/"+width, func(t *testing.T) {
				fresh := scenes(t)[name] // what a command writes, the next one must not find
				r := fresh.in.at(t, d, fresh.argv...)
				if r.code != 0 && r.code != 3 {
					t.Errorf("exit code %d: %s", r.code, r.errOut)
				}
				checkGolden(t, withoutFolder(r.transcript(fresh.argv)))
			})
		}
	}
}

// withoutFolder takes the folder of a test out of its output.
func withoutFolder(text string) string {
	first, rest, _ := strings.Cut(text, "\n")
	if at := strings.Index(first, " --audit-log "); at >= 0 {
		first = first[:at] + " --audit-log audit.log"
	}
	return withoutPack(first + "\n" + rest)
}

// A command that is added has to be shown, too.
func TestEveryCommandHasAScene(t *testing.T) {
	shown := scenes(t)
	shown["version"] = scene{} // says how it was built: see TestVersionCommand
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		name := strings.TrimPrefix(cmd.CommandPath(), "ascend ")
		if _, has := shown[name]; !has && !cmd.HasSubCommands() {
			t.Errorf("no scene shows %s", name)
		}
		delete(shown, name)
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(Commands())
	for name := range shown {
		t.Errorf("there is a scene for %s, and no such command", name)
	}
}
