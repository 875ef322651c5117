// SPDX-License-Identifier: Apache-2.0

// Package actions is the commands about what agents ask for: see it, understand it,
// ask, and wait for the answer.
package actions

import (
	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// newActionsCommand has the commands about actions in it.
func NewCommand(s *session.Session, display string) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "actions",
		Aliases: []string{"action"},
		Short:   "See what agents ask for",
		Example: session.Examples("%[1]s list --agent-id tutorial-agent --limit 10", display),
		Args:    session.TakesNothing,
		RunE:    session.ShowHelp,
	}
	cmd.AddCommand(newActionsListCommand(s, display+" list"))
	return cmd
}
