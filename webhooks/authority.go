// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"fmt"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
)

// The verbs of this project's own, and what they are held on.
const (
	verbApprove  = "approve"
	verbOverride = "override"
	verbPurge    = "purge"

	workflowResource = "approvalworkflows"
	actionResource   = "agentactions"
	agentResource    = "agents"
)

// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create

// authority asks the API server what somebody may do.
type authority struct{ reviews client.Writer }

// may says whether the user holds a verb on an object of this group; without a
// name, on all of them in the namespace.
func (a *authority) may(ctx context.Context, user *authenticationv1.UserInfo, verb, resource, namespace, name string) (bool, error) {
	extra := make(map[string]authorizationv1.ExtraValue, len(user.Extra))
	for key, values := range user.Extra {
		extra[key] = authorizationv1.ExtraValue(values)
	}
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user.Username, UID: user.UID, Groups: user.Groups, Extra: extra,
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Group: v1alpha1.GroupVersion.Group, Version: v1alpha1.GroupVersion.Version,
			Resource: resource, Verb: verb, Namespace: namespace, Name: name,
		},
	}}
	if err := a.reviews.Create(ctx, review); err != nil {
		return false, fmt.Errorf("ask whether %s may %s %s: %w", user.Username, verb, resource, err)
	}
	return review.Status.Allowed, nil
}

// verdictVerb is the verb that a verdict needs on the workflow.
func verdictVerb(verdict v1alpha1.Verdict) string {
	if verdict == v1alpha1.VerdictOverride {
		return verbOverride
	}
	return verbApprove
}

// requireVerb refuses a verdict without the verb on each of the workflows.
func (a *authority) requireVerb(ctx context.Context, user *authenticationv1.UserInfo, action *v1alpha1.AgentAction, verdict v1alpha1.Verdict, seat approval.Seat) error {
	verb := verdictVerb(verdict)
	for _, key := range seat.Workflows {
		namespace := key.Namespace
		if key == (approval.Key{}) {
			namespace = action.Namespace
		}
		allowed, err := a.may(ctx, user, verb, workflowResource, namespace, key.Name)
		if err != nil {
			return notReady("nobody can tell now whether you may %s: %v; try again", verb, err)
		}
		if !allowed {
			return forbidden(whyNoVerb, "%s does not hold the verb %s on %s; whoever administers that namespace can grant it:\n%s",
				shown(user.Username), verb, workflowTitle(namespace, key.Name), grantCommands(verb, namespace, key.Name, user.Username, seat.As))
		}
	}
	return nil
}

func workflowTitle(namespace, name string) string {
	if name == "" {
		return "the approvalworkflows of namespace " + namespace
	}
	return fmt.Sprintf("approvalworkflow %s of namespace %s", name, namespace)
}

// grantCommands are the commands that grant a verb on a workflow, to the group
// through which somebody is an approver where there is one.
func grantCommands(verb, namespace, name, username, as string) string {
	role, only := "ascend-"+verb, ""
	if name != "" {
		role, only = role+"-"+name, " --resource-name="+name
	}
	return fmt.Sprintf("  kubectl create role %[1]s -n %[2]s --verb=%[3]s --resource=%[4]s.%[5]s%[6]s\n"+
		"  kubectl create rolebinding %[1]s -n %[2]s --role=%[1]s %[7]s",
		role, namespace, verb, workflowResource, v1alpha1.GroupVersion.Group, only, bindingFlag(username, as))
}

// bindingFlag names in kubectl create rolebinding whom something is granted to.
func bindingFlag(username, as string) string {
	if group, isGroup := strings.CutPrefix(as, "group:"); isGroup {
		return "--group=" + shellWord(group)
	}
	if namespace, name, err := serviceaccount.SplitUsername(username); err == nil {
		return "--serviceaccount=" + namespace + ":" + name
	}
	return "--user=" + shellWord(username)
}
