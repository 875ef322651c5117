// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/story"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// outputJSON is the format of lines as they are.
const outputJSON = "json"

// newShowCommand makes ascend audit show.
func newShowCommand(s *session.Session, display string) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "show ACTION [FILE...]",
		Short: "Tell the whole story of one action",
		Long: `Show every record of one action in its order, as a tree: who asked for what, its
risk, the rules that matched, who was asked and said what with which comment, the
decision, and what became of it. The action is named by its name, by NAMESPACE/NAME
or by its uid; one that is long deleted has its story, too.

With each record stands its number in its chain. A record that was changed after
it was written, or beside which one is missing in its chain, is told as such;
ascend audit verify checks the whole trail. Characters that do not show what they
are, are marked as [U+200B].

-o json prints the lines of the trail as they are.
` + filesHelp + `

Exit codes: 0 done, 1 failed or there is no such action, 2 wrong usage, 3 a record was changed or is missing.`,
		Example: session.Examples(`
			%[1]s act-7k2xp audit.log
			%[1]s act-7k2xp -n payments /var/log/ascend/

			# Of the operator that writes to stdout
			kubectl logs -n ascend-system deploy/ascend-controller-manager | %[1]s act-7k2xp -`, display),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || args[0] == "" {
				return session.Usagef(cmd, "give the name or the uid of an action, as `ascend audit tail` shows it")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(cmd, output); err != nil {
				return err
			}
			paths, err := logs(cmd, args[1:])
			if err != nil {
				return err
			}
			return show(cmd.Context(), s, args[0], paths, output)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveDefault
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "output format: json, the lines as they are")
	return cmd
}

// checkOutput refuses formats that a command of lines does not have.
func checkOutput(cmd *cobra.Command, output string) error {
	if output != "" && output != outputJSON {
		return session.Usagef(cmd, "there is no output format %q; use json", terminal.Safe(output))
	}
	return nil
}

func show(ctx context.Context, s *session.Session, name string, paths []string, output string) error {
	which := whichAction(name, namespaceOf(s))
	stories, unread, err := story.Gather(lines(ctx, s, paths), which)
	if err != nil {
		return unreadable(err)
	}
	if len(stories) == 0 {
		return missing(which, paths)
	}
	sound := true
	for i, told := range stories {
		sound = sound && told.Sound()
		if output == outputJSON {
			for _, entry := range told.Entries {
				fmt.Fprintf(s.Out, "%s\n", entry.Line)
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(s.Out)
		}
		if err := told.Write(s.Out, s.Style(), s.Screen.Width); err != nil {
			return err
		}
	}
	tellUnread(s, unread)
	if !sound {
		return session.ExitCodeError(session.ExitFound)
	}
	return nil
}

// whichAction is the action that is meant by a name or uid, also as kubectl and ascend
// actions list -o name write it, or as NAMESPACE/NAME, which ascend audit tail shows.
func whichAction(argument, namespace string) story.Which {
	for _, prefix := range []string{"agentaction.governance.ascendowkai.com/", "agentactions/", "agentaction/"} {
		if name, has := strings.CutPrefix(argument, prefix); has {
			return story.Which{Name: name, Namespace: namespace}
		}
	}
	if of, name, has := strings.Cut(argument, "/"); has && (namespace == "" || namespace == of) {
		return story.Which{Name: name, Namespace: of}
	}
	return story.Which{Name: argument, Namespace: namespace}
}

func missing(which story.Which, paths []string) error {
	where := "any namespace"
	if which.Namespace != "" {
		where = "namespace " + terminal.Safe(which.Namespace)
	}
	return fmt.Errorf("there is no record of action %s of %s in %s\nascend audit tail shows what is there", terminal.Safe(which.Name), where, terminal.Safe(strings.Join(paths, ", ")))
}
