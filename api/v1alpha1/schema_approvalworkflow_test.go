// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var workflow = example{"ApprovalWorkflow", `{stages: [{name: review, approvers: {groups: [security]}}]}`}

// stage returns the change that gives the workflow one stage, of fields beside its name.
func stage(fields string) string { return `stages: [{name: review, ` + fields + `}]` }

var _ = Describe("ApprovalWorkflow", func() {
	DescribeTable("refuses", workflow.refuses(),
		Entry("to approve by itself and ask people too",
			`autoApprove: true`,
			`spec.stages: Invalid value: give either autoApprove: true or 1 to 5 stages`,
			`{autoApprove: true, stages: null}`),
		Entry("to ask nobody",
			`stages: []`,
			`spec.stages: Invalid value: give either autoApprove: true or 1 to 5 stages`,
			`{autoApprove: true, stages: []}`),
		Entry("more than five stages",
			`stages: `+many(6, `{name: s%d, approvers: {groups: [g]}}`),
			`spec.stages: Too many: 6: must have at most 5 items`,
			`stages: `+many(5, `{name: s%d, approvers: {groups: [g]}}`)),
		Entry("two stages of one name",
			`stages: `+many(2, `{name: s, required: %[1]d1, approvers: {groups: [g]}}`),
			`spec.stages[1]: Duplicate value: {"name":"s"}`,
			`stages: `+many(2, `{name: s%[1]d, required: %[1]d1, approvers: {groups: [g]}}`)),
		Entry("break-glass where nobody is asked",
			`{autoApprove: true, stages: null, emergencyOverride: {approvers: {groups: [sre]}}}`,
			`spec.emergencyOverride: Invalid value: a workflow that approves by itself needs no emergencyOverride`,
			`{emergencyOverride: {approvers: {groups: [sre]}}}`),
		Entry("to approve what nobody decided",
			`onTimeout: Approved`,
			`spec.onTimeout: Unsupported value: "Approved": supported values: "TimedOut", "Denied"`,
			`onTimeout: Denied`),
		Entry("a priority over 1000",
			`priority: 1001`,
			`spec.priority in body should be less than or equal to 1000`,
			`priority: 1000`),
		Entry("a priority under -1000",
			`priority: -1001`,
			`spec.priority in body should be greater than or equal to -1000`,
			`priority: -1000`),
		Entry("a misspelt field",
			`requireComments: true`,
			`strict decoding error: unknown field "spec.requireComments"`,
			`requireComment: true`),
	)

	DescribeTable("refuses a stage", workflow.refuses(),
		Entry("of nobody",
			stage(`approvers: {users: []}`),
			`spec.stages[0].approvers: Invalid value: name at least one user, group or ServiceAccount; with nobody in it, nobody could ever approve`,
			stage(`approvers: {users: [alice]}`)),
		Entry("without approvers",
			stage(`required: 1`),
			`spec.stages[0].approvers: Required value`,
			stage(`approvers: {serviceAccounts: [{namespace: ci, name: gate}]}`)),
		Entry("that needs more people than it names",
			stage(`required: 3, approvers: {users: [alice], serviceAccounts: [{namespace: ci, name: gate}]}`),
			`spec.stages[0].required: Invalid value: required is larger than the number of users and serviceAccounts named, so the stage could never be passed`,
			stage(`required: 2, approvers: {users: [alice], serviceAccounts: [{namespace: ci, name: gate}]}`)),
		Entry("that needs nobody",
			stage(`required: 0, approvers: {groups: [g]}`),
			`spec.stages[0].required in body should be greater than or equal to 1`,
			stage(`required: 1, approvers: {groups: [g]}`)),
		Entry("that needs more than 20 people",
			stage(`required: 21, approvers: {groups: [g]}`),
			`spec.stages[0].required in body should be less than or equal to 20`,
			stage(`required: 20, approvers: {groups: [g]}`)),
		Entry("with a name in capitals",
			`stages: [{name: Review, approvers: {groups: [g]}}]`,
			`spec.stages[0].name in body should match '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$'`,
			`stages: [{name: review-1, approvers: {groups: [g]}}]`),
		Entry("with the name of the overrides",
			`stages: [{name: emergency-override, approvers: {groups: [g]}}]`,
			`spec.stages[0].name: Invalid value: "emergency-override": emergency-override is reserved for emergencyOverride`,
			`stages: [{name: emergency, approvers: {groups: [g]}}]`),
		Entry("with a user named twice",
			stage(`approvers: {users: [alice, alice]}`),
			`spec.stages[0].approvers.users[1]: Duplicate value: "alice"`,
			stage(`approvers: {users: [alice, Alice]}`)),
		Entry("with a ServiceAccount of no namespace",
			stage(`approvers: {serviceAccounts: [{name: gate}]}`),
			`spec.stages[0].approvers.serviceAccounts[0].namespace: Required value`,
			stage(`approvers: {serviceAccounts: [{namespace: ci, name: gate}]}`)),
		Entry("with more than 64 users",
			stage(`approvers: {users: `+many(65, `u%d`)+`}`),
			`spec.stages[0].approvers.users: Too many: 65: must have at most 64 items`,
			stage(`approvers: {users: `+many(64, `u%d`)+`}`)),
	)

	DescribeTable("refuses an escalation", workflow.refuses(),
		Entry("that would never happen",
			stage(`approvers: {groups: [g]}, escalation: {approvers: {groups: [boss]}}`),
			`spec.stages[0].escalation: Invalid value: escalation needs an after, or the stage a timeout, otherwise it would never happen`,
			stage(`approvers: {groups: [g]}, timeout: 30m, escalation: {approvers: {groups: [boss]}}`)),
		Entry("after the stage is over",
			stage(`approvers: {groups: [g]}, timeout: 30m, escalation: {after: 0.5h, approvers: {groups: [boss]}}`),
			`spec.stages[0].escalation.after: Invalid value: escalation.after must be shorter than the stage's timeout`,
			stage(`approvers: {groups: [g]}, timeout: 30m, escalation: {after: 1799s, approvers: {groups: [boss]}}`)),
		Entry("to nobody",
			stage(`approvers: {groups: [g]}, escalation: {after: 1m, approvers: {}}`),
			`spec.stages[0].escalation.approvers: Invalid value: name at least one user, group or ServiceAccount`,
			stage(`approvers: {groups: [g]}, escalation: {after: 1m, approvers: {users: [boss]}}`)),
	)

	DescribeTable("refuses an emergencyOverride", workflow.refuses(),
		Entry("that could never happen",
			`emergencyOverride: {approvers: {users: [alice]}}`,
			`spec.emergencyOverride.required: Invalid value: required is larger than the number of users and serviceAccounts named, so the override could never happen`,
			`emergencyOverride: {approvers: {users: [alice, bob]}}`),
		Entry("by nobody",
			`emergencyOverride: {approvers: {}}`,
			`spec.emergencyOverride.approvers: Invalid value: name at least one user, group or ServiceAccount`,
			`emergencyOverride: {approvers: {groups: [sre]}}`),
	)

	DescribeTable("refuses a selector", workflow.refuses(),
		Entry("of a level that is not known",
			`selector: {riskLevels: [None]}`,
			`spec.selector.riskLevels[0]: Unsupported value: "None": supported values: "Low", "Medium", "High", "Critical"`,
			`selector: {riskLevels: [Low, Medium, High, Critical]}`),
		Entry("of no score at all",
			`selector: {minRiskScore: "7.1", maxRiskScore: "7.0"}`,
			`spec.selector.minRiskScore: Invalid value: minRiskScore must not be above maxRiskScore`,
			`selector: {minRiskScore: "7.0", maxRiskScore: "10"}`),
		Entry("of a word as score, with the one message that helps",
			`selector: {minRiskScore: high, maxRiskScore: "7.0"}`,
			`is invalid: spec.selector.minRiskScore: Invalid value: "high": must be a score from 0.0 to 10.0`,
			`selector: {maxRiskScore: "7.0"}`),
	)

	It("gets its defaults", func(ctx SpecContext) {
		Expect(workflow.defaults(ctx, `emergencyOverride: {approvers: {groups: [sre]}}`)).To(MatchYAML(`
priority: 0
autoApprove: false
stages: [{name: review, approvers: {groups: [security]}, required: 1}]
distinctApprovers: true
requireComment: false
allowSelfApproval: false
emergencyOverride: {approvers: {groups: [sre]}, required: 2}
timeout: 24h
onTimeout: TimedOut
approvalValidity: 1h
allowNamespaceOverride: false
`))
	})
})
