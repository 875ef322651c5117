// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/approvals"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// program is what the binary is under one of its names.
type program struct {
	// display is what the user types: "ascend", "kubectl approve", ….
	display string
	// build makes its top command.
	build func(s *session.Session, display string) *cobra.Command
}

// programFor maps the name the binary was called by, with or without a folder
// and .exe, to a program. kubectl finds plugins by such names:
//
//	kubectl-ascend   kubectl ascend
//	kubectl-approve  kubectl approve, the same as ascend approve
//	kubectl-deny     kubectl deny, the same as ascend deny
//
// By any other name it is ascend.
func programFor(argv0 string) program {
	name := argv0[strings.LastIndexAny(argv0, `/\`)+1:]
	name = strings.TrimSuffix(strings.ToLower(name), ".exe")
	switch name {
	case "kubectl-ascend":
		return program{"kubectl ascend", newAscendCommand}
	case "kubectl-approve":
		return program{"kubectl approve", approvals.NewApproveCommand}
	case "kubectl-deny":
		return program{"kubectl deny", approvals.NewDenyCommand}
	default:
		return program{"ascend", newAscendCommand}
	}
}

// command makes the program's top command, which calls itself by its display
// name in every help text.
func (p program) command(s *session.Session) *cobra.Command {
	cmd := p.build(s, p.display)
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[cobra.CommandDisplayNameAnnotation] = p.display
	return cmd
}

// newAscendCommand has every other command in it.
func newAscendCommand(s *session.Session, display string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ascend",
		Short: "Decide what AI agents may do",
		Long: `An AI agent asks before it acts. See what agents ask for, why it was decided the
way it was, and approve or deny where a human has to agree.

It talks to the Kubernetes API server with your kubeconfig and your rights.
NO_COLOR is honoured: there are no colours.
` + session.ExitCodesHelp,
		Example: session.Examples(`
			# What did the tutorial agent ask for?
			%[1]s actions list --agent-id tutorial-agent --limit 10

			# Why was it decided so, and who can still approve?
			%[1]s explain act-7k2xp

			# Agree, or say no
			%[1]s approve act-7k2xp --comment "ticket 4711"
			%[1]s deny act-7k2xp --reason "wrong customer"`, display),
		Args: session.TakesNothing,
		RunE: session.ShowHelp,
	}
	cmd.AddCommand(
		actions.NewCommand(s, display+" actions"),
		approvals.NewApproveCommand(s, display+" approve"),
		approvals.NewDenyCommand(s, display+" deny"),
		actions.NewExplainCommand(s, display+" explain"),
		newVersionCommand(s, display+" version"),
	)
	return cmd
}
