// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/agents"
	"github.com/ow-kai/ascend-operator/internal/cli/approvals"
	"github.com/ow-kai/ascend-operator/internal/cli/audit"
	"github.com/ow-kai/ascend-operator/internal/cli/authors"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/cli/webhooks"
)

// program is what the binary is under one of its names.
type program struct {
	// display is what the user types: "ascend", "kubectl approve", ….
	display string
	// build makes its top command.
	build func(s *session.Session, display string) *cobra.Command
	// completes: it does not do what it is asked, but says how the words could go on.
	completes bool
}

// programFor maps the name the binary was called by, with or without a folder
// and .exe, to a program. kubectl finds plugins by such names:
//
//	kubectl-ascend   kubectl ascend
//	kubectl-approve  kubectl approve, the same as ascend approve
//	kubectl-deny     kubectl deny, the same as ascend deny
//
// and what completes their arguments by such: kubectl_complete-approve. By any
// other name it is ascend; one that completes never does what the words say.
func programFor(argv0 string) program {
	name := argv0[strings.LastIndexAny(argv0, `/\`)+1:]
	plugin, completes := pluginNamed(strings.TrimSuffix(strings.ToLower(name), ".exe"))
	switch plugin {
	case "kubectl-ascend":
		return program{"kubectl ascend", newAscendCommand, completes}
	case "kubectl-approve":
		return program{"kubectl approve", approvals.NewApproveCommand, completes}
	case "kubectl-deny":
		return program{"kubectl deny", approvals.NewDenyCommand, completes}
	default:
		return program{"ascend", newAscendCommand, completes}
	}
}

// command makes the program's top command, which calls itself by its display
// name in every help text.
func (p program) command(s *session.Session) *cobra.Command {
	cmd := p.build(s, p.display)
	s.AddFlags(cmd.PersistentFlags())
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

It talks to the Kubernetes API server with your rights and no others.
` + session.ConnectionHelp + `
Colours are for terminals only, and NO_COLOR is honoured.
` + session.ExitCodesHelp,
		Example: session.Examples(`
			# What waits for me? Look at it, and agree or say no
			%[1]s inbox
			%[1]s review act-7k2xp
			%[1]s approve act-7k2xp --comment "ticket 4711"
			%[1]s deny act-7k2xp --reason "wrong customer"

			# What did the tutorial agent ask for, and why was it decided so?
			%[1]s actions list --agent-id tutorial-agent --limit 10
			%[1]s explain act-7k2xp

			# Are the rules in this folder valid, and do they what they should?
			%[1]s rules validate policy/
			%[1]s rules test policy/ --cover`, display),
		Args: session.TakesNothing,
		RunE: session.ShowHelp,
	}
	for _, group := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"For approvers:", []*cobra.Command{
			approvals.NewInboxCommand(s, display+" inbox"),
			approvals.NewReviewCommand(s, display+" review"),
			approvals.NewApproveCommand(s, display+" approve"),
			approvals.NewDenyCommand(s, display+" deny"),
		}},
		{"For agents and those who develop them:", []*cobra.Command{
			actions.NewSubmitCommand(s, display+" submit"),
			actions.NewWaitCommand(s, display+" wait"),
			actions.NewCommand(s, display+" actions"),
			actions.NewExplainCommand(s, display+" explain"),
			agents.NewCommand(s, display+" agents"),
			webhooks.NewCommand(s, display+" webhooks"),
		}},
		{"For authors of rules:", []*cobra.Command{
			authors.NewRulesCommand(s, display+" rules"),
			authors.NewSimulateCommand(s, display+" simulate"),
		}},
		{"For auditors:", []*cobra.Command{
			audit.NewCommand(s, display+" audit", buildVersion()),
		}},
	} {
		cmd.AddGroup(&cobra.Group{ID: group.title, Title: group.title})
		for _, sub := range group.commands {
			sub.GroupID = group.title
			cmd.AddCommand(sub)
		}
	}
	cmd.AddCommand(newVersionCommand(s, display+" version"))
	return cmd
}
