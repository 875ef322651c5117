// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// check refuses what the action itself shows cannot be judged by the user, and
// returns the entry of the approvers that the user is or belongs to, as far as
// the action shows it. Everything else admission decides, which alone knows: it
// answers for a dry run too.
func (j *judge) check(action *v1alpha1.AgentAction) (as string, err error) {
	if err := j.refuse(action); err != nil {
		return "", err
	}
	if j.verdict == v1alpha1.VerdictOverride || j.asked(action) {
		return "", nil // admission says whether, and what to do instead
	}
	approval := action.Status.Approval
	as, found := j.me.memberOf(approval.PendingApprovers)
	if found {
		return as, nil
	}
	why := fmt.Sprintf("you are not among those who can pass stage %s, or have done so already\nWho can: %s\n%s",
		terminal.Safe(approval.Stage), actions.EntryList(approval.PendingApprovers), j.groupsWord())
	if len(approval.PendingApprovers) == 0 {
		why = fmt.Sprintf("nobody is left who could pass stage %s; see ascend explain %s", terminal.Safe(approval.Stage), terminal.Safe(action.Name))
	}
	return "", fmt.Errorf("%s cannot be %s by you (%s): %s", terminal.Safe(action.Name), j.participle(), terminal.Safe(j.me.username), why)
}

// asked says whether the user is who asked for the action.
func (j *judge) asked(action *v1alpha1.AgentAction) bool {
	by := action.Spec.Requester
	return by != nil && (by.Username == j.me.username || by.UID != "" && by.UID == j.me.uid)
}

func (j *judge) groupsWord() string {
	if len(j.me.groups) == 0 {
		return "You are in no group; --as and --as-group choose another identity, where you may impersonate it."
	}
	groups := slices.Clone(j.me.groups)
	slices.Sort(groups)
	return "Your groups: " + terminal.Safe(strings.Join(groups, ", "))
}

func countsAs(as string) string {
	switch as {
	case "":
		return ""
	case actions.VerbApprove:
		return "; you count as holder of the verb approve"
	default:
		return "; you count as " + terminal.Safe(as)
	}
}
