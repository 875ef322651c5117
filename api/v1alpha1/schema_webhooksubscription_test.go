// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var subscription = example{"WebhookSubscription", `
url: https://hooks.example.com/ascend
events: [action.approved]
secretRef: {name: hook, key: secret}
`}

const badURL = `must be an absolute URL such as https://hooks.example.com/ascend`

var _ = Describe("WebhookSubscription", func() {
	DescribeTable("refuses", subscription.refuses(),
		Entry("no events",
			`events: []`,
			`spec.events in body should have at least 1 items`,
			`events: [action.denied]`),
		Entry("an event that is not known",
			`events: [action.deleted]`,
			`spec.events[0]: Unsupported value: "action.deleted": supported values: "action.submitted", "action.approved"`,
			`events: [action.submitted, action.timeout, policy.violation, agent.suspended]`),
		Entry("an event given twice",
			`events: [action.denied, action.denied]`,
			`spec.events[1]: Duplicate value: "action.denied"`,
			`events: [action.denied, action.approved]`),
		Entry("no secret",
			`secretRef: null`,
			`spec.secretRef: Invalid value: secretRef is required, for by it the receiver knows a delivery`,
			`secretRef: {name: other, key: secret}`),
		Entry("no secret in CloudEvents",
			`{secretRef: null, format: CloudEvents}`,
			`only the formats Slack and Teams can do without`,
			`{secretRef: null, format: Slack}`),
		Entry("a previous secret without a secret",
			`{secretRef: null, format: Teams, previousSecretRef: {name: old, key: secret}}`,
			`spec.previousSecretRef: Invalid value: previousSecretRef needs a secretRef`,
			`{format: Teams, previousSecretRef: {name: old, key: secret}}`),
		Entry("a format that is not known",
			`format: Carrier pigeon`,
			`spec.format: Unsupported value: "Carrier pigeon": supported values: "CloudEvents", "Slack", "Teams"`,
			`format: Teams`),
		Entry("two urls",
			`urlFrom: {name: hook, key: url}`,
			`spec.url: Invalid value: give either url or urlFrom`,
			`{url: null, urlFrom: {name: hook, key: url}}`),
		Entry("authorities that are too long",
			`caBundle: `+long(65537),
			`spec.caBundle: Too long: may not be more than 65536`,
			`caBundle: `+long(65536)),
		Entry("no key of the secret",
			`secretRef: {key: null}`,
			`spec.secretRef.key: Required value`,
			`secretRef: {key: _key.1-A}`),
		Entry("a key that a Secret cannot have",
			`secretRef: {key: my key}`,
			`spec.secretRef.key in body should match '^[-._a-zA-Z0-9]+$'`,
			`secretRef: {key: my-key}`),
		Entry("an agent that cannot be a name",
			`agentRef: {name: "*"}`,
			`spec.agentRef.name: Invalid value: "*": must be the name of an object`,
			`agentRef: {name: tutorial-agent}`),
		Entry("a misspelt field",
			`secret: abc`,
			`strict decoding error: unknown field "spec.secret"`,
			`agentRef: {name: tutorial-agent}`),
	)

	DescribeTable("refuses as url", subscription.refuses(),
		Entry("nothing", `url: null`, `spec.url: Invalid value: give either url or urlFrom`, `url: http://hooks.default.svc`),
		Entry("a host alone", `url: hooks.example.com`, `spec.url: Invalid value: "hooks.example.com": `+badURL, `url: https://hooks.example.com`),
		Entry("another scheme", `url: ftp://hooks.example.com`, badURL, `url: http://hooks.example.com`),
		Entry("a file", `url: file:///etc/passwd`, badURL, `url: https://hooks.example.com/etc`),
		Entry("no host", `url: https:///ascend`, badURL, `url: https://h/ascend`),
		Entry("words", `url: not a url at all`, badURL, `url: "https://[2001:db8::1]:8443/ascend?x=y"`),
		Entry("more than 2048 characters",
			`url: https://h/`+long(2048),
			`spec.url: Too long: may not be more than 2048`,
			`url: https://h/`+long(2038)),
	)

	It("is sent CloudEvents, where it does not say otherwise", func(ctx SpecContext) {
		Expect(subscription.defaults(ctx, `{}`)).To(MatchYAML(subscription.spec + "\nformat: CloudEvents\n"))
	})
})
