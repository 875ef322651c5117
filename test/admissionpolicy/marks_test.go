// SPDX-License-Identifier: Apache-2.0

package admissionpolicy_test

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// many is n labels or annotations, each with as long a value as a label may have.
func many(n int) map[string]any {
	marks := make(map[string]any, n)
	for i := range n {
		marks[fmt.Sprintf("example.com/m%02d-%s", i, strings.Repeat("k", 50))] = strings.Repeat("v", 63)
	}
	return marks
}

// Rules read labels and annotations. They are no part of the digest.
var _ = Describe("Labels and annotations", func() {
	team, note := map[string]any{"team": "warehouse"}, map[string]any{"example.com/note": "x"}
	// with marks, as the agent submits it.
	marked := func(decision string) func(context.Context) *unstructured.Unstructured {
		return func(ctx context.Context) *unstructured.Unstructured {
			GinkgoHelper()
			o := agent.action(ctx)
			set(o, team, "metadata", "labels")
			set(o, note, "metadata", "annotations")
			Expect(agent.client().Create(ctx, o)).To(Succeed())
			if decision != "" {
				decide(ctx, o, decision)
			}
			return o
		}
	}
	labels := sets(map[string]any{"team": "bakery"}, "metadata", "labels")
	annotations := sets(map[string]any{"example.com/note": "y"}, "metadata", "annotations")
	gone := func(o *unstructured.Unstructured) {
		set(o, map[string]any{}, "metadata", "labels")
		set(o, map[string]any{}, "metadata", "annotations")
	}
	theirs := []string{immutability, "its requester's while it waits", "The requester is " + agent.name + ", and you are", "kubectl approve act-"}
	nobodys := []string{immutability, "nobody's once it is decided", "This one is ", "kubectl create -f FILE"}
	tooMany := []string{immutability, "64 labels and 64 annotations at most", "kubectl create -f FILE"}

	Context("are the requester's while the action waits:", func() {
		entries(verbs, []attempt{
			{title: "labels", by: agent, begin: marked("Pending"), change: labels},
			{title: "labels, before it is evaluated", by: agent, begin: marked(""), change: labels},
			{title: "the first labels", by: agent, change: labels},
			{title: "annotations", by: agent, begin: marked("Pending"), change: annotations},
			{title: "as many as may be", by: agent, change: sets(many(64), "metadata", "labels")},
			{title: "none any more", by: agent, begin: marked("Pending"), change: gone, removes: true},
			{title: "labels, where their uid is not known", by: person{name: agent.name, groups: agent.groups}, begin: marked("Pending"), change: labels},
		})
	})
	Context("are nobody else's:", func() {
		entries(verbs, []attempt{
			{title: "labels", by: mallory, begin: marked("Pending"), change: labels, refused: theirs},
			{title: "the first labels", by: mallory, change: labels, refused: theirs},
			{title: "annotations", by: alice, begin: marked("Pending"), change: annotations, refused: theirs},
			{title: "annotations, before it is evaluated", by: alice, begin: marked(""), change: annotations, refused: theirs},
			{title: "none any more", by: mallory, begin: marked("Pending"), change: gone, refused: theirs, removes: true},
			{title: "labels, by an administrator", by: super, begin: marked("Pending"), change: labels, refused: theirs},
			{title: "labels, by another account of that name", by: impostor, begin: marked("Pending"), change: labels, refused: append([]string{"another account of that name"}, theirs...)},
		})
		for _, decision := range []string{"Approved", "Denied", "TimedOut", "Cancelled"} {
			entries(verbs, []attempt{
				{title: "labels once it is " + decision + ", by the requester", by: agent, begin: marked(decision), change: labels, refused: append([]string{"This one is " + decision}, nobodys...)},
			})
		}
		entries(verbs, []attempt{
			{title: "annotations once it is decided, by an administrator", by: super, begin: marked("Denied"), change: annotations, refused: nobodys},
			{title: "none any more once it is decided", by: agent, begin: marked("Denied"), change: gone, refused: nobodys, removes: true},
		})
	})
	Context("are not too many:", func() {
		entries(verbs, []attempt{
			{title: "labels", by: agent, change: sets(many(65), "metadata", "labels"), refused: tooMany},
			{title: "annotations", by: agent, change: sets(many(65), "metadata", "annotations"), refused: tooMany},
		})
		for _, v := range creations {
			It("in a submission, by "+v.name, func(ctx SpecContext) {
				for _, field := range []string{"labels", "annotations"} {
					o := agent.action(ctx)
					set(o, many(65), "metadata", field)
					Expect(v.write(ctx, agent.client(), nil, o)).To(MatchError(ContainSubstring(tooMany[1])), field)
				}
			})
		}
	})

	It("do not stand in the way of what others do", func(ctx SpecContext) {
		o := read(ctx, marked("Pending")(ctx))
		appendApproval(o, alice.verdict())
		Expect(alice.client().Update(ctx, o)).To(Succeed())
		decide(ctx, o, "Approved")
		unstructured.RemoveNestedField(o.Object, "metadata", "labels") // which a status write ignores
		Expect(operator.client().Status().Update(ctx, o)).To(Succeed())
		Expect(read(ctx, o).GetLabels()).To(Equal(map[string]string{"team": "warehouse"}))
		o = read(ctx, o)
		set(o, map[string]any{"result": "Succeeded"}, "spec", "outcome")
		Expect(agent.client().Update(ctx, o)).To(Succeed())
	})

	for _, flags := range [][]string{nil, {"--server-side"}} {
		It("can be applied again as they are, by kubectl apply "+strings.Join(flags, " "), func(ctx SpecContext) {
			path := kubeconfigOf(agent)
			o := agent.action(ctx)
			named(o)
			set(o, team, "metadata", "labels")
			kubectlApply(ctx, path, o, flags...)
			DeferCleanup(func(ctx SpecContext) {
				Expect(super.client().Delete(ctx, object(o.GetAPIVersion(), o.GetKind(), o.GetNamespace(), o.GetName()))).To(Succeed())
			})
			kubectlApply(ctx, path, o, flags...)
			set(o, map[string]any{"team": "bakery"}, "metadata", "labels")
			kubectlApply(ctx, path, o, flags...)
			decide(ctx, read(ctx, o), "Approved")
			kubectlApply(ctx, path, o, flags...)
			Expect(read(ctx, o).GetLabels()).To(Equal(map[string]string{"team": "bakery"}))
		})
	}
})

// The budget of a policy is small, and annotations may have 256 KiB.
var _ = Describe("The longest labels and annotations that there can be", func() {
	It("are submitted and changed", func(ctx SpecContext) {
		o := agent.action(ctx)
		set(o, many(64), "metadata", "labels")
		long := map[string]any{}
		for key := range many(64) {
			long[key] = strings.Repeat("x", 3900)
		}
		set(o, long, "metadata", "annotations")
		Expect(agent.client().Create(ctx, o)).To(Succeed())
		decide(ctx, o, "Pending")
		before := read(ctx, o)
		for key := range long {
			long[key] = strings.Repeat("x", 3899) + "y"
		}
		set(o, long, "metadata", "annotations")
		Expect(mallory.client().Patch(ctx, o.DeepCopy(), client.MergeFrom(before))).To(MatchError(ContainSubstring("its requester's while it waits")))
		Expect(agent.client().Patch(ctx, o, client.MergeFrom(before))).To(Succeed())
	})
})
