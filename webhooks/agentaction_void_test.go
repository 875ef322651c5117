// SPDX-License-Identifier: Apache-2.0

package webhooks_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/request"
)

var _ = Describe("Verdicts that a gap of admission has voided", Serial, func() {
	It("can be given anew by the same people, as often as it takes, and then count", func(ctx SpecContext) {
		d := newDesk(ctx)
		bob := as("bob", "security")
		action := d.pending(ctx)
		DeferCleanup(func() { voidBefore.Store(nil) })

		last := func() v1alpha1.Approval { return action.Spec.Approvals[len(action.Spec.Approvals)-1] }
		stages := map[string]bool{}
		Expect(judge(ctx, d.alice, action, yes)).To(Succeed())
		for range 4 {
			stages[last().Stage] = true
			By("once, while it counts")
			Expect(judge(ctx, d.alice, action, yes)).To(MatchError(Or(
				ContainSubstring("it counts once and cannot be changed"), ContainSubstring("the same person has approved this stage already"))))
			By("not as long as it would be void at once: whoever tries waits, as every client of the API server does by itself")
			until := time.Now().Add(300 * time.Millisecond)
			voidBefore.Store(&until)
			Expect(judge(ctx, d.alice, action, yes)).To(Succeed())
			Expect(last().Time.Time).To(BeTemporally(">", until.Truncate(time.Microsecond)))
		}
		Expect(stages).To(HaveLen(4))
		Expect(d.refusedFor("alice", "NotReady")).To(ContainElement(HaveField("Message", ContainSubstring("it would not count now"))))
		Expect(judge(ctx, bob, action, yes)).To(Succeed())

		vouched, err := sealed().Vouch(action)
		Expect(err).NotTo(HaveOccurred())
		Expect(vouched.Forged).To(HaveLen(4))
		Expect(vouched.Forged).To(HaveEach(HaveField("Reason", ContainSubstring("before admission was enforced again"))))
		asked, err := request.Read(action, vouched.Requester, vouched.Approvals)
		Expect(err).NotTo(HaveOccurred())
		outcome, err := decision.Decide(ctx, store.Snapshot(), asked, &action.Status, time.Now())
		Expect(err).NotTo(HaveOccurred())
		Expect(outcome.Reason).To(Equal(v1alpha1.ReasonApprovalGranted))
	})
})
