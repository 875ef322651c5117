// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/controllers"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/keyring"
	"github.com/ow-kai/ascend-operator/internal/voucher"
)

// The webhook concerns a kind that does not exist, so it hinders no other spec.
const gappedWebhooks = `
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: gapped}
webhooks:
- name: gapped.example.com
  clientConfig: {url: "https://127.0.0.1:1/"}
  rules: [{apiGroups: [nothing.example.com], apiVersions: [v1], operations: [CREATE], resources: [nothings], scope: "*"}]
  failurePolicy: Fail
  sideEffects: None
  admissionReviewVersions: [v1]
`

const twoOfThreeSoon = `
kind: ApprovalWorkflow
metadata: {name: people}
spec:
  selector: {riskLevels: [High, Critical]}
  stages:
  - name: review
    approvers: {users: [alice, bob, carol]}
    required: 2
    timeout: 12s
`

// Whoever reaches the webhooks can have verdicts sealed, as the notary does here,
// and store them while the API server asks nobody.
var _ = Describe("While the API server does not ask admission", Serial, func() {
	var (
		w   world
		n   *notary
		own *running
	)

	// operate starts an operator that looks again after an interval; with the
	// longest it looks once, and before each approval.
	operate := func(interval time.Duration, more ...string) {
		GinkgoHelper()
		keys := keyring.New(api, api, clock.RealClock{})
		guard := controllers.NewAdmissionGuard(decode(gappedWebhooks))
		for _, document := range more {
			guard.Shipped = append(guard.Shipped, decode(document))
		}
		guard.Interval, guard.Settle, guard.Memory = interval, 300*time.Millisecond, keys
		own = start(settings{guard: guard, voucher: voucher.Sealed{Ring: keys.Ring, Reload: keys.Reload, VoidBefore: keys.VoidBefore}})
		DeferCleanup(own.stop)
	}
	const often, once = 100 * time.Millisecond, time.Hour

	seen := func(ctx context.Context) map[string]string {
		var secret corev1.Secret
		Expect(api.Get(ctx, client.ObjectKey{Namespace: v1alpha1.GlobalNamespace, Name: keyring.SecretName}, &secret)).To(Succeed())
		return secret.Annotations
	}

	BeforeEach(func(ctx SpecContext) {
		install(ctx, decode(gappedWebhooks))
		n = &notary{}
		n.share(ctx, "0000000a")
		w = newWorld(ctx)
		alone()
	})

	pending := func(ctx context.Context) *v1alpha1.AgentAction {
		GinkgoHelper()
		action := w.action(updateCustomer)
		n.admit(action, time.Now())
		Expect(api.Create(ctx, action)).To(Succeed())
		expectDecision(ctx, action, v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired)
		return action
	}
	granted := func(ctx context.Context, action *v1alpha1.AgentAction, count int) {
		GinkgoHelper()
		Eventually(status(ctx, action)).WithContext(ctx).Should(HaveField("Approval.Granted", BeEquivalentTo(count)))
	}
	expectVoid := func(ctx context.Context, action *v1alpha1.AgentAction, approvers ...any) {
		GinkgoHelper()
		var void []any
		for _, approver := range approvers {
			void = append(void, And(HaveField("Approver", approver), HaveField("Reason",
				And(ContainSubstring("before admission was enforced again at 20"), ContainSubstring("kubectl approve")))))
		}
		Eventually(status(ctx, action)).WithContext(ctx).Should(And(
			HaveField("Decision", v1alpha1.DecisionPending), HaveField("Approval.Granted", BeZero()), HaveField("Approval.Uncounted", ConsistOf(void...))))
		Expect(seen(ctx)).To(HaveKeyWithValue(keyring.VoidBeforeAnnotation, MatchRegexp(`^20.*\.\d{6}Z$`)))
	}
	// anew approves as admission has people do whose entries are void.
	anew := func(ctx context.Context, action *v1alpha1.AgentAction, approver string) {
		GinkgoHelper()
		again := action.DeepCopy()
		again.Status.Approval.Stage = approval.Anew(action.Status.Approval.Stage, action.Status.Approval, time.Now())
		give(ctx, action, n.verdict(again, approver))
	}
	settle := func() { time.Sleep(400 * time.Millisecond) } // guard.Settle
	remove := func(ctx context.Context) { Expect(api.Delete(ctx, decode(gappedWebhooks))).To(Succeed()) }
	create := func(ctx context.Context) { Expect(api.Create(ctx, decode(gappedWebhooks))).To(Succeed()) }
	patch := func(ctx context.Context, path, value string) {
		Expect(api.Patch(ctx, decode(gappedWebhooks), client.RawPatch("application/json-patch+json",
			[]byte(`[{"op": "replace", "path": "`+path+`", "value": `+value+`}]`)))).To(Succeed())
	}

	It("approves nothing through people, voids what was given, and lets the same people approve anew", func(ctx SpecContext) {
		operate(often)
		w.apply(ctx, agentInSandbox, autoApproveToMedium, twoOfThree)
		action, bystander := pending(ctx), pending(ctx)
		give(ctx, action, n.verdict(action, "alice"))
		give(ctx, bystander, n.verdict(bystander, "carol"))
		granted(ctx, action, 1)
		granted(ctx, bystander, 1)

		remove(ctx)
		give(ctx, action, n.verdict(action, "bob"))
		Eventually(status(ctx, action)).WithContext(ctx).Should(HaveField("Message", And(
			HavePrefix("High risk (7.2) requires approval; admission is not enforced"),
			HaveSuffix("once admission is enforced again: kubectl apply --server-side --force-conflicts -k config/default"))))
		still := And(HaveField("Decision", v1alpha1.DecisionPending), HaveField("Reason", v1alpha1.ReasonApprovalRequired), HaveField("Approval.Granted", BeEquivalentTo(1)))
		Consistently(status(ctx, action)).WithContext(ctx).WithTimeout(7 * time.Second).Should(still)
		Expect(own.events(action)).NotTo(ContainElement(v1alpha1.EventActionApproved))
		By("what no human has to see is approved all the same")
		auto := w.action(readCategories)
		n.admit(auto, time.Now())
		Expect(api.Create(ctx, auto)).To(Succeed())
		expectDecision(ctx, auto, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)

		By("the end")
		create(ctx)
		expectVoid(ctx, action, "alice", "bob")
		expectVoid(ctx, bystander, "carol")
		Expect(action.Status.Message).To(Equal("High risk (7.2) requires approval"))
		settle()
		anew(ctx, action, "bob")
		granted(ctx, action, 1)
		anew(ctx, action, "alice")
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted)
		Expect(held(own.records(action))).To(ContainElement(HaveField("Event", v1alpha1.EventActionApproved)))
		Eventually(own.alarms).Should(HaveExactElements(
			HaveField("Message", ContainSubstring("MutatingWebhookConfiguration/gapped: it is missing")),
			HaveField("Message", ContainSubstring("no verdict counts that was given before 20")),
			HaveField("Event", audit.EventEnforced)))
	})

	DescribeTable("finds by itself what came and went between two looks", func(ctx SpecContext, gap func(context.Context), voids bool) {
		operate(once)
		w.apply(ctx, agentInSandbox, autoApproveToMedium, twoOfThree)
		action := pending(ctx)
		give(ctx, action, n.verdict(action, "alice"))
		granted(ctx, action, 1)
		gap(ctx)
		give(ctx, action, n.verdict(action, "bob"))
		if !voids {
			expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted)
			Expect(seen(ctx)).NotTo(HaveKey(keyring.VoidBeforeAnnotation))
			return
		}
		expectVoid(ctx, action, "alice", "bob")
		Expect(own.events(action)).NotTo(ContainElement(v1alpha1.EventActionApproved))
		settle()
		anew(ctx, action, "alice")
		anew(ctx, action, "carol")
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted)
	},
		Entry("deleted and created again", func(ctx context.Context) { remove(ctx); create(ctx) }, true),
		Entry("weakened and mended", func(ctx context.Context) {
			patch(ctx, "/webhooks/0/failurePolicy", `"Ignore"`)
			patch(ctx, "/webhooks/0/failurePolicy", `"Fail"`)
		}, true),
		Entry("but one change for another that is in order is none", func(ctx context.Context) { patch(ctx, "/webhooks/0/timeoutSeconds", "7") }, false),
	)

	It("is known to whoever leads next, also when it came and went while nobody led", func(ctx SpecContext) {
		operate(often)
		w.apply(ctx, agentInSandbox, autoApproveToMedium, twoOfThree)
		action := pending(ctx)
		give(ctx, action, n.verdict(action, "alice"))
		granted(ctx, action, 1)
		Eventually(func() map[string]string { return seen(ctx) }).Should(HaveKey(keyring.SeenAnnotation))
		own.stop()
		remove(ctx)
		give(ctx, action, n.verdict(action, "bob"))
		create(ctx)
		operate(once)
		expectVoid(ctx, action, "alice", "bob")

		By("a leader that starts in the middle of it")
		own.stop()
		remove(ctx)
		settle()
		anew(ctx, action, "alice")
		anew(ctx, action, "bob")
		operate(often)
		Eventually(status(ctx, action)).WithContext(ctx).Should(HaveField("Message", HaveSuffix("-k config/default")))
		Expect(action.Status.Decision).To(Equal(v1alpha1.DecisionPending))
		create(ctx)
		expectVoid(ctx, action, "alice", "bob", "alice", "bob")

		By("the next one remembers")
		own.stop()
		operate(once)
		Consistently(status(ctx, action)).WithContext(ctx).WithTimeout(time.Second).Should(HaveField("Decision", v1alpha1.DecisionPending))
	})

	It("lets deadlines pass as ever, and denials count", func(ctx SpecContext) {
		operate(often)
		w.apply(ctx, agentInSandbox, autoApproveToMedium, twoOfThreeSoon)
		late, denied := pending(ctx), pending(ctx)
		remove(ctx)
		for _, approver := range []string{"alice", "bob"} {
			give(ctx, late, n.verdict(late, approver))
		}
		no := n.verdict(denied, "carol")
		no.Verdict = v1alpha1.VerdictDeny
		n.seal(denied, &no)
		give(ctx, denied, no)
		expectDecision(ctx, denied, v1alpha1.DecisionDenied, v1alpha1.ReasonApprovalDenied)
		Eventually(status(ctx, late)).WithContext(ctx).Should(HaveField("Message", HaveSuffix("-k config/default")))
		expectDecision(ctx, late, v1alpha1.DecisionTimedOut, v1alpha1.ReasonApprovalTimeout)
		Expect(own.events(late)).NotTo(ContainElement(v1alpha1.EventActionApproved))
	})

	It("is another matter than a gap in what the API server holds by itself", func(ctx SpecContext) {
		install(ctx, decode(guardedWebhooks))
		operate(often, guardedWebhooks)
		w.apply(ctx, agentInSandbox, autoApproveToMedium, twoOfThree)
		action := pending(ctx)
		give(ctx, action, n.verdict(action, "alice"))
		Expect(api.Delete(ctx, decode(guardedWebhooks))).To(Succeed())
		Eventually(own.alarms).Should(HaveLen(1))
		give(ctx, action, n.verdict(action, "bob"))
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted)
		Expect(seen(ctx)).NotTo(HaveKey(keyring.VoidBeforeAnnotation))
	})
})
