// SPDX-License-Identifier: Apache-2.0

package admissionpolicy_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// One after the other: there is one such ConfigMap in a cluster.
var _ = Describe("The anchors of the audit trail", Ordered, func() {
	const masters = "system:masters" // whom RBAC lets do everything
	anchors := func() *unstructured.Unstructured {
		o := object("v1", "ConfigMap", v1alpha1.GlobalNamespace, "ascend-audit-anchors")
		o.Object["data"] = map[string]any{"chain.c": "{}"}
		return o
	}
	forged := client.RawPatch(types.MergePatchType, []byte(`{"data":{"chain.c":"forged"}}`))
	refused := func(p person) OmegaMatcher {
		return MatchError(And(ContainSubstring("'ascend-audit-anchors' with binding"), ContainSubstring("written by the operator alone"),
			ContainSubstring("you are "+p.name), ContainSubstring("kubectl get configmap ascend-audit-anchors -n ascend-system")))
	}
	strangers := []person{super, {name: "mallory", groups: []string{masters}}, {name: cleaner.name, groups: []string{masters}}, {name: garbage.name, groups: []string{masters}}}

	It("are made by the operator alone", func(ctx SpecContext) {
		for _, p := range strangers {
			Expect(p.client().Create(ctx, anchors())).To(refused(p))
			Expect(p.client().Patch(ctx, anchors(), client.Apply, client.FieldOwner("x"))).To(refused(p)) //nolint:staticcheck // of any kind
		}
		Expect(operator.client().Create(ctx, anchors())).To(Succeed())
	})
	It("are changed by the operator alone", func(ctx SpecContext) {
		before := read(ctx, anchors())
		for _, p := range strangers {
			changed := before.DeepCopy()
			changed.SetLabels(map[string]string{"a": "b"})
			Expect(p.client().Update(ctx, changed)).To(refused(p))
			Expect(p.client().Patch(ctx, anchors(), forged)).To(refused(p))
		}
		Expect(read(ctx, anchors())).To(Equal(before))
		Expect(operator.client().Patch(ctx, anchors(), client.RawPatch(types.MergePatchType, []byte(`{"data":{"chain.d":"{}"}}`)))).To(Succeed())
	})
	for _, d := range deletions {
		It("are not removed by anybody, by "+d.name, func(ctx SpecContext) {
			before := read(ctx, anchors())
			for _, p := range strangers {
				if p.name != cleaner.name {
					Expect(d.do(ctx, p.client(), before)).To(refused(p))
				}
			}
			Expect(read(ctx, anchors())).To(Equal(before))
		})
	}
	It("go with their namespace", func(ctx SpecContext) {
		controller := person{name: cleaner.name, groups: []string{masters}}
		for _, d := range deletions {
			o := read(ctx, anchors())
			Expect(d.do(ctx, controller.client(), o)).To(Succeed())
			Expect(apierrors.IsNotFound(admin.Get(ctx, client.ObjectKeyFromObject(o), o))).To(BeTrue())
			Expect(operator.client().Create(ctx, anchors())).To(Succeed())
		}
	})
	It("are those of ascend-system by that name, and no other ConfigMap", func(ctx SpecContext) {
		for _, place := range [][2]string{{v1alpha1.GlobalNamespace, "another"}, {teamNamespace, "ascend-audit-anchors"}} {
			o := object("v1", "ConfigMap", place[0], place[1])
			Expect(super.client().Create(ctx, o)).To(Succeed())
			Expect(super.client().Patch(ctx, o, forged)).To(Succeed())
			Expect(super.client().Delete(ctx, o)).To(Succeed())
		}
	})
})
