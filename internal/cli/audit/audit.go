// SPDX-License-Identifier: Apache-2.0

// Package audit is the commands that read the audit trail: whether it is as the
// operator wrote it, what is in it, and what others need of it.
package audit

import (
	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// NewCommand has the commands about the audit trail in it. Version is that of the
// program.
func NewCommand(s *session.Session, display, version string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Read the audit trail, and check that nobody changed it",
		Long: `Read the audit trail: one line of JSON for everything that happened to an action
and to policy, each with the hash of the line before.

The commands read files and standard input. They need no cluster and no rights;
only verify --against-cluster reads the cluster.`,
		Example: session.Examples(`
			# Was anything changed, removed or cut off?
			%[1]s verify --against-cluster audit.log

			# What happens now?
			%[1]s tail -f audit.log

			# All about one action
			%[1]s show act-7k2xp audit.log

			# For a spreadsheet, for a SIEM, for an auditor
			%[1]s export --format csv --since 7d --output week.csv audit.log
			%[1]s export --format ocsf audit.log
			%[1]s evidence --framework SOC2 --output evidence/ audit.log`, display),
		Args: session.TakesNothing,
		RunE: session.ShowHelp,
	}
	cmd.AddCommand(
		newVerifyCommand(s, display+" verify"),
		newTailCommand(s, display+" tail"),
		newShowCommand(s, display+" show"),
		newExportCommand(s, display+" export"),
		newEvidenceCommand(s, display+" evidence", version),
	)
	return cmd
}
