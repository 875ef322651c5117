// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

func newCancelCommand(s *session.Session, display string) *cobra.Command {
	yes, dryRun := false, session.DryRun("")
	cmd := &cobra.Command{
		Use:   "cancel NAME",
		Short: "Withdraw an action that is not decided yet",
		Long: `Withdraw an action that you submitted, as long as it is not decided. Nobody else
can, and it cannot be undone. What was approved already ends by itself.
` + session.ExitCodesHelp,
		Example:           session.Examples("%[1]s act-7k2xp\n%[1]s act-7k2xp --yes", display),
		Args:              session.Takes(1, 1, "an action", "ascend actions list"),
		ValidArgsFunction: Complete(s, v1alpha1.DecisionPending),
		RunE: func(cmd *cobra.Command, names []string) error {
			cl, namespace, err := s.Connect()
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			action, err := Get(ctx, s, cl, client.ObjectKey{Namespace: namespace, Name: Name(names[0])})
			if err != nil {
				return err
			}
			if err := cancellable(s, action); err != nil {
				return err
			}
			if !yes && !dryRun.On() {
				agreed, err := s.Confirm(ctx, "Withdraw "+Summary(action)+"?")
				switch {
				case errors.Is(err, session.ErrNoAnswer):
					return fmt.Errorf("nothing was withdrawn: it takes a confirmation, and %w\nLook at it with ascend explain, then say --yes", err)
				case err != nil:
					return s.Failed(err, "ask whether to withdraw it")
				case !agreed:
					return errors.New("nothing was withdrawn")
				}
			}
			return cancel(cmd, s, cl, action, dryRun)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	dryRun.AddFlag(cmd)
	return cmd
}

// cancellable says why an action cannot be withdrawn any more.
func cancellable(s *session.Session, action *v1alpha1.AgentAction) error {
	name, status := terminal.Safe(action.Name), &action.Status
	switch {
	case status.Decision == v1alpha1.DecisionCancelled, action.Spec.Cancelled && !isDecided(action):
		return fmt.Errorf("%s is withdrawn already", name)
	case status.Decision == v1alpha1.DecisionApproved:
		text := fmt.Sprintf("too late: %s is already APPROVED%s", name, decidedWhen(s, action))
		if until := status.ValidUntil; until != nil && s.Clock.Now().Before(until.Time) {
			text += "\nLeave the approval unused; it ends by itself: " + terminal.Deadline(s.Clock.Now(), until.Time)
		}
		return errors.New(text)
	case isDecided(action):
		return fmt.Errorf("too late: %s is already %s%s", name, DecisionWord(status.Decision), decidedWhen(s, action))
	default:
		return nil
	}
}

func decidedWhen(s *session.Session, action *v1alpha1.AgentAction) string {
	at := action.Status.DecidedAt
	if at == nil {
		return ""
	}
	return fmt.Sprintf(", %s (%s)", terminal.Moment(at.Time), terminal.Ago(s.Clock.Now(), at.Time))
}

func cancel(cmd *cobra.Command, s *session.Session, cl client.WithWatch, action *v1alpha1.AgentAction, dryRun session.DryRun) error {
	name := terminal.Safe(action.Name)
	data, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": action.UID}, // Conflict, if another one came under its name
		"spec":     map[string]any{"cancelled": true},
	})
	if err != nil {
		return err
	}
	patch := client.RawPatch(types.MergePatchType, data)
	if err := dryRun.Patch(cmd, cl, action, patch); err != nil {
		return s.Failed(err, "withdraw "+name)
	}
	if dryRun.On() {
		fmt.Fprintf(s.Out, "dry run: %s would be withdrawn; nothing was written\n", name)
		return nil
	}
	w := &waiter{session: s, cl: cl, key: client.ObjectKeyFromObject(action), uid: action.UID, enough: isDecided}
	after, err := w.wait(cmd.Context(), firstAnswer)
	switch {
	case err != nil:
		return err
	case after.Status.Decision == v1alpha1.DecisionCancelled:
		fmt.Fprintf(s.Out, "cancelled: %s\n", name)
		return nil
	case isDecided(after):
		return fmt.Errorf("too late: %s was decided meanwhile: %s: %s", name, DecisionWord(after.Status.Decision), terminal.Safe(after.Status.Message))
	default:
		fmt.Fprintf(s.Out, "recorded: %s is to be withdrawn; the operator has not answered within %s\nWhat comes of it: ascend wait %[1]s%[3]s\n", name, firstAnswer, s.NamespaceFlag(action.Namespace))
		return nil
	}
}
