// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

const workflowResource = "approvalworkflows"

// authorize asks the API server whether the user holds the verb on one of the
// workflows, and otherwise says how it is granted. Where the action has no
// workflow, the verb is asked for on all of its namespace's.
func (j *judge) authorize(ctx context.Context, action *v1alpha1.AgentAction, relevant []workflow, mine standing) error {
	refs := make([]v1alpha1.ObjectReference, 0, len(relevant))
	for _, w := range relevant {
		refs = append(refs, w.ref)
	}
	if len(refs) == 0 {
		refs = []v1alpha1.ObjectReference{{Namespace: v1alpha1.ObjectName(action.Namespace)}}
	}
	for _, ref := range refs {
		allowed, err := may(ctx, j.cl, j.verb(), ref)
		if err != nil {
			return j.session.failed(err, fmt.Sprintf("find out whether you hold the verb %s", j.verb()))
		}
		if allowed {
			return nil
		}
	}
	return fmt.Errorf("%s cannot be %s by you (%s): you do not hold the verb %s on %s\nWhoever administers that namespace can grant it:\n%s",
		safeText(action.Name), j.participle(), safeText(j.me.username), j.verb(), workflowWord(refs[0]), j.grantHelp(refs[0], mine))
}

// may asks whether the user holds a verb on a workflow; without a name, on all
// workflows of the namespace.
func may(ctx context.Context, cl client.Writer, verb string, ref v1alpha1.ObjectReference) (bool, error) {
	review := &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Group:     v1alpha1.GroupVersion.Group,
				Version:   v1alpha1.GroupVersion.Version,
				Resource:  workflowResource,
				Verb:      verb,
				Namespace: string(ref.Namespace),
				Name:      string(ref.Name),
			},
		},
	}
	err := cl.Create(ctx, review)
	return review.Status.Allowed, err
}

func workflowWord(ref v1alpha1.ObjectReference) string {
	if ref.Name == "" {
		return "the approvalworkflows of namespace " + safeText(string(ref.Namespace))
	}
	return fmt.Sprintf("approvalworkflow %s of namespace %s", safeText(string(ref.Name)), safeText(string(ref.Namespace)))
}

// grantHelp is the commands that grant the verb, to the group through which the
// user is an approver where there is one.
func (j *judge) grantHelp(ref v1alpha1.ObjectReference, mine standing) string {
	role, only := "ascend-"+j.verb(), ""
	if ref.Name != "" {
		role += "-" + string(ref.Name)
		only = " --resource-name=" + shellWord(string(ref.Name))
	}
	namespace := shellWord(string(ref.Namespace))
	return fmt.Sprintf("  kubectl create role %[1]s -n %[2]s --verb=%[3]s --resource=%[4]s.%[5]s%[6]s\n"+
		"  kubectl create rolebinding %[1]s -n %[2]s --role=%[1]s %[7]s",
		shellWord(role), namespace, j.verb(), workflowResource, v1alpha1.GroupVersion.Group, only, j.me.bindingFlag(mine.as))
}

// bindingFlag names in kubectl create rolebinding whom the verb is granted to.
func (i identity) bindingFlag(as string) string {
	if group, isGroup := strings.CutPrefix(as, groupPrefix); isGroup {
		return "--group=" + shellWord(group)
	}
	if account, isAccount := strings.CutPrefix(i.username, accountUserPrefix); isAccount {
		return "--serviceaccount=" + shellWord(account)
	}
	return "--user=" + shellWord(i.username)
}

// shellWord quotes a word for a POSIX shell, where it needs it, and makes it
// safe for the terminal.
func shellWord(word string) string {
	const harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+,="
	if word != "" && strings.Trim(word, harmless) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(safeText(word), "'", `'\''`) + "'"
}
