// SPDX-License-Identifier: Apache-2.0

package agents

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// right is something that RBAC lets somebody do.
type right struct {
	verb, resource string
	// name restricts it to one object; empty: all.
	name string
}

func (r right) String() string {
	if r.name != "" {
		return r.verb + " " + r.resource + " " + r.name
	}
	return r.verb + " " + r.resource
}

const agentResource = "agents.governance.ascendowkai.com"

// lacking is the error of who misses rights in a namespace: which, and what
// grants them and nothing else.
func lacking(ctx context.Context, s *session.Session, cl client.Writer, namespace, doing string, missing []right) error {
	who, at := whoAmI(ctx, cl), terminal.ShellWord(namespace)
	var text strings.Builder
	fmt.Fprintf(&text, "cannot %s: %s may not, in namespace %s:\n", doing, who.words, terminal.Safe(namespace))
	for _, r := range missing {
		fmt.Fprintf(&text, "  %s\n", r)
	}
	if hint := s.WhoHint(); hint != "" { // an agent is not meant to be granted this
		return errors.New(strings.TrimSuffix(text.String(), "\n") + hint)
	}
	text.WriteString("Whoever administers the namespace can grant it:")
	for _, role := range roles(missing) {
		fmt.Fprintf(&text, "\n  kubectl create role %s -n %s %s\n  kubectl create rolebinding %s -n %s --role=%s %s",
			terminal.ShellWord(role.name), at, role.flags, terminal.ShellWord(role.name), at, terminal.ShellWord(role.name), who.flag)
	}
	return errors.New(text.String())
}

// role is a Role, as kubectl makes it: each of its verbs is for each of its
// resources.
type role struct{ name, flags string }

// roles are as few roles as hold these rights and no others.
func roles(rights []right) []role {
	verbs := map[right][]string{} // by resource and name
	for _, r := range rights {
		of := right{resource: r.resource, name: r.name}
		verbs[of] = append(verbs[of], r.verb)
	}
	resources := map[string][]string{} // by verbs
	var found []role
	for of, list := range verbs {
		slices.Sort(list)
		joined := strings.Join(list, ",")
		if of.name == "" {
			resources[joined] = append(resources[joined], of.resource)
			continue
		}
		found = append(found, role{
			name:  "ascend-" + strings.Join(list, "-") + "-" + of.name,
			flags: fmt.Sprintf("--verb=%s --resource=%s --resource-name=%s", joined, of.resource, terminal.ShellWord(of.name)),
		})
	}
	for joined, list := range resources {
		slices.Sort(list)
		short, _, _ := strings.Cut(list[0], ".")
		found = append(found, role{
			name:  "ascend-" + strings.ReplaceAll(joined, ",", "-") + "-" + strings.ReplaceAll(short, "/", "-"),
			flags: fmt.Sprintf("--verb=%s --resource=%s", joined, strings.Join(list, ",")),
		})
	}
	slices.SortFunc(found, func(a, b role) int { return strings.Compare(a.name, b.name) })
	return found
}

// somebody is the user, in words and as a flag of kubectl create rolebinding.
type somebody struct{ words, flag string }

// whoAmI asks the API server; who cannot be told is "you".
func whoAmI(ctx context.Context, cl client.Writer) somebody {
	review := &authenticationv1.SelfSubjectReview{}
	if err := cl.Create(ctx, review); err != nil || review.Status.UserInfo.Username == "" {
		return somebody{"you", "--user=YOU"}
	}
	name := review.Status.UserInfo.Username
	if account, is := strings.CutPrefix(name, "system:serviceaccount:"); is {
		return somebody{terminal.Safe(name), "--serviceaccount=" + terminal.ShellWord(account)}
	}
	return somebody{terminal.Safe(name), "--user=" + terminal.ShellWord(name)}
}

// registering is what registering an agent takes.
func (o *register) registering() []right {
	var all []right
	for _, resource := range []string{agentResource, "rolebindings.rbac.authorization.k8s.io", "serviceaccounts"} {
		all = append(all, right{verb: "get", resource: resource}, right{verb: "create", resource: resource})
	}
	return append(all, right{verb: "patch", resource: agentResource}, right{"bind", "clusterroles.rbac.authorization.k8s.io", o.role})
}

// missing asks the API server which of these rights the user lacks.
func (o *register) missing(ctx context.Context, cl client.Writer, namespace string) []right {
	var missing []right
	for _, r := range o.registering() {
		resource, group, _ := strings.Cut(r.resource, ".")
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: r.verb, Group: group, Resource: resource, Name: r.name}}}
		if err := cl.Create(ctx, review); err != nil {
			return nil // then what the API server said has to do
		}
		if !review.Status.Allowed {
			missing = append(missing, r)
		}
	}
	return missing
}

// isForbidden says whether it is RBAC that refuses, and not admission, which
// says by itself what is wrong.
func isForbidden(err error) bool {
	_, byAdmission := session.Refusal(err)
	return apierrors.IsForbidden(err) && !byAdmission
}

// failed turns an error about an agent into one that says what to do.
func (o *stateChange) failed(ctx context.Context, cl client.Client, err error, at types.NamespacedName) error {
	doing := "suspend agent " + terminal.Safe(at.Name)
	if o.to != "Suspended" {
		doing = "resume agent " + terminal.Safe(at.Name)
	}
	switch {
	case isForbidden(err):
		return lacking(ctx, o.session, cl, at.Namespace, doing, []right{{verb: "patch", resource: agentResource}})
	case apierrors.IsNotFound(err) && !session.IsKindMissing(err):
		return o.session.Missing(ctx, cl, session.AgentKind, at)
	case apierrors.IsConflict(err):
		return fmt.Errorf("cannot %s: somebody else changed it meanwhile; look at it again: kubectl get agent %s -n %s -o yaml", doing, terminal.Safe(at.Name), terminal.Safe(at.Namespace))
	default:
		return o.session.Failed(err, doing)
	}
}
