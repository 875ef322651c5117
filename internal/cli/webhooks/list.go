// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// list is the command ascend webhooks list.
type list struct {
	session       *session.Session
	output        session.Output
	allNamespaces bool
}

func newListCommand(s *session.Session, display string) *cobra.Command {
	o := &list{session: s, output: session.Output{Wide: true}}
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List subscriptions",
		Long: `List the subscriptions of a namespace. READY says whether deliveries can be made, and
otherwise why not; kubectl describe has the whole message. FAILED counts deliveries
that were given up after 24 hours, LAST is when one last succeeded. The counts are
some seconds old.
` + session.ExitCodesHelp,
		Example: session.Examples("%[1]s -A\n%[1]s -o wide\n%[1]s -o name", display),
		Args:    session.TakesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.output.Check(cmd); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().BoolVarP(&o.allNamespaces, "all-namespaces", "A", false, "look in every namespace")
	o.output.AddFlags(cmd)
	return cmd
}

func (o *list) run(ctx context.Context) error {
	cl, namespace, err := o.session.Connect()
	if err != nil {
		return err
	}
	options, where := []client.ListOption{}, "in any namespace"
	if !o.allNamespaces {
		options, where = append(options, client.InNamespace(namespace)), "in namespace "+terminal.Safe(namespace)
	}
	found := &v1alpha1.WebhookSubscriptionList{}
	err = cl.List(ctx, found, options...)
	switch {
	case err != nil:
		return o.session.Failed(err, "list subscriptions "+where)
	case !o.output.ForPeople():
		if len(found.Items) == 0 && o.output.Format() == session.OutputName {
			return nil
		}
		return o.output.Print(o.session.Out, found)
	case len(found.Items) == 0:
		fmt.Fprintf(o.session.ErrOut, "No subscriptions %s. Another namespace is chosen with -n, all of them with -A; docs/notifications.md says how to write one.\n", where)
		return nil
	default:
		return o.table(found.Items)
	}
}

func (o *list) table(found []v1alpha1.WebhookSubscription) error {
	table := o.session.ListTable(o.allNamespaces, o.output.IsWide(),
		[]terminal.Column{{Header: "NAME"}, {Header: "URL", Min: 16}, {Header: "READY"}, {Header: "DELIVERED"}, {Header: "FAILED"}, {Header: "LAST", Drop: 1}},
		[]terminal.Column{{Header: "FORMAT"}, {Header: "AGENT"}, {Header: "EVENTS"}, {Header: "LAST ERROR"}})
	for i := range found {
		table.Row(o.cells(&found[i])...)
	}
	return table.Flush(o.session.Out)
}

func (o *list) cells(subscription *v1alpha1.WebhookSubscription) []terminal.Cell {
	spec, status := &subscription.Spec, &subscription.Status
	var cells []terminal.Cell
	text := func(texts ...string) {
		for _, text := range texts {
			cells = append(cells, terminal.Cell{Text: orNothing(text)})
		}
	}
	if o.allNamespaces {
		text(subscription.Namespace)
	}
	text(subscription.Name, target(subscription))
	word, role := readyWord(subscription)
	cells = append(cells, terminal.Cell{Text: word, Role: role})
	last := nothing
	if at := status.LastDeliveryTime; at != nil {
		last = terminal.Ago(o.session.Clock.Now(), at.Time)
	}
	text(strconv.FormatInt(status.DeliveredTotal, 10), strconv.FormatInt(status.FailedTotal, 10), last)
	if o.output.IsWide() {
		agent := ""
		if spec.AgentRef != nil {
			agent = string(spec.AgentRef.Name)
		}
		events := make([]string, 0, len(spec.Events))
		for _, event := range spec.Events {
			events = append(events, string(event))
		}
		text(string(spec.Format), agent, strings.Join(events, ","), status.LastError)
	}
	return cells
}
