// SPDX-License-Identifier: Apache-2.0

package admissionpolicy_test

import (
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// policyKinds are the kinds beside AgentAction, with a spec that is valid, and
// something to write into their status.
var policyKinds = map[string]struct {
	plural string
	spec   map[string]any
}{
	"Agent":            {"agents", map[string]any{"environment": "sandbox"}},
	"SmartRule":        {"smartrules", map[string]any{"effect": "Deny"}},
	"ApprovalWorkflow": {"approvalworkflows", map[string]any{"autoApprove": true}},
	"RiskModel":        {"riskmodels", map[string]any{}},
	"WebhookSubscription": {"webhooksubscriptions", map[string]any{
		"url": "https://example.com/hook", "secretRef": map[string]any{"name": "s", "key": "k"}, "events": []any{"action.approved"},
	}},
}

var _ = Describe("A status", func() {
	observed := sets(map[string]any{"observedGeneration": int64(7)}, "status")
	// What RBAC alone would let write.
	empowered := person{name: operator.name, groups: []string{all}}

	It("is tried of every kind there is", func() {
		files, err := os.ReadDir(filepath.Join(root, "config", "crd", "bases"))
		Expect(err).NotTo(HaveOccurred())
		Expect(files).To(HaveLen(len(policyKinds) + 1))
	})
	for kind, k := range policyKinds {
		begin := func(ctx SpecContext) *unstructured.Unstructured {
			o := object(v1alpha1.GroupVersion.String(), kind, teamNamespace, "")
			o.SetGenerateName("status-")
			if kind == "RiskModel" {
				o.SetNamespace("")
			}
			o.Object["spec"] = k.spec
			Expect(admin.Create(ctx, o)).To(Succeed())
			return o
		}
		for _, v := range statusVerbs {
			for _, p := range []person{mallory, super} {
				It("of a "+kind+" is not written by "+p.name+", by "+v.name, func(ctx SpecContext) {
					before := read(ctx, begin(ctx))
					desired := before.DeepCopy()
					observed(desired)
					Expect(v.write(ctx, p.client(), before.DeepCopy(), desired)).To(MatchError(And(
						ContainSubstring("'ascend-status' with binding"), ContainSubstring("by the operator alone"),
						ContainSubstring("you are "+p.name), ContainSubstring("kubectl edit "+k.plural+" "+before.GetName()))))
					Expect(read(ctx, before)).To(Equal(before))
				})
			}
			It("of a "+kind+" is written by the operator, by "+v.name, func(ctx SpecContext) {
				before := read(ctx, begin(ctx))
				desired := before.DeepCopy()
				observed(desired)
				Expect(v.write(ctx, empowered.client(), before.DeepCopy(), desired)).To(Succeed())
				Expect(read(ctx, before)).NotTo(Equal(before))
			})
		}
	}

	Context("of an action is not", func() {
		approve := sets("Approved", "status", "decision")
		refused := func(p person) []string {
			return []string{"'ascend-status' with binding", "by the operator alone", "you are " + p.name, "kubectl approve act-"}
		}
		entries(statusVerbs, []attempt{
			{title: "approved by the agent", by: agent, change: approve, refused: refused(agent)},
			{title: "approved by an approver", by: alice, change: approve, refused: refused(alice)},
			{title: "approved by an administrator", by: super, change: approve, refused: refused(super)},
			{title: "approved by the namespace controller", by: person{name: cleaner.name, groups: []string{all}}, change: approve, refused: refused(cleaner)},
			{title: "prolonged", by: agent, begin: allowed, change: sets("2036-03-04T10:12:30.000000Z", "status", "validUntil"), refused: refused(agent)},
			{title: "bound to another request", by: mallory, change: sets("sha256:1", "status", "specDigest"), refused: refused(mallory)},
			{title: "changed back, not even by the operator", by: empowered, begin: allowed, change: sets("Denied", "status", "decision"), refused: []string{"a final decision never changes"}},
		})
	})
	Context("of an action is", func() {
		entries(statusVerbs, []attempt{
			{title: "written by the operator", by: empowered, change: sets("Approved", "status", "decision")},
			{title: "written on by the operator after the decision", by: empowered, begin: allowed, change: sets("2036-03-04T10:12:30.000000Z", "status", "validUntil")},
		})
	})
	It("written beside the spec goes nowhere", func(ctx SpecContext) {
		before := read(ctx, pending(ctx))
		desired := before.DeepCopy()
		set(desired, "Approved", "status", "decision")
		Expect(mallory.client().Update(ctx, desired)).To(Succeed())
		Expect(read(ctx, before)).To(Equal(before))
	})
})

var _ = Describe("The operator", func() {
	empowered := person{name: operator.name, groups: []string{all}}
	Context("may not, whatever RBAC says,", func() {
		entries(verbs, []attempt{
			{title: "give another's verdict", by: empowered, change: adds(alice.verdict()), refused: []string{identity, "in one's own name"}},
			{title: "withdraw an action", by: empowered, change: sets(true, "spec", "cancelled"), refused: []string{identity, "only its requester"}},
			{title: "change what was asked", by: empowered, change: sets(map[string]any{"order": "4711"}, "spec", "context"), refused: []string{"cannot be changed"}, removes: true},
			{title: "set a finalizer", by: empowered, change: sets([]any{"example.com/keep"}, "metadata", "finalizers"), refused: []string{immutability}},
		})
	})
})
