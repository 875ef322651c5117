// SPDX-License-Identifier: Apache-2.0

// Package actions is the commands about what agents ask for: see it, understand it,
// ask, and wait for the answer.
package actions

import (
	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// NewCommand has the commands about actions in it.
func NewCommand(s *session.Session, display string) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "actions",
		Aliases: []string{"action"},
		Short:   "See what agents ask for, withdraw it, report on it",
		Long: `See what agents ask for, and why it was decided the way it was; withdraw a
request, and report what became of it.`,
		Example: session.Examples("%[1]s list --agent-id tutorial-agent --limit 10\n%[1]s get act-7k2xp -o yaml", display),
		Args:    session.TakesNothing,
		RunE:    session.ShowHelp,
	}
	cmd.AddCommand(
		newActionsListCommand(s, display+" list"),
		newActionsGetCommand(s, display+" get"),
		newCancelCommand(s, display+" cancel"),
		newReportCommand(s, display+" report"),
	)
	return cmd
}
