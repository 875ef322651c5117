// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// What is missing, broken or not known never approves, and says what to do.
var _ = Describe("Doubt", func() {
	var w world

	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.apply(ctx, agentInSandbox, autoApproveToMedium)
	})

	It("denies an action whose agent does not exist, also when the agent comes later", func(ctx SpecContext) {
		action := w.action(readCategories)
		action.Spec.AgentRef.Name = "late"
		Expect(api.Create(ctx, action)).To(Succeed())
		got := expectDecision(ctx, action, v1alpha1.DecisionDenied, v1alpha1.ReasonAgentNotFound)
		Expect(got.Message).To(ContainSubstring(`there is no agent "late"`))
		Expect(got.Risk).To(BeNil())

		w.create(ctx, "kind: Agent\nmetadata: {name: late}\nspec: {environment: sandbox}")
		again := w.action(readCategories)
		again.Spec.AgentRef.Name = "late"
		Expect(api.Create(ctx, again)).To(Succeed())
		expectDecision(ctx, again, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		Expect(status(ctx, action)()).To(HaveField("Decision", v1alpha1.DecisionDenied), "a final decision never changes")
	})

	It("finds an agent that was created a moment before its first action", func(ctx SpecContext) {
		var actions []*v1alpha1.AgentAction
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			w.create(ctx, "kind: Agent\nmetadata: {name: "+name+"}\nspec: {environment: sandbox}")
			action := w.action(readCategories)
			action.Spec.AgentRef.Name = v1alpha1.ObjectName(name)
			Expect(api.Create(ctx, action)).To(Succeed())
			actions = append(actions, action)
		}
		for _, action := range actions {
			expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		}
	})

	It("scores an action type nobody knows as dangerous and asks a human", func(ctx SpecContext) {
		action := w.submit(ctx, `{actionType: summon_daemon, parameters: {resource: x, data_classification: public}}`)
		got := expectDecision(ctx, action, v1alpha1.DecisionPending, v1alpha1.ReasonNoWorkflow)
		Expect(got.Risk.CVSSBaseScore).To(BeEquivalentTo("8.8"))
		Expect(got.Message).To(ContainSubstring("create a workflow"))
		Expect(got.Approval.PendingApprovers).To(ConsistOf("verb:approve"))
	})

	It("asks a human where the RiskModel has an invalid CVSS vector, and says which", Serial, func(ctx SpecContext) {
		w.apply(ctx, `
kind: RiskModel
metadata: {name: default}
spec: {actionTypes: [{pattern: database_read, cvssVector: "CVSS:3.1/AV:X/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N"}]}
`)
		model := &v1alpha1.RiskModel{}
		Expect(api.Get(ctx, client.ObjectKey{Name: "default"}, model)).To(Succeed())
		Expect(model.Status.Conditions).To(ConsistOf(And(
			HaveField("Status", BeEquivalentTo("False")),
			HaveField("Reason", v1alpha1.ReasonCompileFailed),
			HaveField("Message", ContainSubstring("spec.actionTypes[0].cvssVector")))))

		got := expectDecision(ctx, w.submit(ctx, readCategories), v1alpha1.DecisionPending, v1alpha1.ReasonScoringFailed)
		Expect(got.Risk.Score).To(BeEquivalentTo("9.5"))
		Expect(got.Risk.Level).To(Equal(v1alpha1.RiskLevelCritical))
	})

	It("asks a human where a rule does not compile, and shows the compiler's message", func(ctx SpecContext) {
		w.apply(ctx, `
kind: SmartRule
metadata: {name: misspelt}
spec:
  match: {actionTypes: [database_read]}
  conditions: [{name: typo, expression: "action.actionTyp == 'database_read'"}]
  effect: Allow
`)
		rule := &v1alpha1.SmartRule{}
		Expect(api.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: "misspelt"}, rule)).To(Succeed())
		Expect(rule.Status.Conditions).To(ConsistOf(And(
			HaveField("Reason", v1alpha1.ReasonCompileFailed),
			HaveField("Message", And(
				ContainSubstring("spec.conditions[0].expression"),
				ContainSubstring("undefined field 'actionTyp'"),
				ContainSubstring("line 1, column 7"))))))

		got := expectDecision(ctx, w.submit(ctx, readCategories), v1alpha1.DecisionPending, v1alpha1.ReasonRuleFailed)
		Expect(got.Message).To(ContainSubstring("misspelt"))
	})

	It("asks a human where a rule fails while it is evaluated", func(ctx SpecContext) {
		w.apply(ctx, `
kind: SmartRule
metadata: {name: needs-rows}
spec:
  match: {actionTypes: [database_read]}
  conditions: [{name: bulk, expression: action.parameters.affected_rows > 100}]
  effect: Deny
`)
		got := expectDecision(ctx, w.submit(ctx, readCategories), v1alpha1.DecisionPending, v1alpha1.ReasonRuleFailed)
		Expect(got.Message).To(ContainSubstring("affected_rows"))
		Expect(got.MatchedRules).To(ConsistOf(HaveField("Effect", v1alpha1.EffectRequireApproval)))
	})

	It("asks one approver where a workflow that is referred to does not exist", func(ctx SpecContext) {
		w.apply(ctx, `
kind: SmartRule
metadata: {name: ask}
spec: {match: {actionTypes: [database_read]}, effect: RequireApproval, workflowRef: {name: nobody-home}}
`)
		rule := &v1alpha1.SmartRule{}
		Expect(api.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: "ask"}, rule)).To(Succeed())
		Expect(rule.Status.Conditions).To(ConsistOf(And(
			HaveField("Reason", v1alpha1.ReasonReferenceNotFound),
			HaveField("Message", ContainSubstring(`spec.workflowRef: there is no ApprovalWorkflow "nobody-home"`)))))
		got := expectDecision(ctx, w.submit(ctx, readCategories), v1alpha1.DecisionPending, v1alpha1.ReasonWorkflowNotFound)
		Expect(got.Approval.PendingApprovers).To(ConsistOf("verb:approve"))
	})

	It("refuses parameters that are no object", func(ctx SpecContext) {
		for _, parameters := range []string{`[1, 2]`, `"DROP TABLE"`, `7`, `true`} {
			object := parse(`
kind: AgentAction
metadata: {generateName: act-}
spec: {agentRef: {name: agent}, actionType: database_read, parameters: ` + parameters + `}`)
			object.SetNamespace(w.namespace)
			Expect(api.Create(ctx, object)).To(MatchError(And(
				ContainSubstring("spec.parameters"), ContainSubstring("must be of type object"))), parameters)
		}
	})
})
