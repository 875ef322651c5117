// SPDX-License-Identifier: Apache-2.0

// Package approvals is the commands of people who agree, or do not.
package approvals

import (
	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

func NewApproveCommand(s *session.Session, display string) *cobra.Command {
	o := &judge{session: s, verdict: v1alpha1.VerdictApprove}
	override := false
	cmd := &cobra.Command{
		Use:   "approve NAME...",
		Short: "Approve actions that wait for you",
		Long: `Approve actions that wait for a human. What you approve is shown, and bound to
exactly that request: if it, its stage or its workflow changes meanwhile, nothing
is written. You count when you are named in the stage that waits, hold the verb
"approve" on its workflow, and the action is not your own.

With --override you take part in the emergency override (break-glass) of the
workflow instead: it needs the verb "override" and a comment, and is marked in
the audit trail.
` + session.ExitCodesHelp,
		Example: session.Examples(`
			# Approve one action
			%[1]s act-7k2xp --comment "ticket 4711"

			# Try it without writing anything
			%[1]s act-7k2xp --dry-run

			# Only if it is the security review that waits
			%[1]s act-7k2xp --stage security-review

			# Break-glass
			%[1]s act-7k2xp --override --comment "incident 12, nobody else reachable"`, display),
		Args:              session.Takes(1, 0, "an action"),
		ValidArgsFunction: actions.Complete(s, v1alpha1.DecisionPending),
		RunE: func(cmd *cobra.Command, names []string) error {
			if override {
				o.verdict = v1alpha1.VerdictOverride
				if o.comment == "" {
					return session.Usagef(cmd, "--override needs a --comment that says why")
				}
			}
			return o.run(cmd, names)
		},
	}
	cmd.Flags().StringVar(&o.comment, "comment", "", "comment for the record and for the requester")
	cmd.Flags().BoolVar(&override, "override", false, "take part in the emergency override instead of the stage")
	o.addFlags(cmd)
	return cmd
}
