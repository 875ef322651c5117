// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

const (
	// defaultWait is how long approve and deny wait for the operator's answer.
	defaultWait = 3 * time.Second
	// maxComment is the schema's bound on a comment, in characters.
	maxComment = 2048
)

// judge gives one person's verdict on actions: the commands approve and deny.
type judge struct {
	session *session.Session
	verdict v1alpha1.Verdict
	comment string
	stage   string // empty: whichever waits
	digest  string // of the request, or its beginning; empty: what was shown
	dryRun  session.DryRun
	wait    time.Duration
	// accept is --accept-suspicious.
	accept bool
	choice choice
	output session.Output

	cl     client.WithWatch
	me     identity
	policy *policy
}

func (j *judge) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&j.stage, "stage", "", "only if this stage is the one that waits")
	flags.StringVar(&j.digest, "digest", "", "only if this is the digest of the request, as ascend review shows it; 12 hex digits are enough")
	flags.BoolVar(&j.accept, "accept-suspicious", false, "do not ask about suspicious characters; for scripts")
	j.dryRun.AddFlag(cmd)
	flags.DurationVar(&j.wait, "wait", defaultWait, "wait this long for the operator's answer; 0 not at all")
	j.choice.addFlags(flags)
	j.output.AddFlags(cmd)
}

// checkFlags refuses flags that do not go together.
func (j *judge) checkFlags(cmd *cobra.Command, names []string) error {
	switch {
	case j.wait < 0:
		return session.Usagef(cmd, "--wait is %s; it must be 0 or more", j.wait)
	case len([]rune(j.comment)) > maxComment:
		return session.Usagef(cmd, "the comment is longer than %d characters", maxComment)
	case j.digest != "" && len(names) != 1:
		return session.Usagef(cmd, "--digest names one request, so give the name of one action")
	}
	if err := checkDigestFlag(j.digest); err != nil {
		return session.Usagef(cmd, "%w", err)
	}
	if err := session.NotEmpty(cmd, "digest", "stage"); err != nil {
		return err
	}
	if err := j.choice.check(cmd, names); err != nil {
		return err
	}
	return j.output.Check(cmd)
}

// run judges every action, also after one was refused.
func (j *judge) run(cmd *cobra.Command, names []string) error {
	if err := j.checkFlags(cmd, names); err != nil {
		return err
	}
	ctx := cmd.Context()
	cl, namespace, err := j.session.Connect()
	if err != nil {
		return err
	}
	j.cl, j.policy = cl, newPolicy(cl)
	if j.me, err = whoAmI(ctx, j.cl); err != nil {
		return j.session.Failed(err, "find out who you are")
	}
	if len(names) == 0 {
		return j.runChoice(ctx, namespace)
	}
	sum := &tally{}
	for _, name := range names {
		result, err := j.judge(ctx, client.ObjectKey{Namespace: namespace, Name: actions.Name(name)})
		j.count(sum, result, err)
	}
	return j.sumUp(sum, len(names))
}

// count takes an outcome into the sum, and prints an error.
func (j *judge) count(sum *tally, result outcome, err error) {
	if err != nil {
		j.session.PrintError(err)
		result = refused
	}
	sum[result]++
}

// sumUp says what came of several verdicts, and fails when one was refused.
func (j *judge) sumUp(sum *tally, several int) error {
	if several > 1 {
		fmt.Fprintln(j.people(), sum.line(j.participle()))
	}
	if sum[refused] > 0 {
		return session.ErrReported
	}
	return nil
}

// people is where text for people goes: away from the objects that -o prints.
func (j *judge) people() io.Writer {
	if j.output.ForPeople() {
		return j.session.Out
	}
	return j.session.ErrOut
}

// judge gives the verdict on one action and tells the result.
func (j *judge) judge(ctx context.Context, key client.ObjectKey) (outcome, error) {
	action, err := actions.Get(ctx, j.session, j.cl, key)
	if err != nil {
		return refused, j.explained(err, key.Namespace)
	}
	as, err := j.check(action)
	if err != nil {
		return refused, err
	}
	found := asked(action)
	page, cut := j.brief(action, as, found)
	if err := page.write(j.people()); err != nil {
		return refused, err
	}
	if err := j.askUnseen(ctx, action, cut); err != nil {
		return refused, err
	}
	if err := j.askSuspicious(ctx, []string{action.Name}, found.count); err != nil {
		return refused, err
	}
	return j.give(ctx, action)
}

// give writes the verdict on an action that was shown, and tells the result.
func (j *judge) give(ctx context.Context, shown *v1alpha1.AgentAction) (outcome, error) {
	now := j.session.Clock.Now()
	written, err := j.record(ctx, shown)
	if err != nil {
		return refused, j.explained(err, shown.Namespace)
	}
	if j.dryRun.On() {
		fmt.Fprintf(j.people(), "dry run: %s of %s would be recorded; nothing was written\n", j.noun(), terminal.Safe(shown.Name))
		return tried, j.print(written)
	}
	after := j.await(ctx, written)
	result, err := j.tell(now, shown, written, after)
	if after != nil {
		written = after
	}
	return result, errors.Join(err, j.print(written))
}

// print prints an action, where -o asks for it.
func (j *judge) print(action *v1alpha1.AgentAction) error {
	if j.output.ForPeople() {
		return nil
	}
	return j.output.Print(j.session.Out, action)
}

// noun is the verdict as a thing.
func (j *judge) noun() string {
	switch j.verdict {
	case v1alpha1.VerdictApprove:
		return "your approval"
	case v1alpha1.VerdictDeny:
		return "your denial"
	case v1alpha1.VerdictOverride:
		return "your emergency override"
	default:
		return "your verdict"
	}
}

// participle is what cannot be done to an action that is refused.
func (j *judge) participle() string {
	if j.verdict == v1alpha1.VerdictDeny {
		return "denied"
	}
	return "approved"
}

// verb is what is done, as the beginning of a question.
func (j *judge) verb() string {
	if j.verdict == v1alpha1.VerdictDeny {
		return "Deny"
	}
	return "Approve"
}

// entryStage is the stage under which admission keeps the verdict that was
// written: that of the user's latest entry.
func (j *judge) entryStage(written *v1alpha1.AgentAction) string {
	for _, given := range slices.Backward(written.Spec.Approvals) {
		if given.Approver == j.me.username {
			return given.Stage
		}
	}
	return written.Status.Approval.Stage
}
