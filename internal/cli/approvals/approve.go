// SPDX-License-Identifier: Apache-2.0

// Package approvals is the commands of people who agree, or do not.
package approvals

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// NewApproveCommand makes ascend approve and kubectl approve.
func NewApproveCommand(s *session.Session, display string) *cobra.Command {
	o := &judge{session: s, verdict: v1alpha1.VerdictApprove}
	override := false
	cmd := &cobra.Command{
		Use:   "approve NAME... | --all | --agent-id AGENT | -l SELECTOR",
		Short: "Approve actions that wait for you",
		Long: `Approve actions that wait for a human. What you approve is shown, and bound to
exactly that request: if it, its stage or its workflow changes meanwhile, nothing
is written. You count when you are named in the stage that waits, hold the verb
"approve" on its workflow, and the action is not your own.

Without names, --all, --agent-id and --selector choose among the actions that
wait for you. They are listed, and you are asked once; what comes in later is not
approved. Text with characters that do not show what they are is asked about by
itself. Where there is no terminal to ask on, nothing is approved without --yes,
or without --accept-suspicious.

With --override you take part in the emergency override (break-glass) of the
workflow instead: it needs the verb "override" and a comment, and is marked in
the audit trail.
` + session.ExitCodesHelp,
		Example: session.Examples(`
			# Approve one action
			%[1]s act-7k2xp --comment "ticket 4711"

			# Only what you have seen in ascend review
			%[1]s act-7k2xp --digest sha256:2c26b46b68ff

			# Everything of one agent that waits for you, after a look at the list
			%[1]s --agent-id stock-agent

			# Try it without writing anything
			%[1]s act-7k2xp --dry-run

			# Only if it is the security review that waits
			%[1]s act-7k2xp --stage security-review

			# Break-glass
			%[1]s act-7k2xp --override --comment "incident 12, nobody else reachable"`, display),
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: actions.Complete(s, v1alpha1.DecisionPending),
		RunE: func(cmd *cobra.Command, names []string) error {
			if override {
				o.verdict = v1alpha1.VerdictOverride
				if strings.TrimSpace(o.comment) == "" {
					return session.Usagef(cmd, "--override needs a --comment that says why")
				}
				if len(names) == 0 {
					return session.Usagef(cmd, "--override is for single actions; give their names")
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
