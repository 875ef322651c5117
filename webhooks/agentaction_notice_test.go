// SPDX-License-Identifier: Apache-2.0

package webhooks_test

import (
	"context"
	"encoding/json"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

var _ = Describe("The label that an outcome is still to be told", func() {
	const label = v1alpha1.OutcomeNotificationLabel
	merge := func(ctx context.Context, by *person, action *v1alpha1.AgentAction, patch any) error {
		text, err := json.Marshal(patch)
		Expect(err).NotTo(HaveOccurred())
		return by.Patch(ctx, action.DeepCopy(), client.RawPatch(types.MergePatchType, text))
	}
	labels := func(value any) map[string]any {
		return map[string]any{"metadata": map[string]any{"labels": map[string]any{label: value}}}
	}
	outcome := map[string]any{"spec": map[string]any{"outcome": map[string]any{"result": "Failed"}}}
	approved := func(ctx context.Context, d *desk, marks map[string]string) *v1alpha1.AgentAction {
		action := d.ask()
		action.Labels = marks
		Expect(d.bot.Create(ctx, action)).To(Succeed())
		d.evaluate(ctx, action)
		Expect(judge(ctx, d.alice, action, yes)).To(Succeed())
		Expect(judge(ctx, as("bob", "security"), action, yes)).To(Succeed())
		d.evaluate(ctx, action)
		Expect(action.Status.Decision).To(Equal(v1alpha1.DecisionApproved))
		return action
	}
	read := func(ctx context.Context, action *v1alpha1.AgentAction) map[string]string {
		GinkgoHelper()
		Expect(api.Get(ctx, client.ObjectKeyFromObject(action), action)).To(Succeed())
		return action.Labels
	}
	subscribe := func(ctx context.Context, d *desk, events string) {
		GinkgoHelper()
		d.add(ctx, "WebhookSubscription", "s", `{url: "https://hooks.example.com/", secretRef: {name: hook, key: key}, events: [`+events+`]}`)
		Eventually(func() int { return subscribed.Count(d.namespace) }).Should(Equal(1))
	}

	It("is written with an outcome that a subscription wants to hear of", func(ctx SpecContext) {
		d := newDesk(ctx)
		subscribe(ctx, d, "action.failed")
		bare, marked := approved(ctx, d, nil), approved(ctx, d, map[string]string{"team": "data"})
		Expect(merge(ctx, d.bot, bare, outcome)).To(Succeed())
		Expect(merge(ctx, d.bot, marked, outcome)).To(Succeed())
		Expect(read(ctx, bare)).To(Equal(map[string]string{label: "pending"}))
		Expect(read(ctx, marked)).To(Equal(map[string]string{label: "pending", "team": "data"}))

		By("and the operator alone takes it off")
		for _, by := range []*person{d.bot, d.alice, as("admin", "system:masters")} {
			Expect(merge(ctx, by, marked, labels(nil))).To(MatchError(ContainSubstring("is the operator's alone")), by.name)
			Expect(merge(ctx, by, marked, labels("done"))).NotTo(Succeed(), by.name)
		}
		Expect(d.refusedFor("alice", "LabelIsTheOperators")).To(HaveLen(2))
		operator := as(operatorName, "system:masters")
		Expect(merge(ctx, operator, marked, labels("done"))).To(MatchError(ContainSubstring("ascend-agentaction-immutability")), "it takes it off and does nothing else")
		Expect(merge(ctx, operator, marked, map[string]any{"metadata": map[string]any{"labels": map[string]any{label: nil, "team": "x"}}})).NotTo(Succeed())
		Expect(merge(ctx, operator, marked, map[string]any{"spec": map[string]any{"actionType": "shell"}})).NotTo(Succeed())
		Expect(merge(ctx, operator, marked, labels(nil))).To(Succeed())
		Expect(read(ctx, marked)).To(Equal(map[string]string{"team": "data"}))
		Expect(merge(ctx, operator, marked, labels("pending"))).NotTo(Succeed(), "without an outcome that is reported")
	})

	It("is not written where nobody wants to hear of it", func(ctx SpecContext) {
		d := newDesk(ctx)
		subscribe(ctx, d, "action.executed")
		action := approved(ctx, d, nil)
		Expect(merge(ctx, d.bot, action, outcome)).To(Succeed())
		Expect(read(ctx, action)).To(BeEmpty())
	})

	It("is nobody's to write before", func(ctx SpecContext) {
		d := newDesk(ctx)
		submitted := d.ask()
		submitted.Labels = map[string]string{label: "pending"}
		Expect(d.bot.Create(ctx, submitted)).To(MatchError(ContainSubstring("is the operator's alone")))
		action := d.pending(ctx)
		Expect(merge(ctx, d.bot, action, labels("pending"))).To(MatchError(ContainSubstring("is the operator's alone")))
		Expect(merge(ctx, d.bot, action, map[string]any{"metadata": map[string]any{"labels": map[string]any{"team": "data"}}})).To(Succeed())
		Expect(read(ctx, action)).To(Equal(map[string]string{"team": "data"}))
	})

	It("is held by the API server alone, too", Serial, func(ctx SpecContext) {
		d := newDesk(ctx)
		subscribe(ctx, d, "action.failed")
		action, waiting := approved(ctx, d, nil), d.pending(ctx)
		Expect(merge(ctx, d.bot, action, outcome)).To(Succeed())
		unasked(ctx, func() {
			for _, by := range []*person{d.bot, as("admin", "system:masters")} {
				Expect(merge(ctx, by, action, labels(nil))).To(MatchError(ContainSubstring("is the operator's alone")), by.name)
				Expect(merge(ctx, by, waiting, labels("pending"))).NotTo(Succeed(), by.name)
			}
		})
		Expect(read(ctx, action)).To(Equal(map[string]string{label: "pending"}))
	})
})

var _ = Describe("A subscription", func() {
	subscription := func(d *desk, events string) client.Object {
		return document("WebhookSubscription", d.namespace, "s", `{url: "https://hooks.example.com/", secretRef: {name: hook, key: key}, events: [`+events+`]}`)
	}

	It("is for those who may see what it tells", func(ctx SpecContext) {
		d := newDesk(ctx)
		dora := as("dora")
		grant(ctx, d.namespace, "dora", []string{"create", "get", "patch"}, "webhooksubscriptions")
		Expect(dora.Create(ctx, subscription(d, "action.denied"))).To(MatchError(And(
			ContainSubstring("dora may not list agentactions in namespace "+d.namespace), ContainSubstring("--user=dora"))))
		grant(ctx, d.namespace, "dora", []string{"list"}, "agentactions")
		Expect(dora.Create(ctx, subscription(d, "agent.suspended"))).To(MatchError(ContainSubstring("dora may not list agents in namespace")))
		Expect(dora.Create(ctx, subscription(d, "action.denied"))).To(Succeed())
		asks := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":{"governance.ascendowkai.com/test":"1"}}}`))
		Expect(dora.Patch(ctx, subscription(d, "action.denied"), asks)).To(Succeed())
		more := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"events":["action.denied","agent.suspended"]}}`))
		Expect(dora.Patch(ctx, subscription(d, "action.denied"), more)).To(MatchError(ContainSubstring("dora may not list agents")))
	})

	It("has a status that its owner may not write", func(ctx SpecContext) {
		d := newDesk(ctx)
		d.add(ctx, "WebhookSubscription", "s", `{url: "https://hooks.example.com/", secretRef: {name: hook, key: key}, events: [action.denied]}`)
		admin := as("admin", "system:masters")
		failed := client.RawPatch(types.MergePatchType, []byte(`{"status":{"failedTotal":7}}`))
		Expect(admin.Status().Patch(ctx, subscription(d, "action.denied"), failed)).To(MatchError(ContainSubstring("status is written by the operator alone")))
		action := d.pending(ctx)
		told := client.RawPatch(types.MergePatchType, []byte(`{"status":{"notification":"Delivered","notifications":null}}`))
		for _, by := range []*person{d.bot, d.alice, admin} {
			Expect(by.Status().Patch(ctx, action.DeepCopy(), told)).NotTo(Succeed(), by.name)
		}
	})
})
