// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// maxOutcomeMessage is the schema's bound on the message of an outcome, in characters.
const maxOutcomeMessage = 4096

// report is the command ascend actions report.
type report struct {
	session           *session.Session
	succeeded, failed bool
	message           string
	dryRun            session.DryRun
}

func newReportCommand(s *session.Session, display string) *cobra.Command {
	o := &report{session: s}
	cmd := &cobra.Command{
		Use:   "report NAME",
		Short: "Say how an approved action went",
		Long: `Say how an action went that you submitted and that was approved. It is said once,
by the requester, and cannot be changed; the approval is used with it.
` + session.ExitCodesHelp,
		Example: session.Examples(`
			%[1]s act-7k2xp --succeeded --message "1 row updated"
			%[1]s act-7k2xp --failed --message "connection refused"`, display),
		Args:              session.Takes(1, 1, "an action", "ascend actions list"),
		ValidArgsFunction: Complete(s, v1alpha1.DecisionApproved),
		RunE: func(cmd *cobra.Command, names []string) error {
			switch {
			case o.succeeded == o.failed:
				return session.Usagef(cmd, "give either --succeeded or --failed")
			case len([]rune(o.message)) > maxOutcomeMessage:
				return session.Usagef(cmd, "the message is longer than %d characters", maxOutcomeMessage)
			}
			return o.run(cmd, Name(names[0]))
		},
	}
	cmd.Flags().BoolVar(&o.succeeded, "succeeded", false, "it was done")
	cmd.Flags().BoolVar(&o.failed, "failed", false, "it was tried and failed")
	cmd.Flags().StringVar(&o.message, "message", "", "what there is to say about it, for the record")
	o.dryRun.AddFlag(cmd)
	return cmd
}

func (o *report) result() v1alpha1.OutcomeResult {
	if o.succeeded {
		return v1alpha1.OutcomeSucceeded
	}
	return v1alpha1.OutcomeFailed
}

func (o *report) run(cmd *cobra.Command, name string) error {
	s := o.session
	cl, namespace, err := s.Connect()
	if err != nil {
		return err
	}
	action, err := Get(cmd.Context(), s, cl, client.ObjectKey{Namespace: namespace, Name: name})
	if err != nil {
		return err
	}
	name = terminal.Safe(name)
	switch outcome := action.Spec.Outcome; {
	case outcome != nil:
		return fmt.Errorf("the outcome of %s was reported already, and cannot be changed: %s", name, terminal.Safe(string(outcome.Result)))
	case action.Status.Decision != v1alpha1.DecisionApproved:
		return fmt.Errorf("%s is %s; an outcome can be reported only of what was approved", name, DecisionWord(action.Status.Decision))
	}
	at := metav1.NewMicroTime(s.Clock.Now().UTC())
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": action.UID}, // Conflict, if another one came under its name
		"spec":     map[string]any{"outcome": v1alpha1.Outcome{Result: o.result(), Message: o.message, CompletedAt: &at}},
	})
	if err != nil {
		return err
	}
	if err := o.dryRun.Patch(cmd, cl, action, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return s.Failed(err, "report the outcome of "+name)
	}
	if o.dryRun.On() {
		fmt.Fprintf(s.Out, "dry run: %s would be reported of %s; nothing was written\n", o.result(), name)
		return nil
	}
	fmt.Fprintf(s.Out, "reported: %s %s\n", name, o.result())
	return nil
}
