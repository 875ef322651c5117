// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// NewWaitCommand makes ascend wait.
func NewWaitCommand(s *session.Session, display string) *cobra.Command {
	output, timeout := &session.Output{}, time.Duration(0)
	cmd := &cobra.Command{
		Use:   "wait NAME",
		Short: "Wait until an action is decided",
		Long: `Wait until an action is approved, denied, timed out or cancelled, and end with an
exit code that says which. On a terminal it shows what the action waits for, who
can approve, and how long is left; in a pipe it is quiet until the decision.

It goes on after the connection was cut. An approval that is no longer good is a
failure, not an approval.
` + DecisionCodesHelp,
		Example: session.Examples(`
			# Go on only when it is approved
			%[1]s act-7k2xp --timeout 30m && ./update-billing-address.sh

			# For programs
			%[1]s act-7k2xp -o jsonpath='{.status.decision}'`, display),
		Args:              session.Takes(1, 1, "an action", "ascend actions list"),
		ValidArgsFunction: Complete(s, v1alpha1.DecisionPending),
		RunE: func(cmd *cobra.Command, names []string) error {
			if timeout < 0 {
				return session.Usagef(cmd, "--timeout is %s; it must be more than 0, or 0 for no end", timeout)
			}
			if err := output.Check(cmd); err != nil {
				return err
			}
			cl, namespace, err := s.Connect()
			if err != nil {
				return err
			}
			key := client.ObjectKey{Namespace: namespace, Name: Name(names[0])}
			w := &waiter{session: s, cl: cl, key: key, enough: isDecided, progress: newProgress(s)}
			action, err := w.wait(cmd.Context(), timeout)
			if err != nil {
				return interrupted(s, err, key)
			}
			w.tellTimeOver(action, timeout)
			return finish(s, output, action)
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "wait this long at most, such as 30m; 0 without end")
	output.AddFlags(cmd)
	return cmd
}
