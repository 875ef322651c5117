// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const lowVector = `CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N`

var model = example{"RiskModel", `{}`}

// schedule returns the change that gives the model a schedule with these hours.
func schedule(hours string) string {
	return `schedule: {offHoursDelta: "+1.0", businessHours: ` + hours + `}`
}

var _ = Describe("RiskModel", func() {
	DescribeTable("refuses", model.refuses(),
		Entry("a vector of another CVSS version",
			`actionTypes: [{pattern: a, cvssVector: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:L/VI:N/VA:N"}]`,
			`spec.actionTypes[0].cvssVector: Invalid value: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:L/VI:N/VA:N": must be a CVSS 3.1 vector that starts with CVSS:3.1/`,
			`actionTypes: [{pattern: a, cvssVector: "`+lowVector+`"}]`),
		Entry("a vector that lacks a metric",
			`actionTypes: [{pattern: a, cvssVector: "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N"}]`,
			`spec.actionTypes[0].cvssVector in body should be at least 44 chars long`,
			`actionTypes: [{pattern: a, cvssVector: "`+lowVector+`"}]`),
		Entry("two vectors for one pattern",
			`actionTypes: [{pattern: a, cvssVector: "`+lowVector+`"}, {pattern: a, cvssVector: "`+lowVector+`"}]`,
			`spec.actionTypes[1]: Duplicate value: {"pattern":"a"}`,
			`actionTypes: [{pattern: a, cvssVector: "`+lowVector+`"}, {pattern: "a*", cvssVector: "`+lowVector+`"}]`),
		Entry("a classification without its delta",
			`dataClassifications: [{name: pii}]`,
			`spec.dataClassifications[0].delta: Required value`,
			`dataClassifications: [{name: pii, delta: "+1.0"}]`),
		Entry("a delta of two decimals",
			`dataClassifications: [{name: pii, delta: "+1.05"}]`,
			`spec.dataClassifications[0].delta: Invalid value: "+1.05": must be a signed change of score from -10.0 to +10.0 with at most one decimal, such as "+1.5"`,
			`dataClassifications: [{name: pii, delta: "-1"}]`),
		Entry("two deltas for one environment",
			`environments: [{name: production, delta: "1"}, {name: production, delta: "2"}]`,
			`spec.environments[1]: Duplicate value: {"name":"production"}`,
			`environments: [{name: production, delta: "1"}, {name: Production, delta: "2"}]`),
		Entry("a catalog entry of no resources",
			`catalog: [{resources: [], dataClassification: pii}]`,
			`spec.catalog[0].resources in body should have at least 1 items`,
			`catalog: [{resources: ["customers*"], dataClassification: pii}]`),
		Entry("a catalog entry without its classification",
			`catalog: [{resources: [customers]}]`,
			`spec.catalog[0].dataClassification: Required value`,
			`catalog: [{resources: [customers], dataClassification: home-made}]`),
		Entry("a misspelt field",
			`environment: []`,
			`strict decoding error: unknown field "spec.environment"`,
			`environments: []`),
	)

	DescribeTable("refuses as blast radius", model.refuses(),
		Entry("an increase that lowers",
			`blastRadius: [{parameter: rows, delta: "-1.0"}]`,
			`spec.blastRadius[0].delta: Invalid value: "-1.0": must be an increase of score from 0.0 to +10.0 with at most one decimal, such as "+1.5"; this field cannot lower a score`,
			`blastRadius: [{parameter: rows, delta: "0.0"}]`),
		Entry("a threshold below zero",
			`blastRadius: [{parameter: rows, above: -1, delta: "+1.0"}]`,
			`spec.blastRadius[0].above in body should be greater than or equal to 0`,
			`blastRadius: [{parameter: rows, above: 0, delta: "+10.0"}]`),
		Entry("a threshold that no whole number reaches",
			`blastRadius: [{parameter: rows, above: 9223372036854775808, delta: "+1.0"}]`,
			`spec.blastRadius[0].above in body must be of type int64`,
			`blastRadius: [{parameter: rows, above: 9223372036854775807, delta: "+1.0"}]`),
		Entry("half a row",
			`blastRadius: [{parameter: rows, above: 0.5, delta: "+1.0"}]`,
			`spec.blastRadius[0].above in body must be of type int64`,
			`blastRadius: [{parameter: rows, above: 1, delta: "+1.0"}]`),
		Entry("no parameter",
			`blastRadius: [{parameter: "", delta: "+1.0"}]`,
			`spec.blastRadius[0].parameter in body should be at least 1 chars long`,
			`blastRadius: [{parameter: amount in EUR, delta: "+1.0"}]`),
	)

	DescribeTable("refuses as schedule", model.refuses(),
		Entry("hours that cross midnight",
			schedule(`{start: "22:00", end: "06:00"}`),
			`spec.schedule.businessHours.start: Invalid value: start must be earlier than end; hours that cross midnight are not supported`,
			schedule(`{start: "06:00", end: "22:00"}`)),
		Entry("a time of day that is none",
			schedule(`{start: "9:00", end: "17:60"}`),
			`spec.schedule.businessHours.end in body should match '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$'`,
			schedule(`{start: "00:00", end: "24:00"}`)),
		Entry("a day that is none",
			schedule(`{days: [Caturday], start: "09:00", end: "17:00"}`),
			`spec.schedule.businessHours.days[0]: Unsupported value: "Caturday": supported values: "Monday"`,
			schedule(`{days: [Saturday, Sunday], start: "09:00", end: "17:00"}`)),
		Entry("a day given twice",
			schedule(`{days: [Monday, Monday], start: "09:00", end: "17:00"}`),
			`spec.schedule.businessHours.days[1]: Duplicate value: "Monday"`,
			schedule(`{days: [], start: "09:00", end: "17:00"}`)),
		Entry("nights that score less",
			`schedule: {offHoursDelta: "-1.0", businessHours: {start: "09:00", end: "17:00"}}`,
			`spec.schedule.offHoursDelta: Invalid value: "-1.0": must be an increase of score`,
			`schedule: {offHoursDelta: "1", businessHours: {start: "09:00", end: "17:00"}}`),
		Entry("a holiday that is no date",
			`schedule: {holidays: ["25.12.2026"], offHoursDelta: "1", businessHours: {start: "09:00", end: "17:00"}}`,
			`spec.schedule.holidays[0] in body should match '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'`,
			`schedule: {holidays: ["2026-12-25"], offHoursDelta: "1", businessHours: {start: "09:00", end: "17:00"}}`),
	)

	It("gets its defaults", func(ctx SpecContext) {
		Expect(model.defaults(ctx, `{`+schedule(`{start: "09:00", end: "17:00"}`)+`, blastRadius: [{parameter: rows, delta: "1"}]}`)).
			To(MatchYAML(`
blastRadius: [{parameter: rows, above: 0, delta: "1"}]
schedule: {timeZone: UTC, offHoursDelta: "+1.0", businessHours: {start: "09:00", end: "17:00"}}
`))
	})

	It("may be empty, which is the built-in model", func(ctx SpecContext) {
		Expect(model.defaults(ctx, `{}`)).To(MatchYAML(`{}`))
	})
})
