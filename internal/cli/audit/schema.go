// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/trail/schema"
)

// newSchemaCommand makes ascend audit schema.
func newSchemaCommand(s *session.Session, display string) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of audit records",
		Long: `Print the JSON Schema, draft 2020-12, of a line of the audit trail. Every field is
described in it. It needs no cluster.
` + session.ExitCodesHelp,
		Example: session.Examples(`
			%[1]s > audit-record.schema.json

			# What does each field mean?
			%[1]s | jq -r '.properties | to_entries[] | .key + ": " + .value.description'`, display),
		Args: session.TakesNothing,
		RunE: func(*cobra.Command, []string) error {
			_, err := s.Out.Write(schema.Text)
			return err
		},
	}
}
