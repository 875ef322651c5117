// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

var _ = Describe("The Ready condition", func() {
	var w world

	BeforeEach(func(ctx SpecContext) { w = newWorld(ctx) })

	// says reads "Status Reason: message" of an object's Ready condition.
	says := func(ctx SpecContext, kind, name string) func() (string, error) {
		return func() (string, error) {
			object := parse("kind: " + kind)
			if err := api.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, object); err != nil {
				return "", err
			}
			conditions, _, err := unstructured.NestedSlice(object.Object, "status", "conditions")
			for _, c := range conditions {
				if c, ok := c.(map[string]any); ok && c["type"] == v1alpha1.ConditionReady {
					return fmt.Sprintf("%s %s: %s", c["status"], c["reason"], c["message"]), nil
				}
			}
			return "", err
		}
	}

	It("says of a rule what it does", func(ctx SpecContext) {
		w.apply(ctx, "kind: SmartRule\nmetadata: {name: r}\nspec: {effect: Deny}")
		Expect(says(ctx, "SmartRule", "r")()).To(Equal("True Ready: the rule has its effect"))
		w.edit(ctx, "SmartRule", "r", `spec: {mode: Audit}`)
		Expect(says(ctx, "SmartRule", "r")()).To(Equal("True Ready: the rule is evaluated and recorded, without effect"))
		w.edit(ctx, "SmartRule", "r", `spec: {mode: Disabled}`)
		Expect(says(ctx, "SmartRule", "r")()).To(Equal("True Disabled: the rule is switched off by its mode"))
		w.edit(ctx, "SmartRule", "r", `spec: {mode: Enforce, conditions: [{name: broken, expression: "1 +"}]}`)
		Expect(says(ctx, "SmartRule", "r")()).To(HavePrefix("False CompileFailed: "))
	})

	It("of a rule follows the workflow it refers to", func(ctx SpecContext) {
		w.apply(ctx, "kind: SmartRule\nmetadata: {name: r}\nspec: {effect: RequireApproval, workflowRef: {name: people}}")
		Expect(says(ctx, "SmartRule", "r")()).To(HavePrefix("False ReferenceNotFound: spec.workflowRef"))
		w.apply(ctx, twoOfThree)
		Eventually(says(ctx, "SmartRule", "r")).Should(HavePrefix("True Ready"))
		w.edit(ctx, "ApprovalWorkflow", "people", `spec: {autoApprove: true, stages: []}`)
		Eventually(says(ctx, "SmartRule", "r")).Should(HavePrefix("False NobodyAsked: spec.workflowRef"))
		w.remove(ctx, "ApprovalWorkflow", "people")
		Eventually(says(ctx, "SmartRule", "r")).Should(HavePrefix("False ReferenceNotFound"))
	})

	It("of a rule follows a workflow of the global namespace, too", func(ctx SpecContext) {
		name := "global-for-" + w.namespace
		w.apply(ctx, "kind: SmartRule\nmetadata: {name: r}\nspec: {effect: RequireApproval, workflowRef: {name: "+name+"}}")
		Expect(says(ctx, "SmartRule", "r")()).To(HavePrefix("False ReferenceNotFound"))
		w.apply(ctx, "kind: ApprovalWorkflow\nmetadata: {name: "+name+", namespace: ascend-system}\nspec: {stages: [{name: s, approvers: {users: [alice]}}]}")
		Eventually(says(ctx, "SmartRule", "r")).Should(HavePrefix("True Ready"))
	})

	It("of a rule that was deleted and created again speaks of the new one", func(ctx SpecContext) {
		for range 5 {
			w.apply(ctx, `{kind: SmartRule, metadata: {name: r}, spec: {effect: Deny, conditions: [{name: broken, expression: "1 +"}]}}`)
			Expect(says(ctx, "SmartRule", "r")()).To(HavePrefix("False CompileFailed"))
			w.remove(ctx, "SmartRule", "r")
			w.apply(ctx, `{kind: SmartRule, metadata: {name: r}, spec: {effect: Deny}}`)
			Expect(says(ctx, "SmartRule", "r")()).To(HavePrefix("True Ready"))
			w.remove(ctx, "SmartRule", "r")
		}
	})

	It("says of a workflow where it applies", func(ctx SpecContext) {
		w.apply(ctx, twoOfThree, "kind: ApprovalWorkflow\nmetadata: {name: referred}\nspec: {stages: [{name: s, approvers: {users: [alice]}}]}")
		Expect(says(ctx, "ApprovalWorkflow", "people")()).To(Equal("True Ready: the workflow applies to what its selector covers"))
		Expect(says(ctx, "ApprovalWorkflow", "referred")()).To(Equal("True Ready: the workflow applies where a rule or an agent refers to it"))
	})

	It("says of an agent whether it may act", func(ctx SpecContext) {
		w.apply(ctx, agentInSandbox)
		Expect(says(ctx, "Agent", "agent")()).To(Equal("True Ready: the agent may act"))
		w.edit(ctx, "Agent", "agent", `spec: {state: Suspended}`)
		Expect(says(ctx, "Agent", "agent")()).To(HavePrefix("False Suspended: "))
		w.edit(ctx, "Agent", "agent", `spec: {state: Retired}`)
		Expect(says(ctx, "Agent", "agent")()).To(HavePrefix("False Retired: "))
		w.edit(ctx, "Agent", "agent", `spec: {state: Active, workflowRef: {name: people}}`)
		Expect(says(ctx, "Agent", "agent")()).To(HavePrefix("False ReferenceNotFound: spec.workflowRef"))
		w.apply(ctx, twoOfThree)
		Eventually(says(ctx, "Agent", "agent")).Should(HavePrefix("True Ready"))
	})

	It("says of a RiskModel whether it is the one that is used", Serial, func(ctx SpecContext) {
		w.apply(ctx, "kind: RiskModel\nmetadata: {name: default}\nspec: {}", "kind: RiskModel\nmetadata: {name: other}\nspec: {}")
		Expect(says(ctx, "RiskModel", "default")()).To(Equal("True Ready: the model scores every action"))
		Expect(says(ctx, "RiskModel", "other")()).To(Equal(`False NotUsed: only the RiskModel named "default" is used`))
	})
})
