// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
)

// standing is what lets a user judge an action.
type standing struct {
	// as is the entry of the approvers that the user is, or belongs to. Empty:
	// not known, and then only a user who is named in person counts.
	as string
}

// check says whether the user can judge the action, and as whom; otherwise it
// fails with the reason. The operator has the last word; this is so that people
// learn at once what stands in their way, and leave no entry that never counts.
func (j *judge) check(ctx context.Context, action *v1alpha1.AgentAction) (standing, error) {
	if err := j.refuse(action); err != nil {
		return standing{}, err
	}
	all, err := workflowsOf(ctx, j.cl, action)
	if err != nil {
		return standing{}, j.session.failed(err, "read the workflows of "+safeText(action.Name))
	}
	relevant := withStage(all, action.Status.Approval.Stage)
	if j.verdict == v1alpha1.VerdictOverride {
		relevant = withOverride(all)
	}
	refused := func(why string) (standing, error) {
		return standing{}, fmt.Errorf("%s cannot be %s by you (%s): %s", safeText(action.Name), j.participle(), safeText(j.me.username), why)
	}
	if why := j.barred(ctx, action); why != "" && !allowSelfApproval(relevant) {
		return refused(why)
	}
	mine, why := j.standing(action, relevant)
	if why != "" {
		return refused(why)
	}
	if j.verdict == v1alpha1.VerdictApprove && strings.TrimSpace(j.comment) == "" && requireComment(relevant) {
		return refused("its workflow wants to know why; add --comment")
	}
	return mine, j.authorize(ctx, action, relevant, mine)
}

// standing finds the entry of the approvers that the user is, or the reason why
// there is none.
func (j *judge) standing(action *v1alpha1.AgentAction, relevant []workflow) (mine standing, refusal string) {
	if j.verdict == v1alpha1.VerdictOverride {
		return j.overrideStanding(action, relevant)
	}
	approval := action.Status.Approval
	if as, found := j.me.memberOf(approval.PendingApprovers); found {
		return standing{as}, ""
	}
	if len(approval.PendingApprovers) == 0 {
		return standing{}, fmt.Sprintf("nobody is left who could pass stage %s; see ascend explain %s", safeText(approval.Stage), safeText(action.Name))
	}
	return standing{}, fmt.Sprintf("you are not among those who can pass stage %s, or have done so already\nWho can: %s\n%s",
		safeText(approval.Stage), entryList(approval.PendingApprovers), j.groupsWord())
}

func (j *judge) overrideStanding(action *v1alpha1.AgentAction, relevant []workflow) (mine standing, refusal string) {
	if len(relevant) == 0 {
		return standing{}, fmt.Sprintf("no emergency override is set up in %s", workflowNames(action.Status.Approval.Workflows))
	}
	var named []string
	unread := false
	for _, w := range relevant {
		if w.spec == nil {
			unread = true
			continue
		}
		entries := entriesOf(w.spec.EmergencyOverride.Approvers)
		if as, found := j.me.memberOf(entries); found {
			return standing{as}, ""
		}
		named = append(named, entries...)
	}
	if unread {
		fmt.Fprintf(j.session.ErrOut, "warning: you may not read every workflow of %s; your override counts only if it names you in person\n", safeText(action.Name))
		return standing{}, ""
	}
	slices.Sort(named)
	return standing{}, fmt.Sprintf("you are not among those who may override\nWho may: %s\n%s", entryList(slices.Compact(named)), j.groupsWord())
}

// barred says why the action is the user's own, and empty when it is not.
func (j *judge) barred(ctx context.Context, action *v1alpha1.AgentAction) string {
	const help = "; nobody decides about their own actions"
	me := match.Fold(j.me.username)
	if by := action.Spec.Requester; by != nil && (match.Fold(by.Username) == me || by.UID != "" && by.UID == j.me.uid) {
		if j.verdict == v1alpha1.VerdictDeny {
			return fmt.Sprintf("you asked for it yourself\nTo withdraw it: kubectl patch agentaction %s -n %s --type=merge -p '{\"spec\":{\"cancelled\":true}}'",
				shellWord(action.Name), shellWord(action.Namespace))
		}
		return "you asked for it yourself" + help
	}
	agent := &v1alpha1.Agent{}
	name := string(action.Spec.AgentRef.Name)
	if err := j.cl.Get(ctx, client.ObjectKey{Namespace: action.Namespace, Name: name}, agent); err != nil {
		return "" // who may not read agents learns it from the operator
	}
	if match.Fold(agent.Spec.Owner) == me {
		return fmt.Sprintf("you own agent %s%s", safeText(name), help)
	}
	if slices.ContainsFunc(agent.Spec.Subjects, func(s v1alpha1.Subject) bool { return j.me.isSubject(s, agent.Namespace) }) {
		return fmt.Sprintf("you may submit actions in the name of agent %s%s", safeText(name), help)
	}
	return ""
}

// isSubject says whether the user is a subject of an agent in that namespace.
func (i identity) isSubject(s v1alpha1.Subject, namespace string) bool {
	name, me := match.Fold(string(s.Name)), match.Fold(i.username)
	switch s.Kind {
	case v1alpha1.SubjectUser:
		return name == me
	case v1alpha1.SubjectServiceAccount:
		if s.Namespace != "" {
			namespace = string(s.Namespace)
		}
		return match.Fold(accountUserPrefix+namespace+":"+string(s.Name)) == me
	case v1alpha1.SubjectGroup:
		return slices.ContainsFunc(i.groups, func(g string) bool { return match.Fold(g) == name })
	default:
		return false
	}
}

// entryList lists entries of approvers for people.
func entryList(entries []string) string {
	const most = 20
	words := make([]string, 0, min(len(entries), most))
	for _, entry := range entries[:min(len(entries), most)] {
		if entry == verbApprove {
			entry = "whoever holds the verb approve"
		}
		words = append(words, safeText(entry))
	}
	text := strings.Join(words, ", ")
	if more := len(entries) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func (j *judge) groupsWord() string {
	if len(j.me.groups) == 0 {
		return "You are in no group; --as and --as-group choose another identity, where you may impersonate it."
	}
	groups := slices.Clone(j.me.groups)
	slices.Sort(groups)
	return "Your groups: " + safeText(strings.Join(groups, ", "))
}
