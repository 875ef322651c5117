// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// program is what the binary is under one of its names.
type program struct {
	// display is what the user types: "ascend", "kubectl approve", ….
	display string
	// build makes its top command.
	build func(s *session, display string) *cobra.Command
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
		return program{"kubectl approve", newApproveCommand}
	case "kubectl-deny":
		return program{"kubectl deny", newDenyCommand}
	default:
		return program{"ascend", newAscendCommand}
	}
}

// command makes the program's top command, which calls itself by its display
// name in every help text.
func (p program) command(s *session) *cobra.Command {
	cmd := p.build(s, p.display)
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[cobra.CommandDisplayNameAnnotation] = p.display
	return cmd
}

// newAscendCommand has every other command in it.
func newAscendCommand(s *session, display string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ascend",
		Short: "Decide what AI agents may do",
		Long: `An AI agent asks before it acts. See what agents ask for, why it was decided the
way it was, and approve or deny where a human has to agree.

It talks to the Kubernetes API server with your kubeconfig and your rights.
NO_COLOR is honoured: there are no colours.
` + exitCodesHelp,
		Example: examples(`
			# What did the tutorial agent ask for?
			%[1]s actions list --agent-id tutorial-agent --limit 10

			# Why was it decided so, and who can still approve?
			%[1]s explain act-7k2xp

			# Agree, or say no
			%[1]s approve act-7k2xp --comment "ticket 4711"
			%[1]s deny act-7k2xp --reason "wrong customer"`, display),
		Args: takesNothing,
		RunE: showHelp,
	}
	cmd.AddCommand(
		newActionsCommand(s, display+" actions"),
		newApproveCommand(s, display+" approve"),
		newDenyCommand(s, display+" deny"),
		newExplainCommand(s, display+" explain"),
		newVersionCommand(s, display+" version"),
	)
	return cmd
}

// examples indents the examples of a help text by two spaces and puts the
// name of the command in for %[1]s.
func examples(text, display string) string {
	text = strings.ReplaceAll(strings.Trim(text, "\n"), "%[1]s", display)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if line = strings.TrimSpace(line); line != "" {
			line = "  " + line
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}
