// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

func newActionsGetCommand(s *session.Session, display string) *cobra.Command {
	output := &session.Output{Wide: true}
	cmd := &cobra.Command{
		Use:   "get NAME...",
		Short: "Show single actions",
		Long: `Show actions by their names: as a table, or with -o as the objects they are.
The reasoning about one is what ascend explain shows.
` + session.ExitCodesHelp,
		Example: session.Examples(`
			%[1]s act-7k2xp
			%[1]s act-7k2xp -o yaml
			%[1]s act-7k2xp -o jsonpath='{.status.risk.score}'`, display),
		Args:              session.Takes(1, 0, "an action", "ascend actions list"),
		ValidArgsFunction: Complete(s, v1alpha1.DecisionNone),
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := output.Check(cmd); err != nil {
				return err
			}
			return getActions(cmd, s, output, names)
		},
	}
	output.AddFlags(cmd)
	return cmd
}

// getActions prints those that are there, also when others are not.
func getActions(cmd *cobra.Command, s *session.Session, output *session.Output, names []string) error {
	cl, namespace, err := s.Connect()
	if err != nil {
		return err
	}
	var found []v1alpha1.AgentAction
	for _, name := range names {
		action, err := Get(cmd.Context(), s, cl, client.ObjectKey{Namespace: namespace, Name: Name(name)})
		if err != nil {
			s.PrintError(err)
			continue
		}
		found = append(found, *action)
	}
	switch {
	case len(found) == 0:
		return session.ErrReported
	case output.ForPeople():
		table := newActionTable(s, false, output.IsWide())
		for i := range found {
			table.add(rowOf(&found[i]), s.Clock.Now())
		}
		err = table.Flush(s.Out)
	case len(names) == 1:
		err = output.Print(s.Out, &found[0])
	default:
		err = output.Print(s.Out, &v1alpha1.AgentActionList{Items: found})
	}
	if err == nil && len(found) < len(names) {
		return session.ErrReported
	}
	return err
}
