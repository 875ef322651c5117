// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var agent = example{"Agent", `{displayName: Tutorial Agent}`}

var _ = Describe("Agent", func() {
	DescribeTable("refuses", agent.refuses(),
		Entry("a type that is not known",
			`type: Robot`,
			`spec.type: Unsupported value: "Robot": supported values: "Autonomous", "Supervised", "Advisory", "MCPServer", "Custom"`,
			`type: MCPServer`),
		Entry("a state that is not known",
			`state: Paused`,
			`spec.state: Unsupported value: "Paused": supported values: "Active", "Suspended", "Retired"`,
			`state: Suspended`),
		Entry("an empty environment",
			`environment: ""`,
			`spec.environment in body should be at least 1 chars long`,
			`environment: moon base`),
		Entry("a display name over 128 characters",
			`displayName: `+long(129),
			`spec.displayName: Too long: may not be more than 128`,
			`displayName: `+long(128)),
		Entry("an owner over 256 characters",
			`owner: `+long(257),
			`spec.owner: Too long: may not be more than 256`,
			`owner: `+long(256)),
		Entry("a reference without a name",
			`workflowRef: {}`,
			`spec.workflowRef.name: Required value`,
			`workflowRef: {name: strict}`),
		Entry("a reference that cannot be a name",
			`workflowRef: {name: Strict_Mode}`,
			`spec.workflowRef.name: Invalid value: "Strict_Mode": must be the name of an object: lower-case letters, digits, '-' and '.'`,
			`workflowRef: {name: strict.mode-1}`),
		Entry("a misspelt field",
			`blockedResource: ["secrets/*"]`,
			`strict decoding error: unknown field "spec.blockedResource"`,
			`blockedResources: ["secrets/*"]`),
	)

	DescribeTable("refuses as maxRiskScore", agent.refuses(),
		Entry("a score above ten",
			`maxRiskScore: "10.1"`,
			`spec.maxRiskScore: Invalid value: "10.1": must be a score from 0.0 to 10.0 with at most one decimal, such as "7.5"`,
			`maxRiskScore: "10.0"`),
		Entry("a score below zero", `maxRiskScore: "-1"`, `must be a score from 0.0 to 10.0`, `maxRiskScore: "0"`),
		Entry("two decimals", `maxRiskScore: "7.55"`, `must be a score from 0.0 to 10.0`, `maxRiskScore: "7.5"`),
		Entry("an empty word", `maxRiskScore: ""`, `must be a score from 0.0 to 10.0`, `maxRiskScore: "0.0"`),
		Entry("a number that is not quoted",
			`maxRiskScore: 8.5`,
			`spec.maxRiskScore in body must be of type string: "number"`,
			`maxRiskScore: "8.5"`),
	)

	DescribeTable("refuses as a subject", agent.refuses(),
		Entry("a kind that is not known",
			`subjects: [{kind: Robot, name: r2}]`,
			`spec.subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"`,
			`subjects: [{kind: User, name: r2}]`),
		Entry("nobody",
			`subjects: [{kind: User}]`,
			`spec.subjects[0].name: Required value`,
			`subjects: [{kind: User, name: "oidc:alice@example.com"}]`),
		Entry("a user of a namespace",
			`subjects: [{kind: User, name: alice, namespace: team}]`,
			`spec.subjects[0].namespace: Invalid value: namespace is only for kind ServiceAccount; remove it`,
			`subjects: [{kind: ServiceAccount, name: alice, namespace: team}]`),
		Entry("a namespace that cannot be one",
			`subjects: [{kind: ServiceAccount, name: a, namespace: Team_A}]`,
			`spec.subjects[0].namespace: Invalid value: "Team_A": must be the name of an object`,
			`subjects: [{kind: ServiceAccount, name: a, namespace: team-a}]`),
		Entry("more than 64",
			`subjects: `+many(65, `{kind: User, name: u%d}`),
			`spec.subjects: Too many: 65: must have at most 64 items`,
			`subjects: `+many(64, `{kind: User, name: u%d}`)),
	)

	DescribeTable("refuses as a limit", agent.refuses(),
		Entry("an empty glob",
			`allowedActionTypes: [""]`,
			`spec.allowedActionTypes[0] in body should be at least 1 chars long`,
			`allowedActionTypes: ["*"]`),
		Entry("a glob given twice",
			`blockedResources: ["secrets/*", "secrets/*"]`,
			`spec.blockedResources[1]: Duplicate value: "secrets/*"`,
			`blockedResources: ["secrets/*", "secrets/?"]`),
		Entry("more than 256 resources",
			`allowedResources: `+many(257, `r%d`),
			`spec.allowedResources: Too many: 257: must have at most 256 items`,
			`allowedResources: `+many(256, `r%d`)),
		Entry("a negative rate",
			`rateLimit: {perMinute: -1}`,
			`spec.rateLimit.perMinute in body should be greater than or equal to 0`,
			`rateLimit: {perMinute: 0}`),
		Entry("a rate over a million a minute",
			`rateLimit: {perMinute: 1000001}`,
			`spec.rateLimit.perMinute in body should be less than or equal to 1000000`,
			`rateLimit: {perMinute: 1000000}`),
	)

	It("needs no more than an empty spec, and gets its defaults", func(ctx SpecContext) {
		Expect(agent.defaults(ctx, `displayName: null`)).To(MatchYAML(`
type: Autonomous
environment: production
state: Active
maxRiskScore: "10.0"
rateLimit: {perMinute: 100, perHour: 1000, perDay: 10000}
`))
	})

	It("keeps the other limits where one is given", func(ctx SpecContext) {
		Expect(agent.defaults(ctx, `rateLimit: {perHour: 7}`)).To(ContainSubstring(
			"rateLimit:\n  perDay: 10000\n  perHour: 7\n  perMinute: 100\n"))
	})

	It("has to have a spec", func(ctx SpecContext) {
		object := agent.with(`{}`)
		delete(object.Object, "spec")
		Expect(try(ctx, object)).To(MatchError(ContainSubstring(`spec: Required value`)))
	})
})
