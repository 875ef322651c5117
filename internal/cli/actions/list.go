// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

const (
	// defaultListLimit keeps a list to a screen; --limit 0 lifts it.
	defaultListLimit = 50
	// listPageSize is how many actions are asked of the API server at once.
	listPageSize = 500
)

// The field selectors that the API server evaluates.
const (
	FieldAgentName = "spec.agentRef.name"
	FieldDecision  = "status.decision"
)

// actionsList is the command ascend actions list.
type actionsList struct {
	session       *session.Session
	agent         string
	limit         int
	allNamespaces bool
	output        string
	// note tells of what the limit cut off; not when the user set the limit.
	note bool
}

func newActionsListCommand(s *session.Session, display string) *cobra.Command {
	o := &actionsList{session: s}
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List actions, the newest last",
		Long: `List the actions that agents asked for, oldest first and newest last.

RISK is LOW, MEDIUM, HIGH or CRITICAL. DECISION is APPROVED, PENDING (a human
has to agree), DENIED, TIMEOUT (nobody agreed in time), CANCELLED, or
EVALUATING while the operator has not looked at the action yet.

Text in tables is made safe for a terminal: control, bidirectional and invisible
characters are shown escaped. -o json and -o yaml give the objects as they are.
` + session.ExitCodesHelp,
		Example: session.Examples(`
			# The last ten actions of the tutorial agent
			%[1]s --agent-id tutorial-agent --limit 10

			# Everything, in every namespace, with score, reason and requester
			%[1]s -A --limit 0 -o wide

			# For programs
			%[1]s -o json`, display),
		Args: session.TakesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.limit < 0 {
				return session.Usagef(cmd, "--limit is %d; it must be 0 (all) or more", o.limit)
			}
			if !slices.Contains(listFormats, o.output) {
				return session.Usagef(cmd, "there is no output format %q; use %s", o.output, strings.Join(listFormats[1:], ", "))
			}
			o.note = !cmd.Flags().Changed("limit")
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&o.agent, "agent-id", "", "only actions of the Agent of this name")
	cmd.Flags().IntVar(&o.limit, "limit", defaultListLimit, "at most this many, the newest; 0 for all")
	cmd.Flags().BoolVarP(&o.allNamespaces, "all-namespaces", "A", false, "look in every namespace")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "output format: wide, name, json or yaml")
	return cmd
}

func (o *actionsList) run(ctx context.Context) error {
	cl, namespace, err := o.session.Connect()
	if err != nil {
		return err
	}
	where := o.scope(namespace)
	newest := &newestActions{limit: o.limit}
	if err := newest.load(ctx, cl, where.options); err != nil {
		return o.session.Failed(err, "list actions "+where.words)
	}
	actions := newest.sorted()
	if len(actions) == 0 && (o.output == "" || o.output == outputWide || o.output == outputName) {
		fmt.Fprintf(o.session.ErrOut, "No actions%s %s.%s\n", o.ofAgent(), where.words, o.hint())
		return nil
	}
	if err := o.print(actions); err != nil {
		return err
	}
	if newest.dropped > 0 && o.note {
		fmt.Fprintf(o.session.ErrOut, "%d older actions are not shown; --limit 0 shows all.\n", newest.dropped)
	}
	return nil
}

// listScope is where to look: as options of a request, and in words.
type listScope struct {
	options []client.ListOption
	words   string
}

func (o *actionsList) scope(namespace string) listScope {
	scope := listScope{words: "in any namespace"}
	if !o.allNamespaces {
		scope.options = append(scope.options, client.InNamespace(namespace))
		scope.words = "in namespace " + terminal.Safe(namespace)
	}
	if o.agent != "" {
		scope.options = append(scope.options, client.MatchingFields{FieldAgentName: o.agent})
	}
	return scope
}

func (o *actionsList) ofAgent() string {
	if o.agent == "" {
		return ""
	}
	return " of agent " + terminal.Safe(o.agent)
}

func (o *actionsList) hint() string {
	if o.allNamespaces {
		return ""
	}
	return " Another namespace is chosen with -n, all of them with -A."
}

// newestActions keeps the newest of the actions it is given, so that memory
// follows the limit and not the history.
type newestActions struct {
	limit   int // 0: all
	dropped int
	kept    []v1alpha1.AgentAction
}

// load lists page by page, in the order of the API server, which is not that
// of age. When a list session.Takes so long that its continuation expires, it begins
// anew, without pages.
func (n *newestActions) load(ctx context.Context, cl client.Reader, options []client.ListOption) error {
	pageSize, next := int64(listPageSize), ""
	for {
		page := &v1alpha1.AgentActionList{}
		err := cl.List(ctx, page, append(slices.Clone(options), client.Limit(pageSize), client.Continue(next))...)
		switch {
		case apierrors.IsResourceExpired(err) && next != "":
			n.kept, n.dropped = nil, 0
			pageSize, next = 0, ""
			continue
		case err != nil:
			return err
		}
		n.add(page.Items)
		if next = page.Continue; next == "" {
			return nil
		}
	}
}

func (n *newestActions) add(page []v1alpha1.AgentAction) {
	n.kept = append(n.kept, page...)
	if excess := len(n.kept) - n.limit; n.limit > 0 && excess > 0 {
		slices.SortFunc(n.kept, byAge)
		n.kept = slices.Clone(n.kept[excess:])
		n.dropped += excess
	}
}

// sorted returns them oldest first.
func (n *newestActions) sorted() []v1alpha1.AgentAction {
	slices.SortFunc(n.kept, byAge)
	return n.kept
}

// byAge orders actions oldest first, those of one terminal.Moment by namespace and name.
func byAge(a, b v1alpha1.AgentAction) int {
	if c := SubmittedAt(&a).Compare(SubmittedAt(&b)); c != 0 {
		return c
	}
	if c := strings.Compare(a.Namespace, b.Namespace); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

// SubmittedAt is when the action was stored: to the microsecond once the
// operator has said so, to the second before.
func SubmittedAt(action *v1alpha1.AgentAction) time.Time {
	if at := action.Status.SubmittedAt; at != nil {
		return at.Time
	}
	return action.CreationTimestamp.Time
}
