// SPDX-License-Identifier: Apache-2.0

package cli

import "github.com/spf13/cobra"

// newActionsCommand has the commands about actions in it.
func newActionsCommand(s *session, display string) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "actions",
		Aliases: []string{"action"},
		Short:   "See what agents ask for",
		Example: examples("%[1]s list --agent-id tutorial-agent --limit 10", display),
		Args:    takesNothing,
		RunE:    showHelp,
	}
	cmd.AddCommand(newActionsListCommand(s, display+" list"))
	return cmd
}
