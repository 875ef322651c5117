// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
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
	dryRun  bool
	wait    time.Duration

	cl client.WithWatch
	me identity
}

func (j *judge) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&j.stage, "stage", "", "only if this stage is the one that waits")
	cmd.Flags().BoolVar(&j.dryRun, "dry-run", false, "check everything, also in the API server, and write nothing")
	cmd.Flags().DurationVar(&j.wait, "wait", defaultWait, "wait this long for the operator's answer; 0 not at all")
}

// run judges every action, also after one was refused.
func (j *judge) run(cmd *cobra.Command, names []string) error {
	switch {
	case j.wait < 0:
		return session.Usagef(cmd, "--wait is %s; it must be 0 or more", j.wait)
	case len([]rune(j.comment)) > maxComment:
		return session.Usagef(cmd, "the comment is longer than %d characters", maxComment)
	}
	ctx := cmd.Context()
	cl, namespace, err := j.session.Connect()
	if err != nil {
		return err
	}
	j.cl = cl
	if j.me, err = whoAmI(ctx, j.cl); err != nil {
		return j.session.Failed(err, "find out who you are")
	}
	failed := false
	for _, name := range names {
		if err := j.judge(ctx, client.ObjectKey{Namespace: namespace, Name: actions.Name(name)}); err != nil {
			j.session.PrintError(err)
			failed = true
		}
	}
	if failed {
		return session.ErrReported
	}
	return nil
}

// judge gives the verdict on one action and tells the result.
func (j *judge) judge(ctx context.Context, key client.ObjectKey) error {
	action, err := actions.Get(ctx, j.session, j.cl, key)
	if err != nil {
		return err
	}
	as, err := j.check(action)
	if err != nil {
		return err
	}
	now := j.session.Clock.Now()
	fmt.Fprintf(j.session.Out, "%s\n  %s\n", actions.Summary(action), j.stageLine(action, as))
	written, err := j.record(ctx, action)
	switch {
	case err != nil:
		return err
	case j.dryRun:
		fmt.Fprintf(j.session.Out, "dry run: %s would be recorded; nothing was written\n", j.noun())
		return nil
	}
	return j.tell(now, action, written, j.await(ctx, written))
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
