// SPDX-License-Identifier: Apache-2.0

package cli

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
)

const (
	// defaultWait is how long approve and deny wait for the operator's answer.
	defaultWait = 3 * time.Second
	// maxComment is the schema's bound on a comment, in characters.
	maxComment = 2048
)

// judge gives one person's verdict on actions: the commands approve and deny.
type judge struct {
	session *session
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
		return usagef(cmd, "--wait is %s; it must be 0 or more", j.wait)
	case len([]rune(j.comment)) > maxComment:
		return usagef(cmd, "the comment is longer than %d characters", maxComment)
	}
	ctx := cmd.Context()
	cl, namespace, err := j.session.connect()
	if err != nil {
		return err
	}
	j.cl = cl
	if j.me, err = whoAmI(ctx, j.cl); err != nil {
		return j.session.failed(err, "find out who you are")
	}
	failed := false
	for _, name := range names {
		if err := j.judge(ctx, client.ObjectKey{Namespace: namespace, Name: actionName(name)}); err != nil {
			j.session.printError(err)
			failed = true
		}
	}
	if failed {
		return errReported
	}
	return nil
}

// judge gives the verdict on one action and tells the result.
func (j *judge) judge(ctx context.Context, key client.ObjectKey) error {
	action, err := j.session.getAction(ctx, j.cl, key)
	if err != nil {
		return err
	}
	as, err := j.check(action)
	if err != nil {
		return err
	}
	now := j.session.clock.Now()
	fmt.Fprintf(j.session.Out, "%s\n  %s\n", summary(action), j.stageLine(action, as))
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

// getAction reads an action; one that is not there is refused with the
// namespace that was looked in.
func (s *session) getAction(ctx context.Context, cl client.Reader, key client.ObjectKey) (*v1alpha1.AgentAction, error) {
	action := &v1alpha1.AgentAction{}
	err := cl.Get(ctx, key, action)
	if apierrors.IsNotFound(err) && !isKindMissing(err) {
		return nil, fmt.Errorf("there is no action %s in namespace %s\nAnother namespace is chosen with -n; ascend actions list -A shows all",
			safeText(key.Name), safeText(key.Namespace))
	}
	return action, s.failed(err, fmt.Sprintf("read action %s in namespace %s", safeText(key.Name), safeText(key.Namespace)))
}

// actionName takes the kind off a name that -o name printed:
// agentaction.governance.ascendowkai.com/act-1 and agentaction/act-1 are act-1.
func actionName(arg string) string {
	kind, name, found := strings.Cut(arg, "/")
	if !found {
		return arg
	}
	switch strings.TrimSuffix(kind, "."+v1alpha1.GroupVersion.Group) {
	case "agentaction", "agentactions", "aact":
		return name
	default:
		return arg
	}
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
