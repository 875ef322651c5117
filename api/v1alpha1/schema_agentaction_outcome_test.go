// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

var _ = Describe("Cancelling an AgentAction", func() {
	DescribeTable("is possible only while it is undecided",
		func(ctx SpecContext, decision v1alpha1.Decision, possible bool) {
			err := patch(ctx, decided(ctx, decision), `spec: {cancelled: true}`)
			if possible {
				Expect(err).NotTo(HaveOccurred())
			} else {
				Expect(err).To(MatchError(ContainSubstring(
					`spec.cancelled: Invalid value: the action is already decided and can no longer be cancelled`)))
			}
		},
		Entry("not evaluated", v1alpha1.DecisionNone, true),
		Entry("Pending", v1alpha1.DecisionPending, true),
		Entry("Approved", v1alpha1.DecisionApproved, false),
		Entry("Denied", v1alpha1.DecisionDenied, false),
		Entry("TimedOut", v1alpha1.DecisionTimedOut, false),
		Entry("Cancelled", v1alpha1.DecisionCancelled, false),
	)

	It("cannot be undone", func(ctx SpecContext) {
		stored := action.create(ctx)
		Expect(patch(ctx, stored, `spec: {cancelled: true}`)).To(Succeed())
		for _, change := range []string{`spec: {cancelled: false}`, `spec: {cancelled: null}`} {
			Expect(patch(ctx, stored, change)).To(MatchError(ContainSubstring(
				`spec.cancelled: Invalid value: a cancelled action stays cancelled; submit a new one`)))
		}
	})

	It("lets the decision follow", func(ctx SpecContext) {
		stored := decided(ctx, v1alpha1.DecisionPending)
		Expect(patch(ctx, stored, `spec: {cancelled: true}`)).To(Succeed())
		Expect(patchStatus(ctx, stored, `decision: Cancelled`)).To(Succeed())
		Expect(patch(ctx, stored, `metadata: {labels: {a: b}}`)).To(Succeed())
	})
})

const succeeded = `spec: {outcome: {result: Succeeded, message: 12 rows,` +
	` startedAt: "2026-01-31T12:00:00.000000+01:00", completedAt: "2026-01-31T11:00:01.500000Z"}}`

// reported are the fields of an outcome, each with another value than succeeded has.
var reported = []struct{ name, value string }{
	{"result", `Failed`},
	{"message", `13 rows`},
	{"startedAt", `"2026-01-31T12:00:00.000001+01:00"`},
	{"completedAt", `"2026-01-31T11:00:01.500001Z"`},
}

var _ = Describe("The outcome of an AgentAction", func() {
	DescribeTable("can be reported only after it was approved",
		func(ctx SpecContext, decision v1alpha1.Decision, possible bool) {
			err := patch(ctx, decided(ctx, decision), succeeded)
			if possible {
				Expect(err).NotTo(HaveOccurred())
			} else {
				Expect(err).To(MatchError(ContainSubstring(
					`spec.outcome: Invalid value: an outcome can be reported only after the action was approved`)))
			}
		},
		Entry("not evaluated", v1alpha1.DecisionNone, false),
		Entry("Pending", v1alpha1.DecisionPending, false),
		Entry("Approved", v1alpha1.DecisionApproved, true),
		Entry("Denied", v1alpha1.DecisionDenied, false),
		Entry("TimedOut", v1alpha1.DecisionTimedOut, false),
		Entry("Cancelled", v1alpha1.DecisionCancelled, false),
	)

	for _, field := range reported {
		It("is reported once, so "+field.name+" stays", func(ctx SpecContext) {
			stored := decided(ctx, v1alpha1.DecisionApproved)
			Expect(patch(ctx, stored, succeeded)).To(Succeed())
			for _, value := range []string{field.value, `null`} {
				Expect(patch(ctx, stored, `spec: {outcome: {`+field.name+`: `+value+`}}`)).NotTo(Succeed())
			}
			Expect(patch(ctx, stored, `spec: {outcome: {`+field.name+`: `+field.value+`}}`)).To(MatchError(ContainSubstring(
				`spec.outcome: Invalid value: an outcome is reported once and cannot be changed`)))
		})
	}

	It("has no field that could be changed", func() {
		names := make([]string, len(reported))
		for i, field := range reported {
			names[i] = field.name
		}
		Expect(fieldsOf(v1alpha1.Outcome{})).To(ConsistOf(names))
	})

	It("cannot be taken back", func(ctx SpecContext) {
		stored := decided(ctx, v1alpha1.DecisionApproved)
		Expect(patch(ctx, stored, succeeded)).To(Succeed())
		Expect(patch(ctx, stored, `spec: {outcome: null}`)).To(MatchError(ContainSubstring(
			`spec.outcome: Invalid value: an outcome is reported once and cannot be changed`)))
	})

	DescribeTable("is refused",
		func(ctx SpecContext, outcome, message string) {
			err := patch(ctx, decided(ctx, v1alpha1.DecisionApproved), `spec: {outcome: `+outcome+`}`)
			Expect(err).To(MatchError(ContainSubstring(message)))
		},
		Entry("with a result that is not known", `{result: Perhaps}`,
			`spec.outcome.result: Unsupported value: "Perhaps": supported values: "Succeeded", "Failed"`),
		Entry("without a result", `{message: done}`, `spec.outcome.result: Required value`),
		Entry("with a message over 4096 characters", `{result: Failed, message: `+long(4097)+`}`,
			`spec.outcome.message: Too long: may not be more than 4096`),
		Entry("with a time without microseconds, which Go cannot read", `{result: Failed, startedAt: "2026-01-31T12:00:00Z"}`,
			`spec.outcome.startedAt in body should match`),
		Entry("with a time of no time zone, which Go cannot read", `{result: Failed, completedAt: "2026-01-31T12:00:00.000000+99:99"}`,
			`spec.outcome.completedAt in body should match`),
	)
})
