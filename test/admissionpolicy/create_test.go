// SPDX-License-Identifier: Apache-2.0

package admissionpolicy_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// submission is an action that somebody creates.
type submission struct {
	title   string
	by      person
	change  func(*unstructured.Unstructured) // of what is right; nothing when nil
	refused []string
}

// ways to create an object.
var creations = []verb{
	{"create", func(ctx context.Context, c client.Client, _, desired *unstructured.Unstructured) error {
		return c.Create(ctx, desired)
	}},
	{"create with a name", func(ctx context.Context, c client.Client, _, desired *unstructured.Unstructured) error {
		named(desired)
		return c.Create(ctx, desired)
	}},
	{"dry run", func(ctx context.Context, c client.Client, _, desired *unstructured.Unstructured) error {
		return c.Create(ctx, desired, client.DryRunAll)
	}},
	{"server-side apply", func(ctx context.Context, c client.Client, _, desired *unstructured.Unstructured) error {
		named(desired)
		return c.Patch(ctx, applied(desired), client.Apply, client.FieldOwner("suite")) //nolint:staticcheck // of unstructured content
	}},
}

func named(o *unstructured.Unstructured) {
	o.SetName("named-action")
	o.SetGenerateName("")
}

// count is how many actions are stored.
func count(ctx context.Context) int {
	GinkgoHelper()
	list := &v1alpha1.AgentActionList{}
	Expect(admin.List(ctx, list)).To(Succeed())
	return len(list.Items)
}

var _ = Describe("A submission", func() {
	create := func(submissions []submission) {
		for _, s := range submissions {
			for _, v := range creations {
				It(s.title+", by "+v.name, func(ctx SpecContext) {
					o := s.by.action(ctx)
					if s.change != nil {
						s.change(o)
					}
					before := count(ctx)
					err := v.write(ctx, s.by.client(), nil, o)
					if len(s.refused) == 0 {
						Expect(err).NotTo(HaveOccurred())
						if v.name != "dry run" {
							Expect(super.client().Delete(ctx, object(o.GetAPIVersion(), o.GetKind(), o.GetNamespace(), o.GetName()))).To(Succeed())
						}
						return
					}
					Expect(err).To(HaveOccurred())
					for _, words := range s.refused {
						Expect(err).To(MatchError(ContainSubstring(words)))
					}
					Expect(count(ctx)).To(Equal(before), "nothing is stored")
				})
			}
		}
	}
	groups := func(change func([]any) []any) func(*unstructured.Unstructured) {
		return func(o *unstructured.Unstructured) {
			list, _, _ := unstructured.NestedSlice(o.Object, "spec", "requester", "groups")
			set(o, change(list), "spec", "requester", "groups")
		}
	}
	without := func(path ...string) func(*unstructured.Unstructured) {
		return func(o *unstructured.Unstructured) { unstructured.RemoveNestedField(o.Object, path...) }
	}
	unstamped := []string{identity, "carries no stamp of the operator", "a subject of the Agent stock-agent",
		"kubectl get mutatingwebhookconfigurations ascend-mutating-webhook-configuration", "kubectl apply --server-side -k config/default"}
	notYou := []string{identity, "spec.requester is not you", "kubectl create -f"}

	Context("is let through", func() {
		create([]submission{
			{title: "of a ServiceAccount", by: agent},
			{title: "of a person", by: alice},
			{title: "of a person without a uid", by: bob},
			{title: "of an administrator", by: super},
		})
	})
	Context("is refused", func() {
		create([]submission{
			{title: "that no webhook has seen", by: agent, change: without("spec", "requester"), refused: unstamped},
			{title: "without a seal", by: agent, change: without("spec", "requester", "seal"), refused: unstamped},
			{title: "with an empty seal", by: agent, change: sets("", "spec", "requester", "seal"), refused: unstamped},
			{title: "that was never admitted", by: agent, change: without("spec", "requester", "admittedAt"), refused: unstamped},
			{title: "of nobody", by: agent, change: without("spec", "requester", "username"), refused: unstamped},
			{title: "in another's name", by: mallory, change: sets(agent.name, "spec", "requester", "username"), refused: notYou},
			{title: "in another's name, by an administrator", by: super, change: sets("alice", "spec", "requester", "username"), refused: notYou},
			{title: "with another's uid", by: mallory, change: sets("uid-agent", "spec", "requester", "uid"), refused: notYou},
			{title: "without one's uid", by: mallory, change: without("spec", "requester", "uid"), refused: notYou},
			{title: "with a uid one has not", by: bob, change: sets("uid-alice", "spec", "requester", "uid"), refused: notYou},
			{title: "with a group one is not in", by: mallory, change: groups(func(g []any) []any { return append(g, "approvers") }), refused: notYou},
			{title: "that hides a group", by: alice, change: groups(func(g []any) []any { return g[1:] }), refused: notYou},
			{title: "that hides all groups", by: alice, change: without("spec", "requester", "groups"), refused: notYou},
			{title: "with an approval of another", by: mallory, change: adds(alice.verdict()), refused: []string{"cannot be submitted with approvals"}},
			{title: "with an approval of one's own", by: alice, change: adds(alice.verdict()), refused: []string{"cannot be submitted with approvals"}},
			{title: "that is cancelled", by: agent, change: sets(true, "spec", "cancelled"), refused: []string{"cannot be submitted as cancelled"}},
			{title: "with an outcome", by: agent, change: sets(map[string]any{"result": "Succeeded"}, "spec", "outcome"), refused: []string{"only after the action was approved"}},
			{title: "with an owner", by: agent, change: sets([]any{map[string]any{
				"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "11111111-1111-1111-1111-111111111111",
			}}, "metadata", "ownerReferences"), refused: []string{immutability, "no owner"}},
			{title: "with a finalizer", by: agent, change: sets([]any{"example.com/keep"}, "metadata", "finalizers"), refused: []string{immutability, "no finalizer"}},
		})
	})

	It("brings no status of its own", func(ctx SpecContext) {
		o := agent.action(ctx)
		o.Object["status"] = map[string]any{"decision": "Approved", "specDigest": digest}
		Expect(agent.client().Create(ctx, o)).To(Succeed())
		Expect(read(ctx, o).Object).NotTo(HaveKey("status"))
	})
})
