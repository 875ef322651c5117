// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// completionLimit bounds how many names a shell offers.
const completionLimit = 100

// Complete offers the names of actions with that decision, or all for
// an empty one, newest last. Where they cannot be listed it offers nothing.
func Complete(s *session.Session, decision v1alpha1.Decision) cobra.CompletionFunc {
	return func(cmd *cobra.Command, given []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		cl, namespace, err := s.Connect()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		options := []client.ListOption{client.InNamespace(namespace)}
		if decision != v1alpha1.DecisionNone {
			options = append(options, client.MatchingFields{FieldDecision: string(decision)})
		}
		newest := &newestActions{limit: completionLimit}
		if err := newest.load(cmd.Context(), cl, options); err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var names []cobra.Completion
		for _, action := range newest.sorted() {
			if slices.Contains(given, action.Name) {
				continue
			}
			names = append(names, cobra.CompletionWithDesc(terminal.Safe(action.Name),
				fmt.Sprintf("%s %s %s", terminal.Safe(action.Spec.ActionType), LevelWord(action.Status.Risk), DecisionWord(action.Status.Decision))))
		}
		return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}
