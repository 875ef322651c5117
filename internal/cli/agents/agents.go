// SPDX-License-Identifier: Apache-2.0

// Package agents is the commands about who may ask: register an agent, see it,
// stop it, and give it a key.
package agents

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// NewCommand has the commands about agents in it.
func NewCommand(s *session.Session, display string) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "agents",
		Aliases: []string{"agent"},
		Short:   "Register agents, see them, stop them, give them keys",
		Long: `An Agent is who may act: which ServiceAccount submits in its name, what it may ask
for at all, and who answers for it. Suspending one stops it at once, and takes
back approvals it has not used yet.`,
		Example: session.Examples(`
			%[1]s register stock-agent -n shop --owner data-team@example.com
			%[1]s list -A
			%[1]s suspend stock-agent -n shop --reason "behaves oddly"`, display),
		Args: session.TakesNothing,
		RunE: session.ShowHelp,
	}
	cmd.AddCommand(
		newRegisterCommand(s, display+" register"),
		newListCommand(s, display+" list"),
		newSuspendCommand(s, display+" suspend"),
		newResumeCommand(s, display+" resume"),
		newTokenCommand(s, display+" token"),
	)
	return cmd
}

// key names an agent in the namespace that was chosen.
func key(namespace, name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}

// get reads an agent; one that is not there is refused with where it is instead.
func get(ctx context.Context, s *session.Session, cl client.Reader, at types.NamespacedName) (*v1alpha1.Agent, error) {
	agent := &v1alpha1.Agent{}
	return agent, s.Read(ctx, cl, session.AgentKind, at, agent)
}

// stateWord is the state of an agent for people; what is left out is Active.
func stateWord(agent *v1alpha1.Agent) string {
	if agent.Spec.State == "" {
		return string(v1alpha1.AgentActive)
	}
	return terminal.Safe(string(agent.Spec.State))
}

func stateRole(agent *v1alpha1.Agent) terminal.Role {
	switch agent.Spec.State {
	case "", v1alpha1.AgentActive:
		return terminal.Good
	case v1alpha1.AgentSuspended:
		return terminal.Bad
	case v1alpha1.AgentRetired:
		return terminal.Faint
	default:
		return terminal.Plain
	}
}

// takesNames is for commands that take names of agents, at most so many unless
// that is 0.
func takesNames(most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return session.Usagef(cmd, "give the name of an agent, as `ascend agents list` shows it")
		case most > 0 && len(args) > most:
			return session.Usagef(cmd, "one name at a time; %q is too many", args[most:])
		}
		return nil
	}
}

func named(at types.NamespacedName) string {
	return fmt.Sprintf("%s in namespace %s", terminal.Safe(at.Name), terminal.Safe(at.Namespace))
}
