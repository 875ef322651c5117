// SPDX-License-Identifier: Apache-2.0

// Package webhooks is the commands about who hears of actions: see the
// subscriptions of a namespace, and try one.
package webhooks

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// kind is how these commands speak of a WebhookSubscription.
var kind = session.Kind{GroupVersionKind: v1alpha1.GroupVersion.WithKind("WebhookSubscription"), Noun: "subscription", List: "ascend webhooks list -A"}

// NewCommand has the commands about subscriptions in it.
func NewCommand(s *session.Session, display string) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "webhooks",
		Aliases: []string{"webhook", "subscriptions"},
		Short:   "See who hears of actions, and try it",
		Long: `A WebhookSubscription sends what happens to the actions of a namespace to a URL:
to a program of yours, to Slack or to Microsoft Teams. docs/notifications.md says how
to write one and how a receiver knows that a delivery is genuine.`,
		Example: session.Examples(`
			%[1]s list -A
			%[1]s test audit-desk -n shop`, display),
		Args: session.TakesNothing,
		RunE: session.ShowHelp,
	}
	cmd.AddCommand(
		newListCommand(s, display+" list"),
		newTestCommand(s, display+" test"),
	)
	return cmd
}

// target is where a subscription sends to, for people.
func target(subscription *v1alpha1.WebhookSubscription) string {
	if from := subscription.Spec.URLFrom; from != nil {
		return fmt.Sprintf("(Secret %s)", from.Name)
	}
	return subscription.Spec.URL
}

// readiness is the Ready condition; nil where the operator has not said anything
// about the subscription as it is now.
func readiness(subscription *v1alpha1.WebhookSubscription) *metav1.Condition {
	ready := apimeta.FindStatusCondition(subscription.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.ObservedGeneration != subscription.Generation {
		return nil
	}
	return ready
}

// readyWord is the Ready condition as a word: Ready, or why not.
func readyWord(subscription *v1alpha1.WebhookSubscription) (string, terminal.Role) {
	switch ready := readiness(subscription); {
	case ready == nil:
		return nothing, terminal.Plain
	case ready.Status == metav1.ConditionTrue:
		return ready.Reason, terminal.Good
	default:
		return ready.Reason, terminal.Bad
	}
}

// nothing stands in a table for what is not there.
const nothing = "-"

func orNothing(text string) string {
	if text == "" {
		return nothing
	}
	return text
}

// safeLines is a message of the operator's, which may have commands on lines of
// their own, safe for the terminal.
func safeLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = terminal.Safe(lines[i])
	}
	return strings.Join(lines, "\n")
}

// completionLimit bounds how many names a shell offers.
const completionLimit = 100

// complete offers the names of subscriptions. Where they cannot be listed it
// offers nothing.
func complete(s *session.Session) cobra.CompletionFunc {
	return func(cmd *cobra.Command, given []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		cl, namespace, err := s.Connect()
		if err != nil || len(given) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		list := &v1alpha1.WebhookSubscriptionList{}
		if err := cl.List(cmd.Context(), list, client.InNamespace(namespace), client.Limit(completionLimit)); err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var names []cobra.Completion
		for i := range list.Items {
			names = append(names, cobra.CompletionWithDesc(terminal.Safe(list.Items[i].Name), terminal.Safe(target(&list.Items[i]))))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
