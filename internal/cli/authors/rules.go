// SPDX-License-Identifier: Apache-2.0

// Package authors is the commands of people who write rules: whether they are
// valid, whether they do what they should, what they would change, and what they say.
package authors

import (
	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// checkExitCodes ends the help of commands that check something.
const checkExitCodes = `
Exit codes: 0 nothing found, 1 could not check, 2 wrong usage, 3 something was found.`

// NewRulesCommand has the commands about rules in it.
func NewRulesCommand(s *session.Session, display string) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "rules",
		Aliases: []string{"rule"},
		Short:   "Check, test and read rules before they decide",
		Long: `Check, test and read SmartRules and what belongs to them, ApprovalWorkflows, the
RiskModel and Agents: in files, in a Git checkout, or in the live cluster.

Offline they need no cluster and no rights: the same code decides here and in
the operator.`,
		Example: session.Examples(`
			# Everything that the cluster would refuse, and what will surprise
			%[1]s validate policy/

			# Do they what they should?
			%[1]s test policy/ --cover

			# What does this one say?
			%[1]s explain rule-no-bulk-delete`, display),
		Args: session.TakesNothing,
		RunE: session.ShowHelp,
	}
	cmd.AddCommand(
		newValidateCommand(s, display+" validate"),
		newTestCommand(s, display+" test"),
		newExplainCommand(s, display+" explain"),
	)
	return cmd
}
