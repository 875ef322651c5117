// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// maxAtOnce is how many actions can be judged with one confirmation: nobody
// reads longer lists.
const maxAtOnce = 100

// choice is which of the actions that wait for the user are meant, where they
// are not named.
type choice struct {
	all           bool
	agent         string
	selector      string
	allNamespaces bool
	yes           bool
}

func (c *choice) addFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&c.all, "all", false, "all that wait for you")
	c.addFilters(flags, "all that wait for you")
	flags.BoolVarP(&c.yes, "yes", "y", false, "do not ask for confirmation; for scripts")
}

// addFilters adds the flags that other commands have, too.
func (c *choice) addFilters(flags *pflag.FlagSet, what string) {
	flags.StringVarP(&c.selector, "selector", "l", "", what+" with these labels, such as app=shop")
	flags.StringVar(&c.agent, "agent-id", "", what+" of the Agent of this name")
	flags.BoolVarP(&c.allNamespaces, "all-namespaces", "A", false, "look in every namespace")
}

// chosen says whether anything chooses actions.
func (c *choice) chosen() bool { return c.all || c.agent != "" || c.selector != "" }

// check refuses what does not go together.
func (c *choice) check(cmd *cobra.Command, names []string) error {
	switch {
	case len(names) > 0 && c.chosen():
		return session.Usagef(cmd, "give either names or --all, --agent-id and --selector, not both")
	case len(names) > 0 && c.allNamespaces:
		return session.Usagef(cmd, "a name is of one namespace; choose it with -n, or leave out the name and add --all")
	case len(names) == 0 && !c.chosen():
		return session.Usagef(cmd, "give the name of an action, as `ascend inbox` shows it, or --all, --agent-id or --selector")
	}
	return c.checkFilters(cmd)
}

// checkFilters refuses filters that are given and filter nothing, such as a
// variable of a script that is not set: everything would be meant.
func (c *choice) checkFilters(cmd *cobra.Command) error {
	selector, err := c.labels()
	switch {
	case err != nil:
		return session.Usagef(cmd, "--selector: %s", terminal.Safe(err.Error()))
	case selector.Empty() && cmd.Flags().Changed("selector"):
		return session.Usagef(cmd, "--selector is empty, which would choose everything")
	default:
		return session.NotEmpty(cmd, "agent-id")
	}
}

func (c *choice) labels() (labels.Selector, error) { return labels.Parse(c.selector) }

// scope is where to look, as options of a request, for pending actions.
func (c *choice) scope(namespace string) []client.ListOption {
	fields := client.MatchingFields{actions.FieldDecision: string(v1alpha1.DecisionPending)}
	if c.agent != "" {
		fields[actions.FieldAgentName] = c.agent
	}
	options := []client.ListOption{fields}
	if !c.allNamespaces {
		options = append(options, client.InNamespace(namespace))
	}
	if selector, err := c.labels(); err == nil && !selector.Empty() {
		options = append(options, client.MatchingLabelsSelector{Selector: selector})
	}
	return options
}

// words say where that is: "in namespace default, of agent shop".
func (c *choice) words(namespace string) string {
	text := "in namespace " + terminal.Safe(namespace)
	if c.allNamespaces {
		text = "in any namespace"
	}
	if c.agent != "" {
		text += ", of agent " + terminal.Safe(c.agent)
	}
	if c.selector != "" {
		text += ", with labels " + terminal.Safe(c.selector)
	}
	return text
}

// where is the namespace of permissions: empty for all of them.
func (c *choice) where(namespace string) string {
	if c.allNamespaces {
		return ""
	}
	return namespace
}

// candidate is an action that was chosen, as it was shown.
type candidate struct {
	action *v1alpha1.AgentAction
	as     string
	found  *findings
}

// runChoice judges all that wait for the user and were chosen, after they were
// shown and confirmed; those, as they were then, and no others.
func (j *judge) runChoice(ctx context.Context, namespace string) error {
	chosen, others, err := j.choose(ctx, namespace)
	if err != nil {
		return err
	}
	if len(chosen) == 0 {
		fmt.Fprintf(j.session.ErrOut, "Nothing waits for you %s%s.\nYou are %s.\n", j.choice.words(namespace), othersWord(others), j.me.who())
		return nil
	}
	if err := j.show(chosen, j.choice.words(namespace)); err != nil {
		return err
	}
	if err := j.confirm(ctx, chosen); err != nil {
		return err
	}
	sum := &tally{}
	for _, c := range chosen {
		result, err := j.give(ctx, c.action)
		j.count(sum, result, err)
	}
	return j.sumUp(sum, len(chosen))
}

func othersWord(others int) string {
	if others == 0 {
		return ""
	}
	return "; " + waitWords(others) + " for others"
}

// waitWords says how many wait: "1 action waits", "3 actions wait".
func waitWords(n int) string {
	if n == 1 {
		return "1 action waits"
	}
	return fmt.Sprintf("%d actions wait", n)
}

// choose finds the actions that are meant, and counts those that wait for others.
func (j *judge) choose(ctx context.Context, namespace string) (chosen []candidate, others int, err error) {
	now := j.session.Clock.Now()
	tooMany := 0
	_, err = session.EachAction(ctx, j.cl, j.choice.scope(namespace), func(action *v1alpha1.AgentAction) {
		place := j.placeOf(ctx, action, now)
		switch {
		case !place.mine || j.refuseOtherStage(action, now) != "":
			others++
		case len(chosen) == maxAtOnce:
			tooMany++
		default:
			chosen = append(chosen, candidate{action, place.as, asked(action)})
		}
	}, func() { chosen, others, tooMany = nil, 0, 0 })
	if err != nil {
		return nil, 0, j.explained(j.session.Failed(err, "list actions "+j.choice.words(namespace)), j.choice.where(namespace))
	}
	if tooMany > 0 {
		return nil, 0, fmt.Errorf("%d actions are too many to judge at once, the limit is %d: nobody reads such a list\n"+
			"Choose fewer with --agent-id or --selector; ascend inbox shows all", len(chosen)+tooMany, maxAtOnce)
	}
	sortCandidates(chosen)
	return chosen, others, nil
}

// show lists what is to be judged. What cannot be judged is refused in its turn.
func (j *judge) show(chosen []candidate, where string) error {
	fmt.Fprintf(j.people(), "%s for you %s:\n", waitWords(len(chosen)), where)
	for _, c := range chosen {
		fmt.Fprintln(j.people())
		page, _ := j.brief(c.action, c.as, c.found) // what is cut says so, and a question follows
		if err := page.write(j.people()); err != nil {
			return err
		}
	}
	fmt.Fprintln(j.people())
	return nil
}

// confirm asks whether to go on with all of them.
func (j *judge) confirm(ctx context.Context, chosen []candidate) error {
	if j.dryRun.On() {
		return nil
	}
	what := "this action"
	if len(chosen) > 1 {
		what = fmt.Sprintf("these %d actions", len(chosen))
	}
	if !j.choice.yes {
		yes, err := j.session.Confirm(ctx, fmt.Sprintf("%s %s?", j.verb(), what))
		switch {
		case errors.Is(err, session.ErrNoAnswer):
			return fmt.Errorf("nothing was %s: it takes a confirmation, and %w\nLook at the list, then say --yes", j.participle(), err)
		case err != nil:
			return fmt.Errorf("interrupted; nothing was %s", j.participle())
		case !yes:
			return fmt.Errorf("nothing was %s, as you wish", j.participle())
		}
	}
	suspicious := 0
	var names []string
	for _, c := range chosen {
		if c.found.count > 0 {
			suspicious += c.found.count
			names = append(names, c.action.Name)
		}
	}
	return j.askSuspicious(ctx, names, suspicious)
}
