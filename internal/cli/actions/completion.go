// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"fmt"
	"slices"
	"strings"

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
		rows := &newest[row]{limit: completionLimit, byAge: rowByAge}
		err = EachPage(cmd.Context(), cl, options, func(page []v1alpha1.AgentAction) error {
			for i := range page {
				rows.add(rowOf(&page[i]))
			}
			return nil
		}, rows.forget)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var names []cobra.Completion
		for _, r := range rows.sorted() {
			if !slices.Contains(given, r.name) {
				names = append(names, cobra.CompletionWithDesc(terminal.Safe(r.name), fmt.Sprintf("%s %s %s", terminal.Safe(r.actionType), r.level, r.decision)))
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// CompleteAgents offers the names of agents. Where they cannot be listed it
// offers nothing.
func CompleteAgents(s *session.Session) cobra.CompletionFunc {
	return func(cmd *cobra.Command, given []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		cl, namespace, err := s.Connect()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		agents := &v1alpha1.AgentList{}
		if err := cl.List(cmd.Context(), agents, client.InNamespace(namespace), client.Limit(completionLimit)); err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var names []cobra.Completion
		for i := range agents.Items {
			agent := &agents.Items[i]
			if !slices.Contains(given, agent.Name) {
				what := strings.Fields(terminal.Safe(fmt.Sprint(agent.Spec.Type, " ", agent.Spec.Environment, " ", agent.Spec.State)))
				names = append(names, cobra.CompletionWithDesc(terminal.Safe(agent.Name), strings.Join(what, " ")))
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeFlag registers what completes a flag that the command has.
func completeFlag(cmd *cobra.Command, flag string, complete cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // a flag that was not added: every test sees it
	}
}
