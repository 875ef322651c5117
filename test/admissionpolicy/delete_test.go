// SPDX-License-Identifier: Apache-2.0

package admissionpolicy_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// one deletes an action by its name, collection by a selector that finds it.
var deletions = []struct {
	name string
	do   func(context.Context, client.Client, *unstructured.Unstructured) error
}{
	{"delete", func(ctx context.Context, c client.Client, o *unstructured.Unstructured) error {
		return c.Delete(ctx, o)
	}},
	{"deletecollection", func(ctx context.Context, c client.Client, o *unstructured.Unstructured) error {
		return c.DeleteAllOf(ctx, object(o.GetAPIVersion(), o.GetKind(), "", ""),
			client.InNamespace(o.GetNamespace()), client.MatchingFields{"metadata.name": o.GetName()})
	}},
}

var _ = Describe("An action", func() {
	// Whoever may delete by RBAC alone.
	cleanup := person{name: operator.name, groups: []string{all}}
	for _, d := range deletions {
		for state, begin := range map[string]func(context.Context) *unstructured.Unstructured{"fresh": fresh, "pending": pending, "approved": allowed} {
			for _, p := range []person{mallory, agent, alice, garbage} {
				It("that is "+state+" is not deleted by "+p.name+", by "+d.name, func(ctx SpecContext) {
					o := read(ctx, begin(ctx))
					err := d.do(ctx, p.client(), o)
					Expect(apierrors.IsForbidden(err)).To(BeTrue(), "%v", err)
					Expect(err).To(MatchError(And(
						ContainSubstring("'ascend-agentaction-deletion' with binding"), ContainSubstring("the verb purge"),
						ContainSubstring("which "+p.name+" does not"), ContainSubstring("spec.ttlAfterDecision (48h)"),
						ContainSubstring("kubectl patch agentaction "+o.GetName()+" -n "+teamNamespace),
						ContainSubstring("--clusterrole=ascend-admin"))))
					Expect(read(ctx, o)).To(Equal(o))
				})
			}
		}
		for _, p := range []person{super, cleanup, cleaner} {
			It("is deleted by "+p.name+", by "+d.name, func(ctx SpecContext) {
				o := read(ctx, pending(ctx))
				Expect(d.do(ctx, p.client(), o)).To(Succeed())
				Expect(apierrors.IsNotFound(admin.Get(ctx, client.ObjectKeyFromObject(o), o))).To(BeTrue())
			})
		}
	}

	It("is deleted by who may purge that one, and no other", func(ctx SpecContext) {
		mine, other := read(ctx, pending(ctx)), read(ctx, pending(ctx))
		Expect(admin.Create(ctx, &rbacv1.Role{
			ObjectMeta: metav1.ObjectMeta{Namespace: teamNamespace, Name: "purge-one"},
			Rules: []rbacv1.PolicyRule{{
				APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"agentactions"},
				Verbs: []string{"purge"}, ResourceNames: []string{mine.GetName()},
			}},
		})).To(Succeed())
		Expect(admin.Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: teamNamespace, Name: "purge-one"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "purge-one"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "carol"}},
		})).To(Succeed())
		carol := person{name: "carol", groups: []string{all}}.client()
		Eventually(func() error { return carol.Delete(ctx, mine, client.DryRunAll) }).WithContext(ctx).Should(Succeed())
		Expect(deletions[1].do(ctx, carol, other)).To(MatchError(ContainSubstring("the verb purge")))
		Expect(carol.Delete(ctx, other)).To(MatchError(ContainSubstring("the verb purge")))
		Expect(deletions[1].do(ctx, carol, mine)).To(Succeed())
		Expect(read(ctx, other)).To(Equal(other))
	})
})
