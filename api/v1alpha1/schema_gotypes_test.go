// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"encoding/json"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

var _ = Describe("The zero value of a Go struct", func() {
	meta := metav1.ObjectMeta{GenerateName: "example-"}
	security := v1alpha1.ApproverSet{Groups: []v1alpha1.UserName{"security"}}

	DescribeTable("says what leaving the field out says, in the spec of",
		func(ctx SpecContext, typed client.Object, same example) {
			Expect(api.Create(ctx, typed, client.DryRunAll, client.FieldValidation("Strict"))).To(Succeed())

			object := same.with(`{}`)
			Expect(try(ctx, object)).To(Succeed())
			fromYAML := toTyped(object)
			Expect(specOf(toUnstructured(typed))).To(MatchYAML(specOf(toUnstructured(fromYAML))))
		},
		Entry("Agent", &v1alpha1.Agent{ObjectMeta: meta, Spec: v1alpha1.AgentSpec{Owner: "ann"}}, example{"Agent", `{owner: ann}`}),
		Entry("AgentAction", &v1alpha1.AgentAction{ObjectMeta: meta, Spec: v1alpha1.AgentActionSpec{
			AgentRef: v1alpha1.LocalReference{Name: "a"}, ActionType: "x",
		}}, example{"AgentAction", `{agentRef: {name: a}, actionType: x}`}),
		Entry("SmartRule", &v1alpha1.SmartRule{ObjectMeta: meta, Spec: v1alpha1.SmartRuleSpec{Effect: v1alpha1.EffectDeny}}, rule),
		Entry("ApprovalWorkflow", &v1alpha1.ApprovalWorkflow{ObjectMeta: meta, Spec: v1alpha1.ApprovalWorkflowSpec{
			Stages: []v1alpha1.Stage{{Name: "review", Approvers: security}},
		}}, workflow),
		Entry("RiskModel", &v1alpha1.RiskModel{ObjectMeta: meta, Spec: v1alpha1.RiskModelSpec{
			BlastRadius: []v1alpha1.BlastRadius{{Parameter: "rows", Delta: "1"}},
		}}, example{"RiskModel", `{blastRadius: [{parameter: rows, delta: "1"}]}`}),
	)

	DescribeTable("writes no status that nobody set, for",
		func(typed client.Object) {
			Expect(string(jsonOf(typed))).NotTo(ContainSubstring("status"))
		},
		Entry("Agent", &v1alpha1.Agent{}), Entry("AgentAction", &v1alpha1.AgentAction{}),
		Entry("SmartRule", &v1alpha1.SmartRule{}), Entry("ApprovalWorkflow", &v1alpha1.ApprovalWorkflow{}),
		Entry("RiskModel", &v1alpha1.RiskModel{}), Entry("WebhookSubscription", &v1alpha1.WebhookSubscription{}),
	)

	DescribeTable("keeps the zeros that a status means, in",
		func(status any, text string) {
			Expect(jsonOf(status)).To(MatchJSON(text))
		},
		Entry("no counters", v1alpha1.AgentStatus{ObservedGeneration: 1}, `{"observedGeneration": 1}`),
		Entry("counters", v1alpha1.AgentStatus{Actions: v1alpha1.ActionCounts{Denied: 1}},
			`{"actions": {"approved": 0, "denied": 1, "pending": 0, "timedOut": 0}}`),
		Entry("the first stage", v1alpha1.ApprovalStatus{Required: 2}, `{"stageIndex": 0, "required": 2, "granted": 0}`),
	)
})

var _ = Describe("Reading an object into Go and writing it back", func() {
	It("changes nothing that an action may not change", func(ctx SpecContext) {
		stored := example{"AgentAction", `
agentRef: {name: tutorial-agent}
actionType: database_read
description: ""
resource: ""
parameters: {rows: 1.0, big: 9007199254740993, none: null, deep: {e: 1.5e3}}
context: {}
ttlAfterDecision: 0.5h
requester: {username: bot, groups: [bots]}
`}.create(ctx)
		Expect(patch(ctx, stored, approvals(aliceApproves, bobDenies))).To(Succeed())
		Expect(patchStatus(ctx, stored, `decision: Approved`)).To(Succeed())
		Expect(patch(ctx, stored, `spec: {outcome: {result: Failed, message: "", startedAt: "2026-01-31T12:00:00.000000+01:00"}}`)).To(Succeed())

		typed := &v1alpha1.AgentAction{}
		Expect(api.Get(ctx, client.ObjectKeyFromObject(stored), typed)).To(Succeed())
		typed.Labels = map[string]string{"touched": "yes"}
		Expect(api.Update(ctx, typed)).To(Succeed())
		typed.Status.Notification = v1alpha1.NotificationDelivered
		Expect(api.Status().Update(ctx, typed)).To(Succeed())
	})

	It("can write the status of a model that is empty", func(ctx SpecContext) {
		stored := model.create(ctx)
		typed := &v1alpha1.RiskModel{}
		Expect(api.Get(ctx, client.ObjectKeyFromObject(stored), typed)).To(Succeed())
		typed.Status.ObservedGeneration = 1
		Expect(api.Status().Update(ctx, typed)).To(Succeed())
	})
})

// toUnstructured returns what Go writes of the object.
func toUnstructured(typed client.Object) *unstructured.Unstructured {
	GinkgoHelper()
	object := &unstructured.Unstructured{}
	Expect(json.Unmarshal(jsonOf(typed), &object.Object)).To(Succeed())
	return object
}

// toTyped returns the object as the Go type of its kind.
func toTyped(object *unstructured.Unstructured) client.Object {
	GinkgoHelper()
	text := jsonOf(object)
	typed, err := scheme.New(object.GroupVersionKind())
	Expect(err).NotTo(HaveOccurred())
	Expect(json.Unmarshal(text, typed)).To(Succeed(), "the API server took what Go cannot read: %s", text)
	result, ok := typed.(client.Object)
	Expect(ok).To(BeTrue())
	return result
}

func jsonOf(object any) []byte {
	GinkgoHelper()
	text, err := json.Marshal(object)
	Expect(err).NotTo(HaveOccurred())
	return text
}
