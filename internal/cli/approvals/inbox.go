// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// inbox is the command ascend inbox.
type inbox struct {
	session *session.Session
	display string
	choice  choice
	watch   bool
	output  session.Output

	judge     *judge
	namespace string
}

// NewInboxCommand makes ascend inbox.
func NewInboxCommand(s *session.Session, display string) *cobra.Command {
	o := &inbox{session: s, display: display, output: session.Output{Wide: true}}
	cmd := &cobra.Command{
		Use:   "inbox",
		Short: "List the actions that wait for you",
		Long: `List the pending actions that wait for you, the one with the nearest deadline
first: those where you, one of your groups, your ServiceAccount or the verb
approve is among those who can still approve the stage that waits. Your own
requests and what you have judged already are not among them.

STAGE is the stage that waits, GIVEN how many of the approvals it needs are given.
WAITS is how long approval has been asked for. Whether you may approve is known
in full only to admission, which also checks the verb approve.

With --watch the table stays up to date, in place on a terminal; in a pipe there
is a line for each change. Ctrl-C ends it.
` + session.ExitCodesHelp,
		Example: session.Examples(`
			# What waits for me?
			%[1]s

			# In every namespace, with who asks and why it waits
			%[1]s -A -o wide

			# Keep it open
			%[1]s -A -w

			# What waits at all, and for whom
			%[1]s --all`, display),
		Args: session.TakesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	o.choice.addFilters(flags, "only actions")
	flags.BoolVar(&o.choice.all, "all", false, "also those that wait for others, and for whom")
	flags.BoolVarP(&o.watch, "watch", "w", false, "keep the list up to date; Ctrl-C ends it")
	o.output.AddFlags(cmd)
	return cmd
}

func (o *inbox) check(cmd *cobra.Command) error {
	if err := o.choice.checkFilters(cmd); err != nil {
		return err
	}
	if o.watch && !o.output.ForPeople() {
		return session.Usagef(cmd, "--watch shows a table; for programs there is: kubectl get agentactions -w -o json")
	}
	return o.output.Check(cmd)
}

func (o *inbox) run(ctx context.Context) error {
	cl, namespace, err := o.session.Connect()
	if err != nil {
		return err
	}
	o.namespace = namespace
	o.judge = &judge{session: o.session, verdict: v1alpha1.VerdictApprove, cl: cl, policy: newPolicy(cl)}
	if o.judge.me, err = whoAmI(ctx, cl); err != nil {
		return o.session.Failed(err, "find out who you are")
	}
	if o.watch {
		return o.follow(ctx)
	}
	box := o.newMailbox()
	_, err = session.EachAction(ctx, cl, o.choice.scope(namespace),
		func(action *v1alpha1.AgentAction) { box.put(ctx, action, o.session.Clock.Now()) }, box.empty)
	if err != nil {
		return o.failed(err, "list")
	}
	if !o.output.ForPeople() {
		return o.printObjects(box)
	}
	return o.print(box, o.session.Clock.Now())
}

func (o *inbox) failed(err error, verb string) error {
	return o.judge.explained(o.session.Failed(err, verb+" actions "+o.choice.words(o.namespace)), o.choice.where(o.namespace))
}

// printObjects prints the actions as a list, whatever it is for.
func (o *inbox) printObjects(box *mailbox) error {
	list := &v1alpha1.AgentActionList{Items: []v1alpha1.AgentAction{}}
	for _, l := range box.sorted() {
		list.Items = append(list.Items, *l.action)
	}
	return o.output.Print(o.session.Out, list)
}

// print prints the table, and what to type next.
func (o *inbox) print(box *mailbox, now time.Time) error {
	letters := box.sorted()
	if len(letters) > 0 {
		if err := o.table(letters, now, o.session.Screen.Width).Flush(o.session.Out); err != nil {
			return err
		}
	}
	for _, line := range o.closing(box, letters) {
		fmt.Fprintln(o.session.ErrOut, line)
	}
	return nil
}

// closing is what comes below the table: what is suspicious in it, how much
// waits for others, and what to type next.
func (o *inbox) closing(box *mailbox, letters []*letter) []string {
	var lines []string
	mine, first := 0, (*letter)(nil)
	for _, l := range letters {
		if l.suspicious > 0 {
			lines = append(lines, fmt.Sprintf("! %s has %s", terminal.ShellWord(l.name), suspiciousWords(l.suspicious)))
		}
		if l.place.mine {
			mine++
			if first == nil {
				first = l
			}
		}
	}
	const most = 5
	if more := len(lines) - most; more > 0 {
		lines = append(lines[:most], fmt.Sprintf("! and %s more have some", terminal.Count(more, "action")))
	}
	if mine == 0 {
		return append(lines, o.nothing(box)...)
	}
	next := fmt.Sprintf("Next: %s review %s", o.program(), terminal.ShellWord(first.name))
	if o.choice.allNamespaces || *o.session.Flags.Namespace != "" {
		next += " -n " + terminal.ShellWord(first.namespace)
	}
	return append(lines, next)
}

// nothing says that nothing waits, to whom, and where else to look.
func (o *inbox) nothing(box *mailbox) []string {
	lines := []string{fmt.Sprintf("Nothing waits for you %s.", o.choice.words(o.namespace)), "You are " + o.judge.me.who() + "."}
	switch {
	case box.others == 0 && o.choice.all:
		lines[0] = fmt.Sprintf("Nothing waits for anybody %s.", o.choice.words(o.namespace))
	case box.others == 0:
		lines[0] += " Enjoy the quiet."
	case o.choice.all:
	default:
		lines = append(lines, fmt.Sprintf("%s for others: %s --all", waitWords(box.others), o.display))
	}
	if !o.choice.allNamespaces {
		lines = append(lines, "Other namespaces: "+o.display+" -A")
	}
	return lines
}

// program is how the user called ascend.
func (o *inbox) program() string {
	if name, found := cutLast(o.display, " inbox"); found {
		return name
	}
	return "ascend"
}
