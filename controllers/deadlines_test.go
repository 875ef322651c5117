// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

var _ = Describe("Time", func() {
	var w world

	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		w.apply(ctx, agentInSandbox)
	})

	It("ends the wait of an action nobody decides", func(ctx SpecContext) {
		w.apply(ctx, `
kind: ApprovalWorkflow
metadata: {name: quick}
spec: {selector: {}, timeout: 1s, stages: [{name: review, approvers: {users: [alice]}}]}
`)
		action := w.submit(ctx, updateCustomer)
		got := expectDecision(ctx, action, v1alpha1.DecisionTimedOut, v1alpha1.ReasonApprovalTimeout)
		Expect(got.DecidedAt.Time).NotTo(BeTemporally("<", got.Approval.Deadline.Time), "never before the deadline")
		Expect(conclusions(held(operator.records(action)))).To(HaveExactElements(
			HaveField("Event", v1alpha1.EventActionPending), HaveField("Event", v1alpha1.EventActionTimeout)))
	})

	It("denies at the deadline where the workflow says so", func(ctx SpecContext) {
		w.apply(ctx, `
kind: ApprovalWorkflow
metadata: {name: quick}
spec: {selector: {}, timeout: 1s, onTimeout: Denied, stages: [{name: review, approvers: {users: [alice]}}]}
`)
		expectDecision(ctx, w.submit(ctx, updateCustomer), v1alpha1.DecisionDenied, v1alpha1.ReasonApprovalTimeout)
	})

	It("widens the circle of a stage that waits too long", func(ctx SpecContext) {
		w.apply(ctx, `
kind: ApprovalWorkflow
metadata: {name: escalating}
spec:
  selector: {}
  stages:
  - name: review
    approvers: {users: [alice]}
    escalation: {after: 1s, approvers: {users: [boss]}}
`)
		action := w.submit(ctx, updateCustomer)
		Eventually(status(ctx, action)).Should(HaveField("Approval", HaveField("Escalated", BeTrue())))
		Expect(action.Status.Decision).To(Equal(v1alpha1.DecisionPending))
		Expect(action.Status.Approval.PendingApprovers).To(ConsistOf("user:alice", "user:boss"))
		Expect(action.Status.Approval.EscalateAt).To(BeNil())
		Expect(conclusions(held(operator.records(action)))).To(HaveExactElements(
			HaveField("Event", v1alpha1.EventActionPending), HaveField("Event", v1alpha1.EventActionEscalated)))
		Eventually(eventsOn(ctx, action)).Should(ContainElement(HaveSuffix("escalated")))

		approve(ctx, action, "boss")
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted)
	})

	It("breaks the glass with enough people who say why", func(ctx SpecContext) {
		w.apply(ctx, `
kind: ApprovalWorkflow
metadata: {name: strict}
spec:
  selector: {}
  stages: [{name: review, approvers: {users: [alice]}}]
  emergencyOverride: {approvers: {users: [oncall-1, oncall-2]}, required: 2}
`)
		action := w.submit(ctx, updateCustomer)
		expectDecision(ctx, action, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired)
		judge(ctx, action, v1alpha1.VerdictOverride, "oncall-1", "the site is down")
		judge(ctx, action, v1alpha1.VerdictOverride, "oncall-2", "I have seen it too")
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonEmergencyOverride)
		Expect(held(operator.records(action))).To(ContainElement(And(
			HaveField("Reason", v1alpha1.ReasonEmergencyOverride), HaveField("BreakGlass", true),
			HaveField("Approvals", ContainElement(HaveField("Comment", "the site is down"))))))
	})

	It("keeps the deadline that was promised over a restart of the operator", Serial, func(ctx SpecContext) {
		w.apply(ctx, `
kind: ApprovalWorkflow
metadata: {name: slow}
spec: {selector: {}, timeout: 1h, stages: [{name: review, approvers: {users: [alice]}, timeout: 30m, escalation: {after: 10m, approvers: {users: [boss]}}}]}
`)
		action := w.submit(ctx, updateCustomer)
		before := expectDecision(ctx, action, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired)
		alone()
		again := start(settings{})
		defer again.stop()
		// An approval that does not count makes the new operator look and write.
		approve(ctx, action, "stranger")
		Eventually(status(ctx, action)).Should(HaveField("Approval.Uncounted", HaveLen(1)))
		Expect(action.Status.Approval).To(And(
			HaveField("Deadline", Equal(before.Approval.Deadline)),
			HaveField("EscalateAt", Equal(before.Approval.EscalateAt)),
			HaveField("RequestedAt", Equal(before.Approval.RequestedAt)),
		))
	})
})
