// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("Each duration of an ApprovalWorkflow", func() {
	const message = `must be a duration from 1s to 720h, such as 30m or 1h30m`

	for path, change := range map[string]string{
		"spec.timeout":                    `timeout: %s`,
		"spec.approvalValidity":           `approvalValidity: %s`,
		"spec.stages[0].timeout":          stage(`approvers: {groups: [g]}, timeout: %s`),
		"spec.stages[0].escalation.after": stage(`approvers: {groups: [g]}, escalation: {after: %s, approvers: {groups: [g]}}`),
	} {
		DescribeTable(path+" refuses",
			func(ctx SpecContext, refused, neighbour string) {
				Expect(try(ctx, workflow.with(fmt.Sprintf(change, refused)))).To(MatchError(And(
					ContainSubstring("is invalid: "+path+": Invalid value: "), ContainSubstring(message))))
				Expect(try(ctx, workflow.with(fmt.Sprintf(change, neighbour)))).To(Succeed())
			},
			Entry("less than a second", `999ms`, `1s`),
			Entry("more than 30 days", `720h0m1s`, `720h`),
			Entry("days", `1d`, `24h0m0s`),
			Entry("nothing", `""`, `0.5h`),
			Entry("words", `soon`, `1h30m`),
			Entry("what no duration can hold", `999999999999999h`, `2592000s`),
		)
	}

	It("is told once, even where another rule compares it", func(ctx SpecContext) {
		change := stage(`approvers: {groups: [g]}, timeout: soon, escalation: {after: 1m, approvers: {groups: [g]}}`)
		Expect(try(ctx, workflow.with(change))).To(MatchError(HaveSuffix(
			`is invalid: spec.stages[0].timeout: Invalid value: "soon": ` + message)))
	})
})
