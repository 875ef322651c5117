// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

var _ = Describe("A change of policy", func() {
	const askForReads = `
kind: SmartRule
metadata: {name: ask-for-reads}
spec: {match: {actionTypes: [database_read]}, effect: RequireApproval, workflowRef: {name: people}}
`
	var w world

	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.apply(ctx, agentInSandbox, autoApproveToMedium, twoOfThree)
	})

	// pending is an action that waits because of askForReads.
	pending := func(ctx SpecContext) *v1alpha1.AgentAction {
		GinkgoHelper()
		w.apply(ctx, askForReads)
		action := w.submit(ctx, readCategories)
		expectDecision(ctx, action, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired)
		return action
	}

	It("approves what waits when the rule that asked is deleted", func(ctx SpecContext) {
		action := pending(ctx)
		w.remove(ctx, "SmartRule", "ask-for-reads")
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		Expect(conclusions(held(operator.records(action)))).To(HaveExactElements(
			HaveField("Event", v1alpha1.EventActionPending), HaveField("Event", v1alpha1.EventActionApproved)))
	})

	It("approves what waits when the rule is weakened", func(ctx SpecContext) {
		action := pending(ctx)
		w.edit(ctx, "SmartRule", "ask-for-reads", `spec: {mode: Audit}`)
		got := expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		Expect(got.MatchedRules).To(ConsistOf(HaveField("Mode", v1alpha1.RuleAudit)))
	})

	It("denies what waits when a Deny is added", func(ctx SpecContext) {
		action := pending(ctx)
		w.apply(ctx, `
kind: SmartRule
metadata: {name: freeze}
spec: {effect: Deny, reason: change freeze}
`)
		got := expectDecision(ctx, action, v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied)
		Expect(got.Message).To(Equal("change freeze"))
	})

	It("does not touch what is decided", func(ctx SpecContext) {
		action := w.submit(ctx, readCategories)
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		waiting := pending(ctx)
		w.apply(ctx, `
kind: SmartRule
metadata: {name: freeze}
spec: {effect: Deny, reason: change freeze}
`)
		expectDecision(ctx, waiting, v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied) // so the change has gone round
		Expect(status(ctx, action)()).To(HaveField("Decision", v1alpha1.DecisionApproved))
	})

	It("denies what waits when the agent is suspended, and only that agent's", func(ctx SpecContext) {
		w.create(ctx, "kind: Agent\nmetadata: {name: other}\nspec: {environment: sandbox}")
		theirs := w.action(updateCustomer)
		theirs.Spec.AgentRef.Name = "other"
		Expect(api.Create(ctx, theirs)).To(Succeed())
		expectDecision(ctx, theirs, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired)

		action := pending(ctx)
		w.edit(ctx, "Agent", "agent", `spec: {state: Suspended}`)
		expectDecision(ctx, action, v1alpha1.DecisionDenied, v1alpha1.ReasonAgentSuspended)
		Expect(status(ctx, theirs)()).To(HaveField("Decision", v1alpha1.DecisionPending))
	})

	It("voids the approvals given under a workflow that is edited, and says so", func(ctx SpecContext) {
		action := pending(ctx)
		approve(ctx, action, "alice")
		Eventually(status(ctx, action)).Should(HaveField("Approval.Granted", BeEquivalentTo(1)))
		before := action.Status

		w.edit(ctx, "ApprovalWorkflow", "people",
			`spec: {stages: [{name: review, approvers: {users: [alice, bob, carol, dave]}, required: 2}]}`)
		Eventually(status(ctx, action)).Should(HaveField("Approval.Uncounted", ConsistOf(And(
			HaveField("Approver", "alice"), HaveField("Reason", ContainSubstring("approve again"))))))
		got := action.Status
		Expect(got.Decision).To(Equal(v1alpha1.DecisionPending))
		Expect(got.Approval.Granted).To(BeZero())
		Expect(got.Approval.Revision).NotTo(Equal(before.Approval.Revision))
		Expect(got.PolicyRevision).NotTo(Equal(before.PolicyRevision))
		Expect(eventsOf(held(operator.records(action)))).To(HaveExactElements(
			v1alpha1.EventActionSubmitted, audit.EventEvaluated, v1alpha1.EventActionPending, audit.EventApprovalRecorded,
			audit.EventEvaluated, v1alpha1.EventActionPending), "asked, alice, asked anew")

		By("counting alice again, and bob")
		approve(ctx, action, "alice")
		approve(ctx, action, "bob")
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted)
	})

	It("reaches what waits for another namespace's people only through the global namespace", func(ctx SpecContext) {
		action := pending(ctx)
		elsewhere := newWorld(ctx)
		elsewhere.apply(ctx, "kind: SmartRule\nmetadata: {name: freeze}\nspec: {effect: Deny}")
		w.apply(ctx, fmt.Sprintf(`
kind: SmartRule
metadata: {name: freeze-%s, namespace: %s}
spec:
  conditions: [{name: here, expression: "action.namespace == '%s'"}]
  effect: Deny
`, w.namespace, v1alpha1.GlobalNamespace, w.namespace))
		got := expectDecision(ctx, action, v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied)
		Expect(got.DecidingRule.Namespace).To(BeEquivalentTo(v1alpha1.GlobalNamespace))
		Expect(got.MatchedRules).NotTo(ContainElement(HaveField("Namespace", BeEquivalentTo(elsewhere.namespace))))
	})

	It("sees the labels of a namespace that has just been created", func(ctx SpecContext) {
		w.apply(ctx, fmt.Sprintf(`
kind: SmartRule
metadata: {name: unlabelled-%s, namespace: %s}
spec:
  match: {agents: {names: ["agent-%s"]}}
  conditions: [{name: named, expression: "!('kubernetes.io/metadata.name' in namespaceObject.metadata.labels)"}]
  effect: Deny
`, w.namespace, v1alpha1.GlobalNamespace, w.namespace))
		for range 5 {
			fresh := newWorld(ctx)
			fresh.create(ctx, "kind: Agent\nmetadata: {name: agent-"+w.namespace+"}\nspec: {environment: sandbox}", autoApproveToMedium)
			action := fresh.action(readCategories)
			action.Spec.AgentRef.Name = v1alpha1.ObjectName("agent-" + w.namespace)
			Expect(api.Create(ctx, action)).To(Succeed())
			expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		}
	})
})
