// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

func NewDenyCommand(s *session.Session, display string) *cobra.Command {
	o := &judge{session: s, verdict: v1alpha1.VerdictDeny}
	cmd := &cobra.Command{
		Use:   "deny NAME... --reason TEXT",
		Short: "Deny actions that wait for you",
		Long: `Deny actions that wait for a human. One person who is named in the stage that
waits is enough, and it is final. The requester is shown the reason.
` + session.ExitCodesHelp,
		Example:           session.Examples(`%[1]s act-7k2xp --reason "wrong customer"`, display),
		Args:              session.Takes(1, 0, "an action"),
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
