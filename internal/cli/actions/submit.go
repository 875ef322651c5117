// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// submit is the command ascend submit.
type submit struct {
	session *session.Session
	output  session.Output
	draft   draft
	file    string
	name    string
	dryRun  session.DryRun
	wait    waitFlag
}

// NewSubmitCommand makes ascend submit.
func NewSubmitCommand(s *session.Session, display string) *cobra.Command {
	o := &submit{session: s}
	cmd := &cobra.Command{
		Use:   "submit",
		Short: "Ask for permission to act",
		Long: `Submit an action and show what is decided about it: as an agent does it, or to try
what would be decided. Describe it by flags, or in a file with -f.

With --wait it waits for the final decision; on a terminal it shows meanwhile who
can approve, and until when. Without, it waits a few seconds for the operator's
first answer. The exit code is the decision either way, so that

  ascend submit ... && do-it

does it only when it is approved.

` + session.ConnectionHelp + DecisionCodesHelp,
		Example: session.Examples(`
			# May the tutorial agent read customers?
			%[1]s --agent-id tutorial-agent --type database_read --param table=customers --param data_classification=pii

			# Values that are not text are JSON, after :=
			%[1]s --type database_delete --param table=users --param affected_rows:=150 --wait=30m

			# Out of a file, or of a program
			%[1]s -f action.yaml --wait
			generate-action | %[1]s -f - -o name

			# Would it be accepted?
			%[1]s -f action.yaml --dry-run`, display),
		Args: submitArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			action, err := o.build(cmd)
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), action)
		},
	}
	cmd.Flags().StringVarP(&o.file, "filename", "f", "", "`file` with an AgentAction or its spec, in YAML or JSON; - for stdin")
	cmd.Flags().StringVar(&o.name, "name", "", "name of the action; made up, with act- at the beginning, when left out")
	o.dryRun.AddFlag(cmd)
	cmd.Flags().Var(&o.wait, "wait", "wait for the final decision; =DURATION at most so long, =0 not even for the first answer")
	cmd.Flags().Lookup("wait").NoOptDefVal = waitForever
	o.draft.addFlags(cmd)
	o.output.AddFlags(cmd)
	completeFlag(cmd, "agent-id", CompleteAgents(s))
	return cmd
}

// submitArgs refuses arguments, and knows the most likely mistake.
func submitArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 1 && cmd.Flags().Changed("wait") {
		if _, err := time.ParseDuration(args[0]); err == nil {
			return session.Usagef(cmd, "%q is too much; write --wait=%s", args[0], args[0])
		}
	}
	return session.TakesNothing(cmd, args)
}

// build makes the action out of the flags or the file.
func (o *submit) build(cmd *cobra.Command) (*v1alpha1.AgentAction, error) {
	if err := o.output.Check(cmd); err != nil {
		return nil, err
	}
	action := &v1alpha1.AgentAction{}
	if o.file == "" {
		spec, err := o.draft.spec(cmd, o.session.In)
		if err != nil {
			return nil, err
		}
		action.Spec = *spec
	} else {
		if flag := o.draft.given(cmd); flag != "" {
			return nil, session.Usagef(cmd, "give either -f or --%s: the file describes the action", flag)
		}
		read, err := readAction(o.session.In, o.file)
		if err != nil {
			return nil, err
		}
		action = read
	}
	if action.Spec.AgentRef.Name == "" {
		action.Spec.AgentRef.Name = v1alpha1.ObjectName(os.Getenv(session.EnvAgentID))
	}
	switch {
	case action.Spec.AgentRef.Name == "":
		return nil, session.Usagef(cmd, "in whose name? Give --agent-id, or set %s", session.EnvAgentID)
	case action.Spec.ActionType == "":
		return nil, session.Usagef(cmd, "what for? Give --type, such as database_read, or a file with -f")
	}
	if o.name != "" {
		action.Name = o.name
	}
	if action.Name == "" && action.GenerateName == "" {
		action.GenerateName = "act-"
	}
	return action, nil
}

func (o *submit) run(ctx context.Context, action *v1alpha1.AgentAction) error {
	cl, namespace, err := o.session.Connect()
	if err != nil {
		return err
	}
	chosen := *o.session.Flags.Namespace
	switch {
	case action.Namespace != "" && chosen != "" && action.Namespace != chosen:
		return fmt.Errorf("the file says namespace %s, -n says %s; leave one out", terminal.Safe(action.Namespace), terminal.Safe(chosen))
	case action.Namespace == "":
		action.Namespace = namespace
	}
	if o.dryRun.On() {
		return o.try(ctx, cl, action)
	}
	if err := cl.Create(ctx, action); err != nil {
		return o.failed(err, action)
	}
	w := &waiter{session: o.session, cl: cl, key: client.ObjectKeyFromObject(action), uid: action.UID, enough: isEvaluated, progress: newProgress(o.session)}
	limit := firstAnswer
	if o.wait.set {
		w.enough, limit = isDecided, o.wait.limit
	}
	if o.wait.not() {
		return finish(o.session, &o.output, action)
	}
	latest, err := w.wait(ctx, limit)
	if err != nil {
		fmt.Fprintf(o.session.ErrOut, "submitted: %s\n", terminal.Safe(action.Name))
		return interrupted(o.session, err, client.ObjectKeyFromObject(action))
	}
	if o.wait.set {
		w.tellTimeOver(latest, limit)
	}
	return finish(o.session, &o.output, latest)
}

// try submits nothing.
func (o *submit) try(ctx context.Context, cl client.Writer, action *v1alpha1.AgentAction) error {
	if o.dryRun == session.DryRunServer {
		if err := cl.Create(ctx, action, client.DryRunAll); err != nil {
			return o.failed(err, action)
		}
	}
	if !o.output.ForPeople() {
		return o.output.Print(o.session.Out, action)
	}
	fmt.Fprintf(o.session.Out, "dry run: %s on %s would be submitted for agent %s; nothing was written\n",
		terminal.Safe(action.Spec.ActionType), ResourceWord(action), terminal.Safe(string(action.Spec.AgentRef.Name)))
	return nil
}

func (o *submit) failed(err error, action *v1alpha1.AgentAction) error {
	doing := fmt.Sprintf("submit the action for agent %s in namespace %s", terminal.Safe(string(action.Spec.AgentRef.Name)), terminal.Safe(action.Namespace))
	switch {
	case apierrors.IsAlreadyExists(err):
		return fmt.Errorf("cannot %s: there is an action %s already\nWait for it with ascend wait %[2]s%s, or give another --name", doing, terminal.Safe(action.Name), o.session.NamespaceFlag(action.Namespace))
	case session.IsCut(err):
		return fmt.Errorf("%w\nIt may have been submitted nevertheless: ascend actions list%s; with --name it cannot be submitted twice", o.session.Failed(err, doing), o.session.NamespaceFlag(action.Namespace))
	default:
		return o.session.Failed(err, doing)
	}
}

// waitForever is what --wait without a value means.
const waitForever = "until-decided"

// waitFlag is the flag --wait[=DURATION].
type waitFlag struct {
	set   bool
	limit time.Duration // 0: without end
	text  string
}

func (w *waitFlag) String() string { return w.text }
func (w *waitFlag) Type() string   { return "duration" }

// not says that there is nothing to wait for at all: --wait=0.
func (w *waitFlag) not() bool { return w.set && w.limit == 0 && w.text != waitForever }

// Set implements pflag.Value.
func (w *waitFlag) Set(text string) error {
	w.set, w.text, w.limit = true, text, 0
	if text == waitForever {
		return nil
	}
	limit, err := time.ParseDuration(text)
	if err != nil || limit < 0 {
		return fmt.Errorf("%q is no duration, such as 30s or 5m", text)
	}
	w.limit = limit
	return nil
}
