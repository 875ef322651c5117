// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// place says whether a pending action waits for the user.
type place struct {
	mine bool
	// as is the entry of the approvers that the user is, or belongs to.
	as string
	// others it waits for, where it does not wait for the user, safe for the
	// terminal: "group:managers", "others (your own)", "nobody (too late)".
	others string
}

// placeOf finds out whether an action waits for the user, from the action, and
// from its agent and its workflows where they can be read.
func (j *judge) placeOf(ctx context.Context, action *v1alpha1.AgentAction, now time.Time) place {
	switch {
	case action.Spec.Cancelled:
		return place{others: "nobody (withdrawn)"}
	case j.refuseUnevaluated(action, now) != "":
		return place{others: "nobody yet"}
	case j.refuseLate(action, now) != "":
		return place{others: "nobody (too late)"}
	case j.asked(action):
		return place{others: "others (your own)"}
	case j.refuseTwice(action, now) != "":
		return place{others: "others (you did)"}
	}
	pending := action.Status.Approval.PendingApprovers
	as, found := j.me.memberOf(pending)
	switch {
	case len(pending) == 0:
		return place{others: "nobody who is left"}
	case !found:
		return place{others: shortEntries(pending)}
	case j.policy.countedBefore(ctx, j.me, action):
		return place{others: "others (you approved before)"}
	}
	if why := j.policy.bars(ctx, j.me, action); why != "" {
		return place{others: "others (" + why + ")"}
	}
	return place{mine: true, as: as}
}

// shortEntries names the first entries of approvers.
func shortEntries(entries []string) string {
	const most = 2
	words := slices.Clone(entries[:min(most, len(entries))])
	for i, entry := range words {
		if entry == actions.VerbApprove {
			words[i] = "whoever holds the verb approve"
		}
	}
	text := terminal.Safe(strings.Join(words, ", "))
	if len(entries) > most {
		text += ", …"
	}
	return text
}

// who says who the user is.
func (i identity) who() string {
	text := terminal.Safe(i.username)
	if len(i.groups) == 0 {
		return text + ", in no group"
	}
	groups := slices.Clone(i.groups)
	slices.Sort(groups)
	const most = 12
	more := ""
	if len(groups) > most {
		groups, more = groups[:most], ", …"
	}
	return text + ", in " + terminal.Safe(strings.Join(groups, ", ")) + more
}
