// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Subscriptions hear of what happens, at least once, whatever becomes of the
// operator, of other receivers, and of what they themselves are.

const (
	// shortLived asks alice, soon somebody else, and not for long.
	shortLived = `
kind: ApprovalWorkflow
metadata: {name: hurried}
spec:
  selector: {riskLevels: [High, Critical]}
  stages: [{name: review, approvers: {users: [alice]}, timeout: 9s, escalation: {after: 3s, approvers: {users: [bob]}}}]
`
	noDeletions = `
kind: SmartRule
metadata: {name: no-deletions}
spec: {effect: Deny, reason: nothing is deleted here, match: {actionTypes: [database_delete]}}
`
	approvedAndGone = `{actionType: database_read, parameters: {table: product_categories, data_classification: public}, ttlAfterDecision: 0s}`
	deniedAndGone   = `{actionType: database_delete, parameters: {table: users}, ttlAfterDecision: 0s}`
	deleteUsers     = `{actionType: database_delete, parameters: {table: users}}`
	everything      = "action.submitted, action.approved, action.denied, action.pending, action.escalated, action.timeout, action.cancelled, action.executed, action.failed, policy.violation, agent.suspended"
)

var _ = Describe("A subscription", func() {
	var (
		w  world
		to *receiver
	)

	BeforeEach(func(ctx SpecContext) {
		w, to = newWorld(ctx), newReceiver()
		w.secret(ctx, "hook", oneSecret)
		w.apply(ctx, agentInSandbox, autoApproveToMedium)
	})

	It("hears of everything that it asks for, signed", func(ctx SpecContext) {
		w.apply(ctx, shortLived, noDeletions)
		w.subscribe(ctx, "all", to, everything)
		Expect(w.readyOf(ctx, "all")()).To(Equal("True Ready: deliveries can be made"))

		withdrawn := w.submit(ctx, updateCustomer)
		expectDecision(ctx, withdrawn, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired)
		Expect(withdraw(ctx, withdrawn)).To(Succeed()) // before it is escalated
		approved, failed := w.submit(ctx, readCategories), w.submit(ctx, readCategories)
		denied, waiting := w.submit(ctx, deleteUsers), w.submit(ctx, updateCustomer)
		expectDecision(ctx, approved, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		expectDecision(ctx, failed, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		report(ctx, approved, v1alpha1.OutcomeSucceeded)
		report(ctx, failed, v1alpha1.OutcomeFailed)
		expectDecision(ctx, denied, v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied)
		expectDecision(ctx, waiting, v1alpha1.DecisionTimedOut, v1alpha1.ReasonApprovalTimeout)
		w.edit(ctx, "Agent", "agent", `spec: {state: Suspended}`)

		for _, action := range []*v1alpha1.AgentAction{approved, failed, denied, waiting, withdrawn} {
			expectTold(ctx, action, v1alpha1.NotificationDelivered)
		}
		Eventually(to.events).Should(ConsistOf(
			"action.submitted", "action.approved", "action.executed",
			"action.submitted", "action.approved", "action.failed",
			"action.submitted", "action.denied", "policy.violation",
			"action.submitted", "action.pending", "action.escalated", "action.timeout",
			"action.submitted", "action.pending", "action.cancelled",
			"agent.suspended",
		))
		for _, one := range to.all() {
			Expect(one.signedBy(oneSecret)).To(BeTrue(), one.Event)
			Expect(one.signedBy(anotherSecret)).To(BeFalse(), one.Event)
			Expect(one.Body).To(And(HaveKeyWithValue("specversion", "1.0"), HaveKeyWithValue("type", one.Event), HaveKeyWithValue("id", one.ID)))
			switch one.Event {
			case "action.denied", "policy.violation":
				Expect(one.data("decision")).To(Equal("DENIED"))
				Expect(one.data("action_id")).To(Equal(denied.Name))
				Expect(one.data("reason")).To(Equal(v1alpha1.ReasonRuleDenied))
				Expect(one.data("message")).To(Equal("nothing is deleted here"))
			case "action.pending":
				Expect(one.data("decision")).To(Equal("PENDING"), "that of the event, whatever came after it")
				Expect(one.data("reason")).To(Equal(v1alpha1.ReasonApprovalRequired))
			}
		}
		for _, action := range []*v1alpha1.AgentAction{approved, failed} {
			Expect(status(ctx, action)()).To(HaveField("Decision", v1alpha1.DecisionApproved))
			Expect(action.Labels).NotTo(HaveKey(v1alpha1.OutcomeNotificationLabel))
		}
		Eventually(w.subscription(ctx, "all")).Should(And(
			HaveField("Status.DeliveredTotal", BeEquivalentTo(17)), HaveField("Status.FailedTotal", BeZero()),
			HaveField("Status.LastError", BeEmpty()), HaveField("Status.LastDeliveryTime", Not(BeNil()))))
	})

	It("hears of its own agent and its own events alone", func(ctx SpecContext) {
		w.apply(ctx, "kind: Agent\nmetadata: {name: other}\nspec: {environment: sandbox, subjects: [{kind: ServiceAccount, namespace: shop, name: agent}]}")
		w.subscribe(ctx, "one", to, "action.approved", "  agentRef: {name: other}")
		action := w.submit(ctx, readCategories)
		theirs := w.action(readCategories)
		theirs.Spec.AgentRef.Name = "other"
		Expect(api.Create(ctx, theirs)).To(Succeed())
		expectTold(ctx, theirs, v1alpha1.NotificationDelivered)
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		Expect(action.Status.Notification).To(BeEmpty())
		Expect(to.events()).To(Equal([]string{"action.approved"}))
	})

	It("whose receiver is dead harms no other, and is tried again", func(ctx SpecContext) {
		dead := newReceiver()
		dead.answers(always(http.StatusInternalServerError))
		w.subscribe(ctx, "alive", to, "action.approved")
		w.subscribe(ctx, "dead", dead, "action.approved")
		const actions = 30
		asked := submitMany(ctx, w, actions, func(int) string { return readCategories })
		Eventually(func() int { return len(to.events()) }).Should(Equal(actions))
		Eventually(w.subscription(ctx, "dead")).Should(HaveField("Status.LastError", ContainSubstring("500")))
		Eventually(status(ctx, asked[0])).Should(HaveField("Notifications", HaveExactElements(HaveField("To", HaveExactElements(v1alpha1.ObjectName("dead"))))))
		Expect(asked[0].Status.Notification).To(Equal(v1alpha1.NotificationPending))
		Expect(len(dead.all())).To(BeNumerically("<=", actions), "it is probed, not flooded")

		By("it is back, and its owner says so by a change of spec")
		dead.answers(nil)
		w.edit(ctx, "WebhookSubscription", "dead", `spec: {events: [action.approved, action.denied]}`)
		for _, action := range asked {
			expectTold(ctx, action, v1alpha1.NotificationDelivered)
		}
		Expect(dead.events()).To(HaveLen(actions))
		Expect(to.events()).To(HaveLen(actions))
	})

	It("that is deleted while notifications wait is waited for no more", func(ctx SpecContext) {
		to.answers(always(http.StatusServiceUnavailable))
		w.apply(ctx, twoOfThree)
		w.subscribe(ctx, "gone", to, "action.approved, action.pending, agent.suspended")
		decided, pending := w.submit(ctx, readCategories), w.submit(ctx, updateCustomer)
		Eventually(status(ctx, decided)).Should(HaveField("Notification", v1alpha1.NotificationPending))
		Eventually(status(ctx, pending)).Should(HaveField("Notification", v1alpha1.NotificationPending))
		w.remove(ctx, "WebhookSubscription", "gone")
		expectTold(ctx, decided, v1alpha1.NotificationDelivered)
		expectTold(ctx, pending, v1alpha1.NotificationDelivered)
	})

	It("that is changed while notifications wait gets them at its new URL", func(ctx SpecContext) {
		to.answers(always(http.StatusServiceUnavailable))
		w.subscribe(ctx, "moved", to, "action.approved")
		action := w.submit(ctx, readCategories)
		Eventually(to.events).Should(HaveLen(1))
		now := newReceiver()
		patch := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"url":"`+now.URL+`/elsewhere"}}`)) // every receiver of specs has one certificate
		found, err := w.subscription(ctx, "moved")()
		Expect(err).NotTo(HaveOccurred())
		Expect(api.Patch(ctx, found, patch)).To(Succeed())
		expectTold(ctx, action, v1alpha1.NotificationDelivered)
		Expect(now.events()).To(Equal([]string{"action.approved"}))
		Expect(now.all()[0].ID).To(Equal(to.all()[0].ID), "the same event")
	})

	It("whose receiver says that it is gone is left alone until its spec changes", func(ctx SpecContext) {
		to.answers(always(http.StatusGone))
		w.subscribe(ctx, "gone", to, "action.approved")
		action := w.submit(ctx, readCategories)
		expectTold(ctx, action, v1alpha1.NotificationFailed)
		Eventually(w.readyOf(ctx, "gone")).Should(HavePrefix("False ReceiverGone: "))
		Expect(w.subscription(ctx, "gone")()).To(And(HaveField("Status.FailedTotal", BeEquivalentTo(1)),
			HaveField("Status.DeadLetters", HaveExactElements(And(HaveField("Event", v1alpha1.EventActionApproved),
				HaveField("Kind", "AgentAction"), HaveField("Name", v1alpha1.ObjectName(action.Name)), HaveField("Error", ContainSubstring("410")))))))

		Eventually(func(g Gomega) { // once the decisions hear of it, too
			later := w.submit(ctx, readCategories)
			expectDecision(ctx, later, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
			g.Expect(later.Status.Notification).To(BeEmpty())
		}).Should(Succeed())
		Consistently(to.all, soon).Should(HaveLen(1))

		to.answers(nil)
		w.edit(ctx, "WebhookSubscription", "gone", `spec: {events: [action.approved, action.denied]}`)
		Eventually(w.readyOf(ctx, "gone")).Should(HavePrefix("True Ready"))
		Eventually(func(g Gomega) { // once the decisions hear of it, too
			again := w.submit(ctx, readCategories)
			expectDecision(ctx, again, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
			g.Expect(again.Status.Notification).NotTo(BeEmpty())
		}).Should(Succeed())
		Eventually(to.all).Should(HaveLen(2))
	})

	It("is not deleted with its actions, nor they before they are told", func(ctx SpecContext) {
		to.answers(always(http.StatusServiceUnavailable))
		w.apply(ctx, noDeletions)
		w.subscribe(ctx, "slow", to, "action.approved")
		untold, told := w.submit(ctx, approvedAndGone), w.submit(ctx, deniedAndGone)
		Eventually(func() error { return api.Get(ctx, client.ObjectKeyFromObject(told), told) }).ShouldNot(Succeed())
		Consistently(func() error { return api.Get(ctx, client.ObjectKeyFromObject(untold), untold) }, soon).Should(Succeed())
		to.answers(nil)
		w.edit(ctx, "WebhookSubscription", "slow", `spec: {events: [action.approved, action.denied]}`)
		Eventually(func() error { return api.Get(ctx, client.ObjectKeyFromObject(untold), untold) }).ShouldNot(Succeed())
		Expect(to.events()).To(Equal([]string{"action.approved"}))
	})

	It("is sent a sample when somebody asks for it, once", func(ctx SpecContext) {
		w.subscribe(ctx, "tried", to, "action.denied")
		ask := func(id string) {
			found, err := w.subscription(ctx, "tried")()
			Expect(err).NotTo(HaveOccurred())
			Expect(api.Patch(ctx, found, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":{"governance.ascendowkai.com/test":"`+id+`"}}}`)))).To(Succeed())
		}
		ask("one")
		Eventually(w.subscription(ctx, "tried")).Should(HaveField("Status.LastTest", And(
			HaveField("ID", "one"), HaveField("StatusCode", BeEquivalentTo(200)), HaveField("Error", BeEmpty()))))
		Expect(to.events()).To(Equal([]string{"webhook.test"}))
		Expect(to.all()[0].signedBy(oneSecret)).To(BeTrue())
		to.answers(always(http.StatusTeapot))
		ask("two")
		Eventually(w.subscription(ctx, "tried")).Should(HaveField("Status.LastTest", And(
			HaveField("ID", "two"), HaveField("StatusCode", BeEquivalentTo(418)), HaveField("Error", ContainSubstring("418")))))
		w.edit(ctx, "WebhookSubscription", "tried", `spec: {events: [action.approved, action.denied]}`)
		Consistently(to.all, soon).Should(HaveLen(2))
	})

	It("loses a label that nobody waits for", func(ctx SpecContext) {
		w.subscribe(ctx, "executed", to, "action.executed")
		action, pending := w.submit(ctx, readCategories), w.action(updateCustomer)
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		w.remove(ctx, "WebhookSubscription", "executed")
		report(ctx, action, v1alpha1.OutcomeSucceeded)
		pending.Labels = map[string]string{v1alpha1.OutcomeNotificationLabel: "forged", "team": "data"}
		Expect(api.Create(ctx, pending)).To(Succeed())
		for _, one := range []*v1alpha1.AgentAction{action, pending} {
			Eventually(func() map[string]string {
				Expect(api.Get(ctx, client.ObjectKeyFromObject(one), one)).To(Succeed())
				return one.Labels
			}).ShouldNot(HaveKey(v1alpha1.OutcomeNotificationLabel))
			Expect(one.Status.Notification).To(BeEmpty())
		}
		Expect(pending.Labels).To(HaveKey("team"))
		Expect(to.all()).To(BeEmpty())
	})
})
