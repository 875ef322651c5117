// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// NewDenyCommand makes ascend deny and kubectl deny.
func NewDenyCommand(s *session.Session, display string) *cobra.Command {
	o := &judge{session: s, verdict: v1alpha1.VerdictDeny}
	cmd := &cobra.Command{
		Use:   "deny NAME... | --all | --agent-id AGENT | -l SELECTOR --reason TEXT",
		Short: "Deny actions that wait for you",
		Long: `Deny actions that wait for a human. One person who is named in the stage that
waits is enough, and it is final. The requester is shown the reason.

Without names, --all, --agent-id and --selector choose among the actions that
wait for you. They are listed, and you are asked once; where there is no terminal
to ask on, it takes --yes.
` + session.ExitCodesHelp,
		Example: session.Examples(`
			# Deny one action
			%[1]s act-7k2xp --reason "wrong customer"

			# Everything of one agent that waits for you, after a look at the list
			%[1]s --agent-id stock-agent --reason "the agent runs amok"`, display),
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: actions.Complete(s, v1alpha1.DecisionPending),
		RunE: func(cmd *cobra.Command, names []string) error {
			if strings.TrimSpace(o.comment) == "" {
				return session.Usagef(cmd, "give the requester a --reason")
			}
			return o.run(cmd, names)
		},
	}
	cmd.Flags().StringVar(&o.comment, "reason", "", "reason for the record and for the requester (required)")
	o.addFlags(cmd)
	return cmd
}
