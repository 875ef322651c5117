// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The status of an AgentAction", func() {
	DescribeTable("refuses",
		func(ctx SpecContext, refused, message, neighbour string) {
			stored := action.create(ctx)
			Expect(patchStatus(ctx, stored, refused)).To(MatchError(ContainSubstring(message)))
			Expect(patchStatus(ctx, stored, neighbour)).To(Succeed())
			toTyped(stored)
		},
		Entry("a score that is none",
			`risk: {score: "11", level: High}`,
			`status.risk.score: Invalid value: "11": must be a score from 0.0 to 10.0 with at most one decimal`,
			`risk: {score: "7.0", level: High}`),
		Entry("a score without its level",
			`risk: {score: "7.0"}`,
			`status.risk.level: Required value`,
			`risk: {score: "9.0", level: Critical}`),
		Entry("a level that is not known",
			`risk: {score: "0.0", level: None}`,
			`status.risk.level: Unsupported value: "None": supported values: "Low", "Medium", "High", "Critical"`,
			`risk: {score: "0.0", level: Low}`),
		Entry("a factor of unknown source",
			`risk: {score: "1.0", level: Low, factors: [{name: f, delta: "+1.0", source: rumour}]}`,
			`status.risk.factors[0].source: Unsupported value: "rumour": supported values: "claimed", "catalog", "agent", "model", "rule"`,
			`risk: {score: "1.0", level: Low, factors: [{name: f, delta: "-1.0", source: catalog}]}`),
		Entry("more than 64 rules that matched",
			`matchedRules: `+many(65, `{namespace: team, name: r%d, effect: Deny, mode: Audit}`),
			`status.matchedRules: Too many: 65: must have at most 64 items`,
			`matchedRules: `+many(64, `{namespace: team, name: r%d, effect: Deny, mode: Audit}`)),
		Entry("more than 16 rules that nearly did",
			`nearRules: `+many(17, `{namespace: team, name: r%d, effect: Deny, condition: c}`),
			`status.nearRules: Too many: 17: must have at most 16 items`,
			`nearRules: `+many(16, `{namespace: team, name: r%d, effect: Deny, condition: c}`)),
		Entry("less than no approvals",
			`approval: {granted: -1}`,
			`status.approval.granted: Invalid value: -1: approval.granted in body should be greater than or equal to 0`,
			`approval: {granted: 0}`),
		Entry("a delivery that is not known",
			`notification: Lost`,
			`status.notification: Unsupported value: "Lost": supported values: "Pending", "Failing", "Delivered", "Failed"`,
			`notification: Failed`),
		Entry("two conditions of one type",
			`conditions: `+many(2, `{type: Decided, status: "True", reason: R%d, message: m, lastTransitionTime: "2026-01-01T00:00:00Z"}`),
			`status.conditions[1]: Duplicate value: {"type":"Decided"}`,
			`conditions: `+many(2, `{type: T%[1]d, status: "True", reason: R%[1]d, message: m, lastTransitionTime: "2026-01-01T00:00:00Z"}`)),
	)
})
