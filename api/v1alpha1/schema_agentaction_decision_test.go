// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

var decisions = []v1alpha1.Decision{
	v1alpha1.DecisionNone, v1alpha1.DecisionPending, v1alpha1.DecisionApproved,
	v1alpha1.DecisionDenied, v1alpha1.DecisionTimedOut, v1alpha1.DecisionCancelled,
}

// decided returns a new action with a decision; none leaves the status out.
func decided(ctx SpecContext, decision v1alpha1.Decision) *unstructured.Unstructured {
	GinkgoHelper()
	stored := action.create(ctx)
	if decision != v1alpha1.DecisionNone {
		Expect(patchStatus(ctx, stored, `decision: `+string(decision))).To(Succeed())
	}
	return stored
}

var _ = Describe("The decision about an AgentAction", func() {
	It("never changes once it is final", func(ctx SpecContext) {
		for _, from := range decisions {
			stored := decided(ctx, from)
			for _, to := range decisions {
				err := patchStatus(ctx, stored, `decision: "`+string(to)+`"`)
				if from.IsFinal() && from != to {
					Expect(err).To(MatchError(ContainSubstring(`status.decision: Invalid value: a final decision never changes`)),
						"from %q to %q", from, to)
				} else {
					Expect(err).NotTo(HaveOccurred(), "from %q to %q", from, to)
					stored = decided(ctx, from)
				}
			}
		}
	})

	It("cannot be taken back with the whole status", func(ctx SpecContext) {
		stored := decided(ctx, v1alpha1.DecisionDenied)
		Expect(patchStatus(ctx, stored, `null`)).To(MatchError(ContainSubstring(`a final decision never changes`)))
		Expect(patchStatus(ctx, stored, `decision: null`)).To(MatchError(ContainSubstring(`a final decision never changes`)))
	})

	It("leaves the rest of the status open", func(ctx SpecContext) {
		Expect(patchStatus(ctx, decided(ctx, v1alpha1.DecisionApproved), `notification: Delivered`)).To(Succeed())
	})

	It("is one of six words", func(ctx SpecContext) {
		Expect(patchStatus(ctx, action.create(ctx), `decision: Granted`)).To(MatchError(ContainSubstring(
			`status.decision: Unsupported value: "Granted": supported values: "", "Pending", "Approved", "Denied", "TimedOut", "Cancelled"`)))
	})

	It("is not written by who may write the spec", func(ctx SpecContext) {
		stored := action.create(ctx)
		Expect(patch(ctx, stored, `{spec: {cancelled: true}, status: {decision: Approved}}`)).To(Succeed())
		Expect(stored.Object).NotTo(HaveKey("status"))
	})

	It("does not let its writer touch the spec", func(ctx SpecContext) {
		stored := action.create(ctx)
		Expect(patchStatus(ctx, stored, `decision: Pending`)).To(Succeed())
		Expect(api.Status().Patch(ctx, stored, mergePatch(`spec: {cancelled: true}`))).To(Succeed())
		Expect(specOf(stored)).To(ContainSubstring("cancelled: false"))
	})
})
