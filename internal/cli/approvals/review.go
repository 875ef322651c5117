// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// review is the command ascend review.
type review struct {
	session *session.Session
	full    bool
	watch   bool

	judge *judge
}

// NewReviewCommand makes ascend review.
func NewReviewCommand(s *session.Session, display string) *cobra.Command {
	o := &review{session: s}
	cmd := &cobra.Command{
		Use:   "review NAME",
		Short: "See everything there is to know before you approve an action",
		Long: `Show an action as whoever decides about it has to see it: who asks, the whole
request, how the risk adds up, which rules matched, who has agreed and who still
has to, what happens next, and what an approval is bound to. At the end are the
commands that approve or deny exactly what was shown.

The digest of the request is computed anew; a status that speaks of another one
is told. Characters that do not show what they are (look-alikes, direction
controls, invisible ones, escapes) are replaced by a mark such as [U+0455], and
listed. Long values are cut, which says how much is missing; --full shows all.
` + session.ExitCodesHelp,
		Example: session.Examples(`
			# Look at one action
			%[1]s act-7k2xp

			# Look on until it is decided
			%[1]s act-7k2xp -w

			# Everything, however long
			%[1]s act-7k2xp --full | less`, display),
		Args:              session.Takes(1, 1, "an action", "ascend actions list"),
		ValidArgsFunction: actions.Complete(s, v1alpha1.DecisionPending),
		RunE: func(cmd *cobra.Command, names []string) error {
			return o.run(cmd.Context(), actions.Name(names[0]))
		},
	}
	cmd.Flags().BoolVar(&o.full, "full", false, "show everything, however long it is")
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "look on until it is decided; Ctrl-C ends it")
	return cmd
}

func (o *review) run(ctx context.Context, name string) error {
	cl, namespace, err := o.session.Connect()
	if err != nil {
		return err
	}
	o.judge = &judge{session: o.session, verdict: v1alpha1.VerdictApprove, cl: cl, policy: newPolicy(cl)}
	if o.judge.me, err = whoAmI(ctx, cl); err != nil {
		o.session.Verbosef(session.VerboseAsked, "%v", o.session.Failed(err, "find out who you are"))
	}
	action, err := actions.Get(ctx, o.session, cl, client.ObjectKey{Namespace: namespace, Name: name})
	if err != nil {
		return o.judge.explained(err, namespace)
	}
	if o.watch {
		return o.follow(ctx, action)
	}
	return o.sheetOf(ctx, action, o.session.Clock.Now(), o.session.Screen.Width).write(o.session.Out)
}

// dossier is an action with what was found out about it for its sheet.
type dossier struct {
	*review
	*sheet
	action *v1alpha1.AgentAction
	now    time.Time
	place  place
	// asked is what is suspicious in the request, found what is anywhere.
	asked, found *findings
	digest       string // of the request, computed anew; empty where it cannot be
	wrong        string // why the request cannot be read
	comment      bool   // the workflow wants one
	cut          bool   // some of the request is too long to be shown
}

// sheetOf is everything there is to know about an action.
func (o *review) sheetOf(ctx context.Context, action *v1alpha1.AgentAction, now time.Time, width int) *sheet {
	d := &dossier{
		review: o, sheet: &sheet{width: width, style: o.session.Style()},
		action: action, now: now, asked: asked(action), found: everywhere(action),
	}
	if action.Status.Decision == v1alpha1.DecisionPending {
		d.place = o.judge.placeOf(ctx, action, now)
	}
	if read, err := request.Read(action, v1alpha1.Requester{}, nil); err != nil {
		d.wrong = err.Error()
	} else {
		d.digest = read.Digest
	}
	d.head()
	d.parties(ctx)
	d.request()
	d.risk()
	d.rules()
	d.approval(ctx)
	d.binding()
	d.suspicious()
	d.next()
	return d.sheet
}
