// SPDX-License-Identifier: Apache-2.0

package agents

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// stateChange is the commands ascend agents suspend and resume.
type stateChange struct {
	session *session.Session
	to      v1alpha1.AgentState
	reason  string
	dryRun  session.DryRun
	yes     bool
}

func newSuspendCommand(s *session.Session, display string) *cobra.Command {
	o := &stateChange{session: s, to: v1alpha1.AgentSuspended}
	cmd := &cobra.Command{
		Use:   "suspend NAME...",
		Short: "Stop an agent at once (kill switch)",
		Long: `Stop agents at once, without a question: what they ask for and what still waits is
denied, and approvals that were not used yet lose their validity. It can be
undone with resume; what was denied stays denied.
` + session.ExitCodesHelp,
		Example:           session.Examples("%[1]s stock-agent --reason \"behaves oddly, incident 12\"", display),
		Args:              takesNames(0),
		ValidArgsFunction: actions.CompleteAgents(s),
		RunE:              o.run,
	}
	o.addFlags(cmd)
	return cmd
}

func newResumeCommand(s *session.Session, display string) *cobra.Command {
	o := &stateChange{session: s, to: v1alpha1.AgentActive}
	cmd := &cobra.Command{
		Use:   "resume NAME...",
		Short: "Let a suspended agent act again",
		Long: `Let suspended agents ask again. It asks before it does so, because whoever
suspended them may know something you do not.
` + session.ExitCodesHelp,
		Example:           session.Examples("%[1]s stock-agent --reason \"incident 12 is closed\"\n%[1]s stock-agent --yes", display),
		Args:              takesNames(0),
		ValidArgsFunction: actions.CompleteAgents(s),
		RunE:              o.run,
	}
	o.addFlags(cmd)
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return cmd
}

func (o *stateChange) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, for the people who look at the agent")
	o.dryRun.AddFlag(cmd)
}

// run changes every agent, also after one failed.
func (o *stateChange) run(cmd *cobra.Command, names []string) error {
	cl, namespace, err := o.session.Connect()
	if err != nil {
		return err
	}
	failed := false
	for _, name := range names {
		err := o.change(cmd, cl, key(namespace, name))
		usage := (*session.UsageError)(nil)
		switch {
		case errors.As(err, &usage):
			return err
		case err != nil:
			o.session.PrintError(err)
			failed = true
		}
	}
	if failed {
		return session.ErrReported
	}
	return nil
}

func (o *stateChange) change(cmd *cobra.Command, cl client.Client, at types.NamespacedName) error {
	ctx := cmd.Context()
	if o.to == v1alpha1.AgentSuspended {
		return o.suspend(cmd, cl, at) // at once: nothing is read before
	}
	agent, err := get(ctx, o.session, cl, at)
	if err != nil {
		return err
	}
	name := terminal.Safe(at.Name)
	switch agent.Spec.State {
	case "", v1alpha1.AgentActive:
		fmt.Fprintf(o.session.Out, "unchanged: agent %s is Active\n", name)
		return nil
	case v1alpha1.AgentSuspended:
	case v1alpha1.AgentRetired:
		return fmt.Errorf("agent %s is Retired, which is meant to last\nTo use it again nevertheless: kubectl edit agent %[1]s%[2]s", name, o.session.NamespaceFlag(at.Namespace))
	default:
		return fmt.Errorf("the state of agent %s is %q, which this version of ascend does not know; use a newer one", name, stateWord(agent))
	}
	if !o.yes && !o.dryRun.On() {
		if err := o.ask(cmd, agent); err != nil {
			return err
		}
	}
	if err := o.write(cmd, cl, agent, agent.ResourceVersion); err != nil {
		return err
	}
	if !o.dryRun.On() {
		fmt.Fprintf(o.session.Out, "resumed: agent %s may ask again\n", name)
	}
	return nil
}

func (o *stateChange) ask(cmd *cobra.Command, agent *v1alpha1.Agent) error {
	question := fmt.Sprintf("Let agent %s (%s, owner %s) act again?", terminal.Safe(agent.Name), terminal.Safe(string(agent.Spec.Environment)), orNothing(terminal.Safe(agent.Spec.Owner)))
	if why := agent.Annotations[v1alpha1.StateReasonAnnotation]; why != "" {
		question = "It was suspended because: " + terminal.Safe(why) + "\n" + question
	}
	agreed, err := o.session.Confirm(cmd.Context(), question)
	switch {
	case errors.Is(err, session.ErrNoAnswer):
		return fmt.Errorf("agent %s stays suspended: it takes a confirmation, and %w\nSay --yes", terminal.Safe(agent.Name), err)
	case err != nil:
		return o.session.Failed(err, "ask whether to resume it")
	case !agreed:
		return fmt.Errorf("agent %s stays suspended", terminal.Safe(agent.Name))
	default:
		return nil
	}
}

func (o *stateChange) suspend(cmd *cobra.Command, cl client.Client, at types.NamespacedName) error {
	agent := &v1alpha1.Agent{}
	agent.Namespace, agent.Name = at.Namespace, at.Name
	if err := o.write(cmd, cl, agent, ""); err != nil {
		return err
	}
	if !o.dryRun.On() {
		fmt.Fprintf(o.session.Out, "suspended: agent %s may not act; what waits is denied, approvals not used yet are withdrawn\nTo undo: ascend agents resume %[1]s%[2]s\n",
			terminal.Safe(at.Name), o.session.NamespaceFlag(at.Namespace))
	}
	return nil
}

// write changes the state and the reason, and nothing else. With a version it
// fails where somebody else wrote meanwhile.
func (o *stateChange) write(cmd *cobra.Command, cl client.Client, agent *v1alpha1.Agent, version string) error {
	metadata := map[string]any{}
	if o.reason != "" {
		metadata["annotations"] = map[string]any{v1alpha1.StateReasonAnnotation: o.reason}
	} else if o.to == v1alpha1.AgentActive {
		metadata["annotations"] = map[string]any{v1alpha1.StateReasonAnnotation: nil}
	}
	if version != "" {
		metadata["resourceVersion"] = version
	}
	patch, err := json.Marshal(map[string]any{"metadata": metadata, "spec": map[string]any{"state": o.to}})
	if err != nil {
		return err
	}
	at := client.ObjectKeyFromObject(agent)
	if err := o.dryRun.Patch(cmd, cl, agent, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return o.failed(cmd.Context(), cl, err, at)
	}
	if o.dryRun.On() {
		fmt.Fprintf(o.session.Out, "dry run: agent %s would be %s; nothing was written\n", terminal.Safe(at.Name), o.to)
	}
	return nil
}
