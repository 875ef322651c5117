// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/notify"
)

// hangs delivers nothing and says nothing, as a process that is killed.
type hangs struct{}

func (hangs) Send(ctx context.Context, _ notify.Target, _ notify.Event) notify.Result {
	<-ctx.Done()
	return notify.Result{Err: ctx.Err()}
}

var _ = Describe("What a leader leaves untold", Serial, func() {
	var (
		w  world
		to *receiver
	)

	BeforeEach(func(ctx SpecContext) {
		alone()
		w, to = newWorld(ctx), newReceiver()
		w.secret(ctx, "hook", oneSecret)
	})

	It("the next one tells: decisions, outcomes and suspensions", func(ctx SpecContext) {
		first := start(settings{sender: hangs{}})
		w.apply(ctx, agentInSandbox, autoApproveToMedium, twoOfThree)
		w.subscribe(ctx, "all", to, everything)
		approved, pending := w.submit(ctx, readCategories), w.submit(ctx, updateCustomer)
		Eventually(status(ctx, approved)).Should(And(HaveField("Notification", v1alpha1.NotificationPending), HaveField("Notifications", HaveLen(2))))
		Eventually(status(ctx, pending)).Should(HaveField("Notifications", HaveLen(2)))
		w.edit(ctx, "Agent", "agent", `spec: {owner: olga}`)
		first.stop()
		report(ctx, approved, v1alpha1.OutcomeSucceeded) // while nobody leads
		Expect(to.all()).To(BeEmpty())

		second := start(settings{})
		defer second.stop()
		expectTold(ctx, approved, v1alpha1.NotificationDelivered)
		expectTold(ctx, pending, v1alpha1.NotificationDelivered)
		Eventually(to.events).Should(ConsistOf("action.submitted", "action.approved", "action.executed", "action.submitted", "action.pending"))
		w.edit(ctx, "Agent", "agent", `spec: {state: Suspended}`)
		Eventually(to.events).Should(ContainElement("agent.suspended"))
	})

	It("is told of an agent, too", func(ctx SpecContext) {
		first := start(settings{sender: hangs{}})
		w.apply(ctx, agentInSandbox)
		w.subscribe(ctx, "all", to, "agent.suspended")
		w.edit(ctx, "Agent", "agent", `spec: {state: Suspended}`)
		agent := w.agent(ctx)
		Eventually(agent).Should(HaveField("Status.Notifications", HaveExactElements(And(
			HaveField("Event", v1alpha1.EventAgentSuspended), HaveField("Reason", v1alpha1.ReasonAgentSuspended), HaveField("To", HaveExactElements(v1alpha1.ObjectName("all")))))))
		first.stop()
		second := start(settings{})
		defer second.stop()
		Eventually(agent).Should(HaveField("Status.Notifications", BeEmpty()))
		Expect(to.events()).To(Equal([]string{"agent.suspended"}))
		w.edit(ctx, "Agent", "agent", `spec: {owner: olga}`)
		Consistently(to.all, soon).Should(HaveLen(1))
		w.edit(ctx, "Agent", "agent", `spec: {state: Retired}`)
		Eventually(to.all).Should(HaveLen(2), "stopped for another reason")
	})
})

// Telling subscriptions never makes a decision come too late, and an action that
// nobody subscribed to costs nothing more.
var _ = Describe("The outbox", Serial, func() {
	It("is written by the reconciler while an action waits, and no record is taken back", func(ctx SpecContext) {
		const actions = 60
		alone()
		own := start(settings{})
		defer own.stop()
		w, to := newWorld(ctx), newReceiver()
		w.secret(ctx, "hook", oneSecret)
		w.apply(ctx, agentInSandbox, shortLived)
		w.subscribe(ctx, "all", to, everything)
		// Each is escalated and times out while what came before is acknowledged;
		// nobody but the operator writes anything.
		asked, told := submitMany(ctx, w, actions, func(int) string { return updateCustomer }), 0
		for _, action := range asked {
			expectDecision(ctx, action, v1alpha1.DecisionTimedOut, v1alpha1.ReasonApprovalTimeout)
			expectTold(ctx, action, v1alpha1.NotificationDelivered)
			happened := own.events(action)
			Expect(happened).NotTo(ContainElement(audit.EventNotApplied))
			// Which they are depends on how soon the operator comes to look.
			told += len(slices.DeleteFunc(happened, func(e v1alpha1.EventType) bool {
				return !strings.HasPrefix(everything, string(e)) && !strings.Contains(everything, ", "+string(e))
			}))
		}
		Eventually(func() int { return len(to.events()) }).Should(Equal(told), "what the audit trail has")
		duplicates := len(to.all()) - len(to.events())
		AddReportEntry(fmt.Sprintf("notifications that arrived twice, of %d", told), duplicates)
		Expect(duplicates).To(BeNumerically("<=", 2))
	})

	It("costs one more write for a decided action, and none without a subscription", func(ctx SpecContext) {
		const actions = 50
		alone()
		w, to := newWorld(ctx), newReceiver()
		w.secret(ctx, "hook", oneSecret)
		count := &requests{}
		counted := start(settings{transport: count.wrap, collectInterval: time.Hour, flushInterval: time.Hour})
		defer counted.stop()
		w.apply(ctx, agentInSandbox, autoApproveToMedium)
		w.subscribe(ctx, "denials", to, "action.denied")
		writes := func() int {
			GinkgoHelper()
			Eventually(count.take).WithPolling(500 * time.Millisecond).Should(BeEmpty())
			for _, action := range submitMany(ctx, w, actions, func(int) string { return readCategories }) {
				expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
				Eventually(status(ctx, action)).Should(HaveField("Notifications", BeEmpty()))
			}
			seen := count.take()
			maps.DeleteFunc(seen, func(request string, _ int) bool {
				return strings.Contains(request, " events") || strings.HasPrefix(request, http.MethodGet)
			})
			AddReportEntry("requests", seen)
			return seen["PUT agentactions/NAME/status"]
		}
		Expect(writes()).To(Equal(actions), "a subscription to something else costs nothing")
		w.edit(ctx, "WebhookSubscription", "denials", `spec: {events: [action.approved]}`)
		Expect(writes()).To(Equal(2 * actions))
		Expect(to.events()).To(HaveLen(actions))
	})
})
