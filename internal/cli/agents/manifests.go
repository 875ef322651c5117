// SPDX-License-Identifier: Apache-2.0

package agents

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// SubmitterRole is the ClusterRole of agents that comes with the operator
// (config/rbac/people).
const SubmitterRole = "ascend-agent-submitter"

// manifest is one of the objects that make an agent.
type manifest struct {
	kind string
	// object as it is made where there is none.
	object client.Object
	// adjust makes of one that is there what is wanted, and nothing else. It
	// fails where that cannot be made of it.
	adjust func(existing client.Object) error

	// result is what became of it.
	result string
}

// manifests are the objects of an agent, in the order in which they are made:
// the account and its rights first, so that who could not make those has not
// registered half an agent.
func (o *register) manifests(namespace, name string) []*manifest {
	account := o.account
	if account == "" {
		account = name
	}
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: namespace, Name: name} }
	subject := v1alpha1.Subject{Kind: v1alpha1.SubjectServiceAccount, Name: v1alpha1.UserName(account)}
	agent := &v1alpha1.Agent{ObjectMeta: meta(name), Spec: v1alpha1.AgentSpec{Subjects: []v1alpha1.Subject{subject}}}
	o.wish.apply(&agent.Spec)
	bound := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Name: account, Namespace: namespace}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: meta(account),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: o.role},
		Subjects:   []rbacv1.Subject{bound},
	}
	return []*manifest{
		{kind: "ServiceAccount", object: &corev1.ServiceAccount{ObjectMeta: meta(account)}, adjust: func(client.Object) error { return nil }},
		{kind: "RoleBinding", object: binding, adjust: func(existing client.Object) error { return adjustBinding(existing, binding.RoleRef, bound) }},
		{kind: "Agent", object: agent, adjust: func(existing client.Object) error { return o.adjustAgent(existing, subject) }},
	}
}

func adjustBinding(existing client.Object, role rbacv1.RoleRef, bound rbacv1.Subject) error {
	binding, is := existing.(*rbacv1.RoleBinding)
	if !is {
		return fmt.Errorf("got %T for a RoleBinding", existing)
	}
	if binding.RoleRef != role {
		return fmt.Errorf("there is a RoleBinding %s already, for the %s %s, and what it is for cannot be changed\nGive the agent another account with --service-account, or its role with --role",
			terminal.Safe(binding.Name), terminal.Safe(binding.RoleRef.Kind), terminal.Safe(binding.RoleRef.Name))
	}
	if !slices.Contains(binding.Subjects, bound) {
		binding.Subjects = append(binding.Subjects, bound)
	}
	return nil
}

// adjustAgent changes what flags were given for, and lets the account in.
func (o *register) adjustAgent(existing client.Object, subject v1alpha1.Subject) error {
	agent, is := existing.(*v1alpha1.Agent)
	if !is {
		return fmt.Errorf("got %T for an Agent", existing)
	}
	o.wish.apply(&agent.Spec)
	if !hasAccount(agent, subject.Name) {
		agent.Spec.Subjects = append(agent.Spec.Subjects, subject)
	}
	return nil
}

// hasAccount says whether a ServiceAccount of the agent's namespace acts for it.
func hasAccount(agent *v1alpha1.Agent, name v1alpha1.UserName) bool {
	return slices.ContainsFunc(agent.Spec.Subjects, func(has v1alpha1.Subject) bool {
		return has.Kind == v1alpha1.SubjectServiceAccount && has.Name == name && (has.Namespace == "" || string(has.Namespace) == agent.Namespace)
	})
}
