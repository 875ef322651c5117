// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

const (
	aliceApproves = `{approver: alice, stage: security, verdict: Approve, comment: fine, as: "user:alice", uid: "7",` +
		` time: "2026-01-31T12:00:00.000000Z", specDigest: "sha256:1", workflowRevision: "sha256:2", seal: v1.0a.x}`
	bobDenies    = `{approver: bob, stage: security, verdict: Deny}`
	carolNextUp  = `{approver: carol, stage: managers, verdict: Approve}`
	aliceNextUp  = `{approver: alice, stage: managers, verdict: Approve}`
	daveOverride = `{approver: dave, stage: emergency-override, verdict: Override, comment: The building is on fire}`
)

// given are the fields of aliceApproves, each with a change of the text.
var given = []struct{ name, from, to string }{
	{"verdict", `verdict: Approve`, `verdict: Deny`},
	{"comment", `fine`, `wrong`},
	{"comment", `comment: fine,`, ``},
	{"as", `user:alice`, `group:security`},
	{"uid", `uid: "7"`, `uid: "8"`},
	{"time", `00.000000Z`, `00.000001Z`},
	{"time", `time: "2026-01-31T12:00:00.000000Z",`, ``},
	{"specDigest", `sha256:1`, `sha256:3`},
	{"workflowRevision", `sha256:2`, `sha256:3`},
	{"seal", `v1.0a.x`, `v1.0a.y`},
	{"seal", `, seal: v1.0a.x`, ``},
}

func approvals(entries ...string) string {
	return `spec: {approvals: [` + strings.Join(entries, ", ") + `]}`
}

var _ = Describe("The approvals of an AgentAction", func() {
	var stored *unstructured.Unstructured
	BeforeEach(func(ctx SpecContext) {
		stored = action.create(ctx)
		Expect(patch(ctx, stored, approvals(aliceApproves))).To(Succeed())
	})

	It("can be added to, by other people and for other stages", func(ctx SpecContext) {
		Expect(patch(ctx, stored, approvals(aliceApproves, bobDenies))).To(Succeed())
		Expect(patch(ctx, stored, approvals(aliceApproves, bobDenies, aliceNextUp, carolNextUp, daveOverride))).To(Succeed())
		Expect(stored.Object["spec"]).To(HaveKeyWithValue("approvals", HaveLen(5)))
	})

	for _, field := range given {
		It("cannot be changed once they are given, not the "+field.name, func(ctx SpecContext) {
			changed := strings.Replace(aliceApproves, field.from, field.to, 1)
			Expect(changed).NotTo(Equal(aliceApproves))
			Expect(patch(ctx, stored, approvals(bobDenies, changed))).To(MatchError(ContainSubstring(
				`spec.approvals[1]: Invalid value: an approval cannot be changed once it is given`)))
		})
	}

	It("have no field that could be changed", func() {
		names := []string{"approver", "stage"} // by these two an entry is known: another one is another entry
		for _, field := range given {
			names = append(names, field.name)
		}
		Expect(fieldsOf(v1alpha1.Approval{})).To(HaveEach(BeElementOf(names)))
	})

	DescribeTable("cannot be removed",
		func(ctx SpecContext, change string) {
			Expect(patch(ctx, stored, change)).To(MatchError(ContainSubstring(
				`spec.approvals: Invalid value: an approval cannot be removed once it is given; ` +
					`another approver can deny the action, or its requester cancel it`)))
		},
		Entry("one by one", approvals()),
		Entry("all at once", `spec: {approvals: null}`),
		Entry("in exchange for another's", approvals(bobDenies)),
		Entry("by giving them to somebody else", approvals(strings.Replace(aliceApproves, "approver: alice", "approver: eve", 1))),
		Entry("by moving them to another stage", approvals(strings.Replace(aliceApproves, "security", "managers", 1))),
	)

	It("cannot be given twice by one person in one stage", func(ctx SpecContext) {
		again := `{approver: alice, stage: security, verdict: Deny}`
		Expect(patch(ctx, stored, approvals(aliceApproves, again))).To(MatchError(ContainSubstring(
			`spec.approvals[1]: Duplicate value: {"approver":"alice","stage":"security"}`)))
	})

	It("are at most 64", func(ctx SpecContext) {
		change := func(n int) string {
			return `spec: {approvals: ` + many(n, `{approver: u%d, stage: s, verdict: Deny}`) + `}`
		}
		stored = action.create(ctx)
		Expect(patch(ctx, stored, change(65))).To(MatchError(ContainSubstring(`spec.approvals: Too many: 65: must have at most 64 items`)))
		Expect(patch(ctx, stored, change(64))).To(Succeed())
	})

	It("cannot come with the action", func(ctx SpecContext) {
		Expect(try(ctx, action.with(`approvals: [`+bobDenies+`]`))).To(MatchError(ContainSubstring(
			`spec.approvals: Invalid value: an action cannot be submitted with approvals; they are given once it is pending, by kubectl approve`)))
		Expect(try(ctx, action.with(`approvals: []`))).To(Succeed())
	})

	It("cannot be added after the decision", func(ctx SpecContext) {
		for _, decision := range decisions {
			stored := decided(ctx, decision)
			if err := patch(ctx, stored, approvals(bobDenies)); decision.IsFinal() {
				Expect(err).To(MatchError(ContainSubstring(
					`spec.approvals: Invalid value: the action is already decided; no approval can be added`)), "%q", decision)
			} else {
				Expect(err).NotTo(HaveOccurred(), "%q", decision)
			}
		}
	})

	DescribeTable("are refused",
		func(ctx SpecContext, change, message, neighbour string) {
			pending := action.create(ctx)
			Expect(patch(ctx, pending, `{spec: {`+change+`}}`)).To(MatchError(ContainSubstring(message)))
			Expect(patch(ctx, pending, `{spec: {`+neighbour+`}}`)).To(Succeed())
			toTyped(pending)
		},
		Entry("with a verdict that is not known",
			`approvals: [{approver: a, stage: s, verdict: Maybe}]`,
			`spec.approvals[0].verdict: Unsupported value: "Maybe": supported values: "Approve", "Deny", "Override"`,
			`approvals: [{approver: a, stage: s, verdict: Deny}]`),
		Entry("without an approver, which admission stamps",
			`approvals: [{stage: s, verdict: Approve}]`,
			`spec.approvals[0].approver: Required value`,
			`approvals: [{approver: a, stage: s, verdict: Approve}]`),
		Entry("without a stage, which admission stamps",
			`approvals: [{approver: a, verdict: Approve}]`,
			`spec.approvals[0].stage: Required value`,
			`approvals: [{approver: a, stage: s, verdict: Approve}]`),
		Entry("when they override a common stage",
			`approvals: [{approver: a, stage: s, verdict: Override, comment: Fire}]`,
			`spec.approvals[0].stage: Invalid value: verdict Override goes with stage emergency-override, and only with it`,
			`approvals: [`+daveOverride+`]`),
		Entry("when they approve the stage for overrides",
			`approvals: [{approver: a, stage: emergency-override, verdict: Approve}]`,
			`verdict Override goes with stage emergency-override, and only with it`,
			`approvals: [`+daveOverride+`]`),
		Entry("when they override without saying why",
			`approvals: [{approver: a, stage: emergency-override, verdict: Override, comment: ""}]`,
			`spec.approvals[0].comment: Invalid value: an Override needs a comment that says why`,
			`approvals: [`+daveOverride+`]`),
		Entry("with a comment over 2048 characters",
			`approvals: [{approver: a, stage: s, verdict: Deny, comment: `+long(2049)+`}]`,
			`spec.approvals[0].comment: Too long: may not be more than 2048`,
			`approvals: [{approver: a, stage: s, verdict: Deny, comment: `+long(2048)+`}]`),
		Entry("with a second spelling of the same time",
			`approvals: [{approver: a, stage: s, verdict: Deny, time: "2026-01-31T13:00:00.000000+01:00"}]`,
			`spec.approvals[0].time in body should match '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}Z$'`,
			`approvals: [{approver: a, stage: s, verdict: Deny, time: "2026-01-31T12:00:00.000000Z"}]`),
		Entry("with a time that Go cannot read",
			`approvals: [{approver: a, stage: s, verdict: Deny, time: "2026-01-31T12:00:00Z"}]`,
			`spec.approvals[0].time in body should match`,
			`approvals: [{approver: a, stage: s, verdict: Deny, time: "2026-01-31T12:00:00.000000Z"}]`),
	)
})
