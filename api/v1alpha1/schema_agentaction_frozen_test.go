// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// asked is an action with every field that says what is asked.
var asked = example{"AgentAction", `
agentRef: {name: tutorial-agent}
actionType: database_read
description: Support ticket
resource: customers
parameters: {table: customers, rows: 10, columns: [name], filter: {city: Berlin}}
context: {ticket: 12345}
exceptionRequest: {ruleName: rule-no-bulk-delete, justification: Court order}
requester: {username: bot, uid: "1", groups: [bots]}
`}

// frozen are the fields that say what is asked, each with another value.
var frozen = []struct{ name, value string }{
	{"agentRef", `{name: x}`},
	{"actionType", `x`},
	{"description", `x`},
	{"resource", `x`},
	{"parameters", `{table: x}`},
	{"context", `{ticket: x}`},
	{"exceptionRequest", `{ruleName: x}`},
	{"ttlAfterDecision", `1h`},
	{"requester", `{groups: [bots, admins]}`},
}

var _ = Describe("AgentAction, once it is submitted,", func() {
	for _, field := range frozen {
		It("refuses another "+field.name, func(ctx SpecContext) {
			change := `spec: {` + field.name + `: ` + field.value + `}`
			Expect(patch(ctx, asked.create(ctx), change)).To(MatchError(ContainSubstring(
				`spec.` + field.name + `: Invalid value: ` + field.name + ` cannot be changed`)))
		})
	}

	It("has no field that can be changed but approvals, cancelled and outcome", func() {
		names := []string{"approvals", "cancelled", "outcome"}
		for _, field := range frozen {
			names = append(names, field.name)
		}
		Expect(fieldsOf(v1alpha1.AgentActionSpec{})).To(ConsistOf(names))
	})

	DescribeTable("refuses to do without its",
		func(ctx SpecContext, field string) {
			stored := asked.create(ctx)
			Expect(patch(ctx, stored, `spec: {`+field+`: null}`)).To(MatchError(ContainSubstring(field + ` cannot be changed`)))
		},
		Entry(nil, "description"), Entry(nil, "resource"), Entry(nil, "parameters"), Entry(nil, "context"),
		Entry(nil, "exceptionRequest"), Entry(nil, "requester"),
	)

	DescribeTable("refuses a later",
		func(ctx SpecContext, field, value string) {
			stored := example{"AgentAction", `{agentRef: {name: a}, actionType: x}`}.create(ctx)
			Expect(patch(ctx, stored, `spec: {`+field+`: `+value+`}`)).To(MatchError(ContainSubstring(field + ` cannot be changed`)))
		},
		Entry(nil, "description", `x`), Entry(nil, "resource", `x`), Entry(nil, "parameters", `{}`), Entry(nil, "context", `{}`),
		Entry(nil, "exceptionRequest", `{ruleName: x, justification: x}`), Entry(nil, "requester", `{username: x}`),
	)

	DescribeTable("refuses in its parameters",
		func(ctx SpecContext, change string) {
			stored := asked.create(ctx)
			Expect(patch(ctx, stored, `spec: {parameters: `+change+`}`)).To(MatchError(ContainSubstring(
				`spec.parameters: Invalid value: parameters cannot be changed; submit a new action`)))
		},
		Entry("another value", `{table: users}`),
		Entry("another type", `{rows: "10"}`),
		Entry("a further key", `{limit: 1}`),
		Entry("a key less", `{table: null}`),
		Entry("a further item", `{columns: [name, email]}`),
		Entry("another value, further down", `{filter: {city: Rome}}`),
		Entry("another key in place of one, further down", `{filter: {city: null, country: Germany}}`),
	)

	// If this fails, Kubernetes has learned to compare: take the remark at
	// the end of agentaction_types.go away, and turn this into a row of the table above.
	It("does not see a key put in another's place, which is left to a ValidatingAdmissionPolicy", func(ctx SpecContext) {
		Expect(patch(ctx, asked.create(ctx), `spec: {parameters: {table: null, url: secrets}}`)).To(Succeed())
	})

	It("can be labelled and annotated", func(ctx SpecContext) {
		Expect(patch(ctx, asked.create(ctx), `metadata: {labels: {a: b}, annotations: {c: d}}`)).To(Succeed())
	})
})
