// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// defaultListLimit keeps a list to a screen; --limit 0 lifts it.
const defaultListLimit = 50

// The field selectors that the API server evaluates.
const (
	FieldAgentName = "spec.agentRef.name"
	FieldDecision  = "status.decision"
)

// actionsList is the command ascend actions list.
type actionsList struct {
	session       *session.Session
	output        session.Output
	agent         string
	decision      string
	selector      string
	since         time.Duration
	limit         int
	allNamespaces bool
	watch         bool
	// note tells of what the limit cut off; not when the user set the limit.
	note bool
}

func newActionsListCommand(s *session.Session, display string) *cobra.Command {
	o := &actionsList{session: s, output: session.Output{Wide: true}}
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List actions, the newest last",
		Long: `List the actions that agents asked for, oldest first and newest last.

RISK is LOW, MEDIUM, HIGH or CRITICAL. DECISION is APPROVED, PENDING (a human
has to agree), DENIED, TIMEOUT (nobody agreed in time), CANCELLED, or
EVALUATING while the operator has not looked at the action yet.

Text in tables is made safe for a terminal: control, bidirectional and invisible
characters are shown escaped. -o json and -o yaml give the objects as they are;
with --limit 0 they are written as they come, in the order of the API server,
so that a long history takes little memory.
` + session.ExitCodesHelp,
		Example: session.Examples(`
			# The last ten actions of the tutorial agent
			%[1]s --agent-id tutorial-agent --limit 10

			# What waits for a human
			%[1]s -A --decision pending

			# Everything from now on
			%[1]s -A --limit 1 --watch

			# Everything of the last day, with score, reason and requester
			%[1]s -A --limit 0 --since 24h -o wide

			# For programs
			%[1]s --limit 0 -o json
			%[1]s -o jsonpath='{.items[*].metadata.name}'`, display),
		Args: session.TakesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			o.note = !cmd.Flags().Changed("limit")
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&o.agent, "agent-id", "", "only actions of the Agent of this name")
	cmd.Flags().StringVar(&o.decision, "decision", "", "only actions with this decision, such as pending or approved")
	cmd.Flags().StringVarP(&o.selector, "selector", "l", "", "only actions whose labels match, such as team=data")
	cmd.Flags().DurationVar(&o.since, "since", 0, "only actions submitted this long ago at most, such as 24h")
	cmd.Flags().IntVar(&o.limit, "limit", defaultListLimit, "at most this many, the newest; 0 for all")
	cmd.Flags().BoolVarP(&o.allNamespaces, "all-namespaces", "A", false, "look in every namespace")
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "go on and show every change, until Ctrl-C")
	o.output.AddFlags(cmd)
	completeFlag(cmd, "agent-id", CompleteAgents(s))
	completeFlag(cmd, "decision", cobra.FixedCompletions(decisionWords(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// check refuses what cannot be meant, before anything is asked of the server.
func (o *actionsList) check(cmd *cobra.Command) error {
	if err := o.output.Check(cmd); err != nil {
		return err
	}
	if _, err := labels.Parse(o.selector); err != nil {
		return session.Usagef(cmd, "-l: %s", terminal.Safe(err.Error()))
	}
	if _, known := decisionOf(o.decision); o.decision != "" && !known {
		return session.Usagef(cmd, "there is no decision %q; use %s", terminal.Safe(o.decision), strings.Join(decisionWords(), ", "))
	}
	switch {
	case o.limit < 0:
		return session.Usagef(cmd, "--limit is %d; it must be 0 (all) or more", o.limit)
	case o.since < 0:
		return session.Usagef(cmd, "--since is %s; it must be more than 0", o.since)
	}
	return nil
}

func (o *actionsList) run(ctx context.Context) error {
	cl, namespace, err := o.session.Connect()
	if err != nil {
		return err
	}
	where, err := o.scope(namespace)
	if err != nil {
		return err
	}
	stream, streams := newListStream(o.output.Format(), o.session.Out)
	switch {
	case o.watch:
		return o.follow(ctx, cl, where)
	case o.output.ForPeople() || o.output.Format() == session.OutputName:
		err = o.listRows(ctx, cl, where)
	case o.limit == 0 && streams:
		err = o.listStream(ctx, cl, where, stream)
	default:
		err = o.listObjects(ctx, cl, where)
	}
	return err
}

// listScope is where to look: as options of a request, and in words.
type listScope struct {
	options []client.ListOption
	words   string
}

func (o *actionsList) scope(namespace string) (listScope, error) {
	scope := listScope{words: "in any namespace"}
	if !o.allNamespaces {
		scope.options = append(scope.options, client.InNamespace(namespace))
		scope.words = "in namespace " + terminal.Safe(namespace)
	}
	fields := client.MatchingFields{}
	if o.agent != "" {
		fields[FieldAgentName] = o.agent
	}
	if o.decision != "" {
		decision, _ := decisionOf(o.decision)
		fields[FieldDecision] = string(decision)
	}
	if len(fields) > 0 {
		scope.options = append(scope.options, fields)
	}
	if o.selector != "" {
		selector, err := labels.Parse(o.selector)
		if err != nil {
			return scope, err
		}
		scope.options = append(scope.options, client.MatchingLabelsSelector{Selector: selector})
	}
	return scope, nil
}

// wanted says whether an action is young enough.
func (o *actionsList) wanted(action *v1alpha1.AgentAction) bool {
	return o.since == 0 || !SubmittedAt(action).Before(o.session.Clock.Now().Add(-o.since))
}

// listRows prints what keeps only a row of each action.
func (o *actionsList) listRows(ctx context.Context, cl client.Reader, where listScope) error {
	rows := &newest[row]{limit: o.limit, byAge: rowByAge}
	err := EachPage(ctx, cl, where.options, func(page []v1alpha1.AgentAction) error {
		for i := range page {
			if o.wanted(&page[i]) {
				rows.add(rowOf(&page[i]))
			}
		}
		return nil
	}, rows.forget)
	if err != nil {
		return o.session.Failed(err, "list actions "+where.words)
	}
	if len(rows.kept) == 0 {
		fmt.Fprintf(o.session.ErrOut, "No actions%s %s.%s\n", o.filters(), where.words, o.hint())
		return nil
	}
	if err := o.printRows(rows.sorted()); err != nil {
		return err
	}
	o.tellDropped(rows.dropped)
	return nil
}

func (o *actionsList) tellDropped(dropped int) {
	if dropped > 0 && o.note {
		fmt.Fprintf(o.session.ErrOut, "%d older actions are not shown; --limit 0 shows all.\n", dropped)
	}
}

func (o *actionsList) printRows(rows []row) error {
	if o.output.Format() == session.OutputName {
		for _, r := range rows {
			fmt.Fprintf(o.session.Out, "%s/%s\n", actionResource, terminal.Safe(r.name))
		}
		return nil
	}
	table, now := newActionTable(o.session, o.allNamespaces, o.output.IsWide()), o.session.Clock.Now()
	for _, r := range rows {
		table.add(r, now)
	}
	return table.Flush(o.session.Out)
}

// filters says what the list was restricted to.
func (o *actionsList) filters() string {
	var b strings.Builder
	if o.agent != "" {
		b.WriteString(" of agent " + terminal.Safe(o.agent))
	}
	if o.decision != "" {
		b.WriteString(" with decision " + strings.ToUpper(o.decision))
	}
	if o.selector != "" {
		b.WriteString(" with labels " + terminal.Safe(o.selector))
	}
	if o.since > 0 {
		b.WriteString(" of the last " + terminal.Span(o.since))
	}
	return b.String()
}

func (o *actionsList) hint() string {
	if o.allNamespaces {
		return ""
	}
	return " Another namespace is chosen with -n, all of them with -A."
}

// decisionOf is the decision that a word stands for, in any case.
func decisionOf(word string) (v1alpha1.Decision, bool) {
	switch strings.ToLower(word) {
	case "evaluating":
		return v1alpha1.DecisionNone, true
	case "pending":
		return v1alpha1.DecisionPending, true
	case "approved":
		return v1alpha1.DecisionApproved, true
	case "denied":
		return v1alpha1.DecisionDenied, true
	case "timeout", "timedout":
		return v1alpha1.DecisionTimedOut, true
	case "cancelled", "canceled":
		return v1alpha1.DecisionCancelled, true
	default:
		return "", false
	}
}

func decisionWords() []string {
	return []string{"pending", "approved", "denied", "timeout", "cancelled", "evaluating"}
}
