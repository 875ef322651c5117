// SPDX-License-Identifier: Apache-2.0

package webhooks_test

import (
	"context"
	"fmt"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// Who changed what of policy, in every way that the API server knows.
var _ = Describe("A change of policy", func() {
	var (
		namespace string
		author    *person
	)

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		author = as("author-of-" + namespace)
		grant(ctx, namespace, author.name, append([]string{"deletecollection"}, everything...), policyKinds...)
		grant(ctx, namespace, author.name, []string{"list"}, "agentactions") // which subscriptions tell of
	})

	patch := func(ctx context.Context, object *unstructured.Unstructured, text string) {
		GinkgoHelper()
		Expect(author.Patch(ctx, object.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(text)))).To(Succeed())
	}
	// told expects these records, each by the author, and returns them.
	told := func(events ...v1alpha1.EventType) []audit.Record {
		GinkgoHelper()
		found := records.policy(namespace)
		var got []v1alpha1.EventType
		for _, r := range found {
			Expect(r).To(And(HaveField("Actor", author.name), HaveField("SpecDigest", HavePrefix("sha256:")), HaveField("UID", Not(BeEmpty()))))
			got = append(got, r.Event)
		}
		Expect(got).To(HaveExactElements(events))
		return found
	}

	It("is recorded from the creation of a rule to its end", func(ctx SpecContext) {
		rule := document("SmartRule", namespace, "mine", `{effect: Deny, match: {actionTypes: [a, b]}}`)
		Expect(author.Create(ctx, rule.DeepCopy(), client.DryRunAll)).To(Succeed())
		Expect(author.Create(ctx, rule)).To(Succeed())
		patch(ctx, rule, `{"spec":{"mode":"Audit","match":{"actionTypes":["a","c"]}}}`)
		patch(ctx, rule, `{"metadata":{"labels":{"team":"data"},"finalizers":["example.com/wait"]}}`)
		patch(ctx, rule, `{"spec":{"mode":"Audit"}}`)
		Expect(author.Delete(ctx, rule, client.DryRunAll)).To(Succeed())
		Expect(author.Delete(ctx, rule)).To(Succeed())
		patch(ctx, rule, `{"metadata":{"finalizers":[]}}`)
		absent(ctx, rule)

		found := told(audit.EventPolicyCreated, audit.EventPolicyUpdated, audit.EventPolicyDeleted)
		Expect(found[0].Changes).To(ContainElements(audit.Change{Field: "spec.effect", After: `"Deny"`}, audit.Change{Field: "spec.match", After: `{"actionTypes":["a","b"]}`}))
		Expect(found[1].Changes).To(HaveExactElements(
			audit.Change{Field: "spec.match.actionTypes[1]", Before: `"b"`, After: `"c"`}, audit.Change{Field: "spec.mode", Before: `"Enforce"`, After: `"Audit"`}))
		Expect(found[1].SpecDigest).NotTo(Equal(found[0].SpecDigest))
		Expect(found[2]).To(And(HaveField("SpecDigest", found[1].SpecDigest), HaveField("UID", string(rule.GetUID()))))
		Expect(records.of(namespace)).To(BeEmpty())
	})

	It("is recorded for each object of a collection", func(ctx SpecContext) {
		for _, name := range []string{"one", "two"} {
			Expect(author.Create(ctx, document("SmartRule", namespace, name, `{effect: Deny}`))).To(Succeed())
		}
		Expect(author.DeleteAllOf(ctx, document("SmartRule", namespace, "", "{}"), client.InNamespace(namespace))).To(Succeed())
		found := told(audit.EventPolicyCreated, audit.EventPolicyCreated, audit.EventPolicyDeleted, audit.EventPolicyDeleted)
		Expect([]string{found[2].Name, found[3].Name}).To(ConsistOf("one", "two"))
	})

	It("is recorded of the labels of an Agent, and not of its status", func(ctx SpecContext) {
		agent := document("Agent", namespace, "bot", `{owner: olga}`)
		Expect(author.Create(ctx, agent)).To(Succeed())
		patch(ctx, agent, `{"metadata":{"labels":{"team":"data"}}}`)
		patch(ctx, agent, `{"spec":{"state":"Suspended"}}`)
		operator := &v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "bot"}}
		as := as(operatorName, "system:masters")
		Expect(as.Get(ctx, client.ObjectKeyFromObject(operator), operator)).To(Succeed())
		operator.Status.ObservedGeneration = 7
		Expect(as.Status().Update(ctx, operator)).To(Succeed())
		found := told(audit.EventPolicyCreated, audit.EventPolicyUpdated, audit.EventPolicyUpdated)
		Expect(found[1].Changes).To(HaveExactElements(audit.Change{Field: "metadata.labels.team", After: `"data"`}))
		Expect(found[2].Changes).To(HaveExactElements(audit.Change{Field: "spec.state", Before: `"Active"`, After: `"Suspended"`}))
		Expect(found).To(HaveEach(And(HaveField("Agent", "bot"), HaveField("Kind", "Agent"))))
	})

	// The API server asks about the object as its cache has it, finds out when it
	// writes that it is older, and asks again.
	It("is recorded once, however fast one comes after the other", func(ctx SpecContext) {
		rule := document("SmartRule", namespace, "mine", `{effect: Deny, priority: 0}`)
		Expect(author.Create(ctx, rule)).To(Succeed())
		events := []v1alpha1.EventType{audit.EventPolicyCreated}
		for i := range 60 {
			patch(ctx, rule, fmt.Sprintf(`{"spec":{"priority":%d}}`, i+1))
			events = append(events, audit.EventPolicyUpdated)
		}
		Expect(author.Delete(ctx, rule)).To(Succeed())
		found := told(append(events, audit.EventPolicyDeleted)...)
		for i, r := range found[1:61] {
			Expect(r.Changes).To(HaveExactElements(audit.Change{Field: "spec.priority", Before: strconv.Itoa(i), After: strconv.Itoa(i + 1)}))
		}
		Expect(records.of(namespace)).To(BeEmpty(), "nobody was refused")
	})

	It("is recorded of workflows, subscriptions and the risk model", func(ctx SpecContext) {
		workflow := document("ApprovalWorkflow", namespace, "people", `{stages: [{name: a, approvers: {users: [alice, bob]}}]}`)
		Expect(author.Create(ctx, workflow)).To(Succeed())
		patch(ctx, workflow, `{"spec":{"stages":[{"name":"a","required":2,"approvers":{"users":["alice","bob"]}}]}}`)
		hook := document("WebhookSubscription", namespace, "hook", `{url: "https://hooks.example.com/T0/sesame", events: [action.approved], secretRef: {name: s, key: k}}`)
		Expect(author.Create(ctx, hook)).To(Succeed())
		found := told(audit.EventPolicyCreated, audit.EventPolicyUpdated, audit.EventPolicyCreated)
		Expect(found[1].Changes).To(ContainElement(audit.Change{Field: "spec.stages[0].required", Before: "1", After: "2"}))
		Expect(found[2].Changes).To(ContainElement(audit.Change{Field: "spec.url", After: `"https://hooks.example.com/[redacted]"`}))

		model := document("RiskModel", "", "of-"+namespace, `{environments: [{name: dr, delta: "+1.0"}]}`)
		admin := as("admin-of-"+namespace, "system:masters")
		Expect(admin.Create(ctx, model)).To(Succeed())
		Expect(admin.Delete(ctx, model)).To(Succeed())
		var events []v1alpha1.EventType
		for _, r := range records.policy("") {
			if r.Actor == admin.name {
				Expect(r).To(And(HaveField("Kind", "RiskModel"), HaveField("Name", "of-"+namespace)))
				events = append(events, r.Event)
			}
		}
		Expect(events).To(HaveExactElements(audit.EventPolicyCreated, audit.EventPolicyDeleted))
	})
})
