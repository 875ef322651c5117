// SPDX-License-Identifier: Apache-2.0

package agents

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// pageSize is how many agents are asked of the API server at once.
const pageSize = 500

// list is the command ascend agents list.
type list struct {
	session       *session.Session
	output        session.Output
	selector      string
	allNamespaces bool
}

func newListCommand(s *session.Session, display string) *cobra.Command {
	o := &list{session: s, output: session.Output{Wide: true}}
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List agents",
		Long: `List the agents of a namespace. STATE is Active, Suspended (the kill switch is on)
or Retired. ACTIONS counts what they asked for so far, LAST is when something was
last decided for them; both are at most some seconds old.
` + session.ExitCodesHelp,
		Example: session.Examples("%[1]s -A\n%[1]s -l team=data -o wide\n%[1]s -o name", display),
		Args:    session.TakesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.output.Check(cmd); err != nil {
				return err
			}
			selector, err := labels.Parse(o.selector)
			if err != nil {
				return session.Usagef(cmd, "-l: %s", terminal.Safe(err.Error()))
			}
			return o.run(cmd.Context(), selector)
		},
	}
	cmd.Flags().StringVarP(&o.selector, "selector", "l", "", "only agents whose labels match, such as team=data")
	cmd.Flags().BoolVarP(&o.allNamespaces, "all-namespaces", "A", false, "look in every namespace")
	o.output.AddFlags(cmd)
	return cmd
}

func (o *list) run(ctx context.Context, selector labels.Selector) error {
	cl, namespace, err := o.session.Connect()
	if err != nil {
		return err
	}
	options, where := []client.ListOption{client.MatchingLabelsSelector{Selector: selector}}, "in any namespace"
	if !o.allNamespaces {
		options, where = append(options, client.InNamespace(namespace)), "in namespace "+terminal.Safe(namespace)
	}
	agents, err := load(ctx, cl, options)
	switch {
	case err != nil:
		return o.session.Failed(err, "list agents "+where)
	case !o.output.ForPeople():
		if len(agents) == 0 && o.output.Format() == session.OutputName {
			return nil
		}
		return o.output.Print(o.session.Out, &v1alpha1.AgentList{Items: agents})
	case len(agents) == 0:
		fmt.Fprintf(o.session.ErrOut, "No agents %s. Another namespace is chosen with -n, all of them with -A; ascend agents register NAME makes one.\n", where)
		return nil
	default:
		return o.table(agents)
	}
}

// load lists page by page; anew where the pages expire.
func load(ctx context.Context, cl client.Reader, options []client.ListOption) ([]v1alpha1.Agent, error) {
	agents, next, again := []v1alpha1.Agent{}, "", true
	for {
		page := &v1alpha1.AgentList{}
		err := cl.List(ctx, page, append(slices.Clip(options), client.Limit(pageSize), client.Continue(next))...)
		if apierrors.IsResourceExpired(err) && again {
			agents, next, again = []v1alpha1.Agent{}, "", false
			continue
		}
		if err != nil {
			return nil, err
		}
		agents = append(agents, page.Items...)
		if next = page.Continue; next == "" {
			return agents, nil
		}
	}
}

func (o *list) table(agents []v1alpha1.Agent) error {
	table := o.session.ListTable(o.allNamespaces, o.output.IsWide(),
		[]terminal.Column{{Header: "NAME"}, {Header: "TYPE", Drop: 2}, {Header: "ENVIRONMENT", Drop: 1}, {Header: "STATE"},
			{Header: "OWNER", Min: 12}, {Header: "ACTIONS"}, {Header: "LAST"}},
		[]terminal.Column{{Header: "PENDING"}, {Header: "DENIED"}, {Header: "MAX RISK"}, {Header: "DISPLAY NAME"}})
	for i := range agents {
		table.Row(o.cells(&agents[i])...)
	}
	return table.Flush(o.session.Out)
}

func (o *list) cells(agent *v1alpha1.Agent) []terminal.Cell {
	spec, counts := &agent.Spec, agent.Status.Actions
	last := nothing
	if at := agent.Status.LastActionTime; at != nil {
		last = terminal.Ago(o.session.Clock.Now(), at.Time)
	}
	var cells []terminal.Cell
	text := func(texts ...string) {
		for _, text := range texts {
			cells = append(cells, terminal.Cell{Text: orNothing(text)})
		}
	}
	if o.allNamespaces {
		text(agent.Namespace)
	}
	text(agent.Name, string(spec.Type), string(spec.Environment))
	cells = append(cells, terminal.Cell{Text: stateWord(agent), Role: stateRole(agent)})
	text(spec.Owner, number(counts.Approved+counts.Denied+counts.Pending+counts.TimedOut), last)
	if o.output.IsWide() {
		text(number(counts.Pending), number(counts.Denied), string(spec.MaxRiskScore), spec.DisplayName)
	}
	return cells
}

// nothing stands in a table for what is not there.
const nothing = "-"

func orNothing(text string) string {
	if text == "" {
		return nothing
	}
	return text
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
