// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var action = example{"AgentAction", `
agentRef: {name: tutorial-agent}
actionType: database_read
parameters: {table: customers, rows: 10, columns: [name], filter: {city: Berlin}}
`}

var _ = Describe("AgentAction, when it is submitted,", func() {
	DescribeTable("refuses", action.refuses(),
		Entry("no agent",
			`agentRef: null`,
			`spec.agentRef: Required value`,
			`agentRef: {name: other}`),
		Entry("an agent that cannot be a name",
			`agentRef: {name: "Tutorial Agent"}`,
			`spec.agentRef.name: Invalid value: "Tutorial Agent": must be the name of an object`,
			`agentRef: {name: tutorial-agent}`),
		Entry("no action type",
			`actionType: null`,
			`spec.actionType: Required value`,
			`actionType: x`),
		Entry("an action type over 128 characters",
			`actionType: `+long(129),
			`spec.actionType: Too long: may not be more than 128`,
			`actionType: `+long(128)),
		Entry("a description over 4096 characters",
			`description: `+long(4097),
			`spec.description: Too long: may not be more than 4096`,
			`description: `+long(4096)),
		Entry("a resource over 1024 characters",
			`resource: `+long(1025),
			`spec.resource: Too long: may not be more than 1024`,
			`resource: `+long(1024)),
		Entry("a misspelt field",
			`actionTypes: database_read`,
			`strict decoding error: unknown field "spec.actionTypes"`,
			`actionType: database_read`),
		Entry("an exception without a justification",
			`exceptionRequest: {ruleName: rule-no-bulk-delete}`,
			`spec.exceptionRequest.justification: Required value`,
			`exceptionRequest: {ruleName: rule-no-bulk-delete, justification: Court order}`),
		Entry("that it is cancelled already",
			`cancelled: true`,
			`spec.cancelled: Invalid value: an action cannot be submitted as cancelled; submit it, then cancel it`,
			`cancelled: false`),
		Entry("that it is done already",
			`outcome: {result: Succeeded}`,
			`spec.outcome: Invalid value: an outcome can be reported only after the action was approved`,
			`outcome: null`),
	)

	DescribeTable("refuses every spelling of an action type but one", action.refuses(),
		Entry("capitals",
			`actionType: Database_Read`,
			`spec.actionType in body should match '^[a-z0-9]([a-z0-9_.:/-]*[a-z0-9])?$'`,
			`actionType: database_read`),
		Entry("blanks", `actionType: "database_read "`, `spec.actionType in body should match`, `actionType: database.read`),
		Entry("separators at an end", `actionType: database_`, `spec.actionType in body should match`, `actionType: s3:put/object-1`),
		Entry("letters that look alike", `actionType: dаtabase_read`, `spec.actionType in body should match`, `actionType: d`),
	)

	DescribeTable("refuses parameters and context that are no JSON object", action.refuses(),
		Entry("a list",
			`parameters: [customers]`,
			`spec.parameters in body must be of type object: "array"`,
			`parameters: {}`),
		Entry("a word",
			`parameters: customers`,
			`spec.parameters in body must be of type object: "string"`,
			`parameters: {"any key, ": {at: [any, {depth: null}]}}`),
		Entry("a list as context",
			`context: [ticket]`,
			`spec.context in body must be of type object: "array"`,
			`context: {ticket: 1}`),
	)

	DescribeTable("refuses as ttlAfterDecision", action.refuses(),
		Entry("days",
			`ttlAfterDecision: 30d`,
			`spec.ttlAfterDecision: Invalid value: "30d": must be a duration from 0s to 8760h, such as 720h`,
			`ttlAfterDecision: 720h`),
		Entry("less than nothing", `ttlAfterDecision: -1s`, `must be a duration from 0s to 8760h`, `ttlAfterDecision: 0s`),
		Entry("more than a year", `ttlAfterDecision: 8760h1s`, `must be a duration from 0s to 8760h`, `ttlAfterDecision: 8760h0m0s`),
		Entry("what no duration can hold", `ttlAfterDecision: 999999999999999h`, `must be a duration from 0s to 8760h`, `ttlAfterDecision: 1.5h`),
		Entry("a number", `ttlAfterDecision: 3600`, `spec.ttlAfterDecision in body must be of type string`, `ttlAfterDecision: 3600s`),
	)

	It("gets its defaults, and its parameters stay as they are", func(ctx SpecContext) {
		Expect(action.defaults(ctx, `parameters: {rows: 1.5, deep: {list: [1, {x: z}]}}`)).To(MatchYAML(`
agentRef: {name: tutorial-agent}
actionType: database_read
parameters: {table: customers, rows: 1.5, columns: [name], filter: {city: Berlin}, deep: {list: [1, {x: z}]}}
ttlAfterDecision: 720h
cancelled: false
`))
	})

	It("cannot bring its own decision along", func(ctx SpecContext) {
		object := action.with(`{}`)
		object.Object["status"] = map[string]any{"decision": "Approved"}
		Expect(api.Create(ctx, object)).To(Succeed())
		Expect(object.Object).NotTo(HaveKey("status"))
	})
})
