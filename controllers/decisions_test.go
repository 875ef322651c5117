// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gstruct"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

var _ = Describe("A decision", func() {
	var w world

	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.apply(ctx, agentInSandbox, autoApproveToMedium, twoOfThree)
	})

	It("approves what needs no human", func(ctx SpecContext) {
		action := w.submit(ctx, readCategories)
		got := expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)

		Expect(got.Risk).To(gstruct.PointTo(gstruct.MatchFields(gstruct.IgnoreExtras, gstruct.Fields{
			"Score": BeEquivalentTo("2.1"), "Level": Equal(v1alpha1.RiskLevelLow), "CVSSBaseScore": BeEquivalentTo("4.3"),
		})))
		Expect(got.ObservedGeneration).To(Equal(action.Generation))
		Expect(got.SpecDigest).To(HavePrefix("sha256:"))
		Expect(got.PolicyRevision).To(HavePrefix("sha256:"))
		Expect(got.SubmittedAt.Unix()).To(Equal(action.CreationTimestamp.Unix()))
		Expect(got.ValidUntil.Sub(got.DecidedAt.Time)).To(Equal(time.Hour), "the workflow's approvalValidity")
		Expect(got.Approval).To(BeNil())
		Expect(got.ApprovalURL).To(BeEmpty())
		Expect(apimeta.IsStatusConditionTrue(got.Conditions, v1alpha1.ConditionDecided)).To(BeTrue())
		Expect(apimeta.FindStatusCondition(got.Conditions, v1alpha1.ConditionReconciling)).To(BeNil())

		By("telling it once on the agent, and in the audit trail for each action")
		agent := &v1alpha1.Agent{}
		Expect(api.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: "agent"}, agent)).To(Succeed())
		Eventually(eventsOn(ctx, agent)).Should(ConsistOf(HavePrefix("Normal AutoApproved")))
		Expect(eventsOn(ctx, action)()).To(BeEmpty())
		Expect(operator.events(action)).To(HaveExactElements(v1alpha1.EventActionSubmitted, audit.EventEvaluated, v1alpha1.EventActionApproved))
		Expect(conclusions(operator.records(action))).To(HaveExactElements(And(
			HaveField("Event", v1alpha1.EventActionApproved),
			HaveField("Agent", "agent"),
			HaveField("SpecDigest", got.SpecDigest),
			HaveField("RiskScore", BeEquivalentTo("2.1")),
		)))
	})

	It("denies by a rule, with the rule's reason", func(ctx SpecContext) {
		w.apply(ctx, `
kind: SmartRule
metadata: {name: rule-no-bulk-delete}
spec:
  displayName: Block Bulk Deletions
  match: {actionTypes: [database_delete]}
  conditions: [{name: bulk, expression: action.parameters.affected_rows > 100}]
  effect: Deny
  reason: Bulk delete operations require manager approval
`)
		action := w.submit(ctx, `{actionType: database_delete, parameters: {table: users, affected_rows: 150}}`)
		got := expectDecision(ctx, action, v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied)

		Expect(got.Message).To(Equal("Bulk delete operations require manager approval"))
		Expect(got.DecidingRule).To(gstruct.PointTo(HaveField("DisplayName", "Block Bulk Deletions")))
		Expect(got.MatchedRules).To(ConsistOf(HaveField("Name", BeEquivalentTo("rule-no-bulk-delete"))))
		Expect(got.ValidUntil).To(BeNil())
		Eventually(eventsOn(ctx, action)).Should(ConsistOf("Warning RuleDenied: Bulk delete operations require manager approval"))
		Expect(operator.events(action)).To(HaveExactElements(v1alpha1.EventActionSubmitted, audit.EventEvaluated, v1alpha1.EventActionDenied))
		Expect(operator.records(action)[2].MatchedRules).To(ConsistOf(w.namespace + "/rule-no-bulk-delete Deny Enforce"))
	})

	It("waits for two people and then approves", func(ctx SpecContext) {
		action := w.submit(ctx, updateCustomer)
		got := expectDecision(ctx, action, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired)
		Expect(got.Risk.Score).To(BeEquivalentTo("7.2"))
		Expect(got.Approval).To(gstruct.PointTo(gstruct.MatchFields(gstruct.IgnoreExtras, gstruct.Fields{
			"Stage": Equal("review"), "Required": BeEquivalentTo(2), "Granted": BeEquivalentTo(0),
			"PendingApprovers": ConsistOf("user:alice", "user:bob", "user:carol"),
		})))
		Expect(got.ApprovalURL).To(Equal("https://ascend.example.com/" + w.namespace + "/" + action.Name))
		Expect(got.DecidedAt).To(BeNil())
		Expect(apimeta.IsStatusConditionTrue(got.Conditions, v1alpha1.ConditionReconciling)).To(BeTrue(), "kstatus: in progress")
		Expect(apimeta.IsStatusConditionFalse(got.Conditions, v1alpha1.ConditionDecided)).To(BeTrue())

		approve(ctx, action, "alice")
		Eventually(status(ctx, action)).Should(And(HaveField("Decision", v1alpha1.DecisionPending), HaveField("Approval.Granted", BeEquivalentTo(1))))
		Expect(action.Status.ObservedGeneration).To(Equal(action.Generation))

		approve(ctx, action, "bob")
		got = expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted)
		Expect(got.ObservedGeneration).To(Equal(action.Generation))
		Expect(apimeta.FindStatusCondition(got.Conditions, v1alpha1.ConditionReconciling)).To(BeNil())
		Expect(conclusions(held(operator.records(action)))).To(HaveExactElements(
			HaveField("Event", v1alpha1.EventActionPending),
			HaveField("Event", audit.EventApprovalRecorded),
			HaveField("Event", audit.EventApprovalRecorded),
			And(HaveField("Event", v1alpha1.EventActionApproved),
				HaveField("Approvals", ConsistOf(HaveField("Approver", "alice"), HaveField("Approver", "bob")))),
		))
		Eventually(eventsOn(ctx, action)).Should(ContainElement(HavePrefix("Normal ApprovalGranted")))
	})

	It("denies when one approver says no", func(ctx SpecContext) {
		action := w.submit(ctx, updateCustomer)
		expectDecision(ctx, action, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired)
		judge(ctx, action, v1alpha1.VerdictDeny, "carol", "not today")
		got := expectDecision(ctx, action, v1alpha1.DecisionDenied, v1alpha1.ReasonApprovalDenied)
		Expect(got.Message).To(And(ContainSubstring("carol"), ContainSubstring("not today")))
	})

	It("cancels what the requester withdraws, and keeps what was known", func(ctx SpecContext) {
		action := w.submit(ctx, updateCustomer)
		expectDecision(ctx, action, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired)
		Expect(withdraw(ctx, action)).To(Succeed())
		got := expectDecision(ctx, action, v1alpha1.DecisionCancelled, v1alpha1.ReasonCancelledByRequester)
		Expect(got.Risk).To(gstruct.PointTo(HaveField("Score", BeEquivalentTo("7.2"))))
		Expect(held(operator.records(action))).To(ContainElement(HaveField("Event", v1alpha1.EventActionCancelled)))
	})

	It("refuses what the agent may not ask for", func(ctx SpecContext) {
		w.edit(ctx, "Agent", "agent", `spec: {allowedActionTypes: ["file_*"], maxRiskScore: "5.0"}`)
		action := w.submit(ctx, readCategories)
		Eventually(status(ctx, action)).Should(HaveField("Reason", Or(
			Equal(v1alpha1.ReasonActionTypeNotAllowed), Equal(v1alpha1.ReasonAutoApproved)))) // agents have no Ready for policy
		if action.Status.Decision == v1alpha1.DecisionApproved {
			action = w.submit(ctx, readCategories)
		}
		expectDecision(ctx, action, v1alpha1.DecisionDenied, v1alpha1.ReasonActionTypeNotAllowed)
	})

	It("turns a Deny into an approval where the rule grants exceptions", func(ctx SpecContext) {
		w.apply(ctx, `
kind: ApprovalWorkflow
metadata: {name: managers}
spec: {stages: [{name: manager, approvers: {users: [mary]}}]}
`, `
kind: SmartRule
metadata: {name: no-reads}
spec: {match: {actionTypes: [database_read]}, effect: Deny, reason: no reads, exceptionWorkflowRef: {name: managers}}
`)
		denied := w.submit(ctx, readCategories)
		expectDecision(ctx, denied, v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied)

		action := w.submit(ctx, `{actionType: database_read, parameters: {table: product_categories, data_classification: public},
			exceptionRequest: {ruleName: no-reads, justification: audit week}}`)
		expectDecision(ctx, action, v1alpha1.DecisionPending, v1alpha1.ReasonExceptionRequested)
		approve(ctx, action, "mary")
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted)
	})
})
