// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func init() { attacks = append(attacks, standingAttacks()...) }

// twoOfThree have approved: alice, then bob.
func twoOfThree(ctx context.Context, s *scene) {
	GinkgoHelper()
	s.asking(ctx, `
kind: ApprovalWorkflow
spec:
  selector: {riskLevels: [Low, Medium, High, Critical]}
  stages:
  - {name: review, required: 3, approvers: {groups: [security]}}
`)
	waiting(ctx, s)
	mustApprove(ctx, s, s.alice, s.bob)
	s.counted(ctx)
}

func carol() person { return lab.user("carol", "security") }

// What somebody has said stays said.
func standingAttacks() []*attack {
	bob := func(s *scene) person { return s.bob }
	alice := func(s *scene) person { return s.alice }
	other := func(*scene) person { return carol() }
	bot := func(s *scene) person { return s.agent }

	removed := refusedBy("schema", "an approval cannot be removed once it is given; another approver can deny the action, or its requester cancel it")
	changed := refusedBy("schema", "an approval cannot be changed once it is given")
	moved := refusedBy("policy", "ascend-agentaction-immutability", "verdicts are added at the end of spec.approvals", "cannot be changed, removed or moved, by nobody", "kubectl approve")
	return []*attack{
		standing("remove another's approval, by JSON patch", bob, byJSON(`[{"op":"remove","path":"/spec/approvals/0"}]`), removed),
		standing("remove all approvals, by JSON patch", bob, byJSON(`[{"op":"remove","path":"/spec/approvals"}]`), removed),
		standing("remove one's own approval, by JSON patch", alice, byJSON(`[{"op":"remove","path":"/spec/approvals/0"}]`), removed),
		standing("remove all approvals, as the agent, by merge patch with null", bot, byMerge(`spec: {approvals: null}`), removed),
		standing("remove all approvals, by merge patch with an empty list", bob, byMerge(`spec: {approvals: []}`), removed),
		standing("remove another's approval, by merge patch with the rest", bob, rewrite(1, func(a []v1alpha1.Approval) []v1alpha1.Approval { return a[1:] }), removed),
		standing("remove another's approval, by update", bob, rewrite(3, func(a []v1alpha1.Approval) []v1alpha1.Approval { return a[1:] }), removed),
		standing("replace another's approval by one's own, by JSON patch", other, func(ctx context.Context, s *scene, by person) error {
			return jsonPatch(ctx, by, s.action, `[{"op":"replace","path":"/spec/approvals/0","value":`+toJSON(s.entry(ctx, by))+`}]`)
		}, removed),
		standing("replace all approvals by one's own, by merge patch", other, func(ctx context.Context, s *scene, by person) error {
			return mergePatch(ctx, by, s.action, toJSON(withApprovals(s.entry(ctx, by))))
		}, removed),
		standing("put one's own name to another's approval", other, byJSON(`[{"op":"replace","path":"/spec/approvals/0/approver","value":"carol"}]`), removed),
		standing("put another's approval into another stage", bob, byJSON(`[{"op":"replace","path":"/spec/approvals/0/stage","value":"other"}]`), removed),

		standing("turn another's approval into a denial, by JSON patch", bob, byJSON(`[{"op":"replace","path":"/spec/approvals/0/verdict","value":"Deny"}]`), changed),
		standing("turn another's approval into a denial, by server-side apply", bob, func(ctx context.Context, s *scene, by person) error {
			return applyPatch(ctx, by, "attacker", s.action, `spec: {approvals: [{approver: alice, stage: review, verdict: Deny}]}`)
		}, changed),
		standing("turn another's approval into a denial, by merge patch", bob, rewrite(1, edit(deny)), changed),
		standing("turn another's approval into a denial, by update", bob, rewrite(3, edit(deny)), changed),
		standing("turn one's own approval into a denial", alice, rewrite(3, edit(deny)), changed),
		standing("write a comment into another's approval", bob, byJSON(`[{"op":"add","path":"/spec/approvals/0/comment","value":"I insist"}]`), changed),
		standing("write another's approval for another request", bob, rewrite(1, edit(func(a *v1alpha1.Approval) { a.SpecDigest = "sha256:" + digits })), changed),
		standing("write another's approval under other workflows", bob, rewrite(1, edit(func(a *v1alpha1.Approval) { a.WorkflowRevision = "sha256:" + digits })), changed),
		standing("take the seal off another's approval", bob, byJSON(`[{"op":"remove","path":"/spec/approvals/0/seal"}]`), changed),
		standing("put one's own seal onto another's approval", bob, byJSON(`[{"op":"copy","from":"/spec/approvals/1/seal","path":"/spec/approvals/0/seal"}]`), changed),
		standing("make another's approval older", bob, rewrite(3, edit(func(a *v1alpha1.Approval) {
			a.Time = &metav1.MicroTime{Time: a.Time.Add(-time.Hour)}
		})), changed),
		standing("make another's approval another role's", bob, rewrite(1, edit(seated("verb:approve"))), changed),

		standing("put approvals into another order, by JSON patch", bob, byJSON(`[{"op":"move","from":"/spec/approvals/0","path":"/spec/approvals/1"}]`), moved),
		standing("put approvals into another order, by merge patch", bob, rewrite(1, reversed), moved),
		standing("put approvals into another order, by update", bob, rewrite(3, reversed), moved),
		standing("put one's own approval before the others, by JSON patch", other, func(ctx context.Context, s *scene, by person) error {
			return jsonPatch(ctx, by, s.action, `[{"op":"add","path":"/spec/approvals/0","value":`+toJSON(s.entry(ctx, by))+`}]`)
		}, moved),
		standing("put one's own approval between the others, by update", other, func(ctx context.Context, s *scene, by person) error {
			changed := s.fresh(ctx)
			changed.Spec.Approvals = slices.Insert(changed.Spec.Approvals, 1, s.entry(ctx, by))
			return by.Update(ctx, changed)
		}, moved),
		ownManager(),
	}
}

const digits = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

type change func(ctx context.Context, s *scene, by person) error

// standing is a change of what was said.
func standing(name string, who func(*scene) person, do change, deleted outcome) *attack {
	return &attack{
		number: 5, name: name, prepare: twoOfThree,
		attempt: func(ctx context.Context, s *scene) error { return do(ctx, s, who(s)) },
		up:      refusedBy("webhook", "approvals that were given cannot be changed, removed or put into another order", "one of 2", "kubectl approve"),
		deleted: deleted,
	}
}

func byJSON(patch string) change {
	return func(ctx context.Context, s *scene, by person) error { return jsonPatch(ctx, by, s.action, patch) }
}

func byMerge(patch string) change {
	return func(ctx context.Context, s *scene, by person) error { return mergePatch(ctx, by, s.action, patch) }
}

// rewrite writes another list: by merge patch (1) or update (3), as ways counts.
func rewrite(in int, edit func([]v1alpha1.Approval) []v1alpha1.Approval) change {
	return func(ctx context.Context, s *scene, by person) error {
		changed := s.fresh(ctx)
		changed.Spec.Approvals = edit(changed.Spec.Approvals)
		if in == 1 {
			return mergePatch(ctx, by, s.action, toJSON(withApprovals(changed.Spec.Approvals...)))
		}
		return by.Update(ctx, changed)
	}
}

func edit(do func(*v1alpha1.Approval)) func([]v1alpha1.Approval) []v1alpha1.Approval {
	return func(all []v1alpha1.Approval) []v1alpha1.Approval { do(&all[0]); return all }
}

func reversed(all []v1alpha1.Approval) []v1alpha1.Approval { slices.Reverse(all); return all }

// ownManager is how kubectl takes back what it has applied: it applies less.
func ownManager() *attack {
	return &attack{
		number: 5, name: "remove one's own approval, by the field manager that applied it",
		prepare: func(ctx context.Context, s *scene) {
			waiting(ctx, s)
			Expect(applyPatch(ctx, s.alice, "kubectl", s.action, `spec: {approvals: [{approver: alice, stage: review, verdict: Approve}]}`)).To(Succeed())
			s.counted(ctx)
		},
		attempt: func(ctx context.Context, s *scene) error {
			return applyPatch(ctx, s.alice, "kubectl", s.action, `spec: {}`)
		},
		up:      refusedBy("webhook", "approvals that were given cannot be changed, removed", "kubectl approve"),
		deleted: refusedBy("schema", "an approval cannot be removed once it is given"),
	}
}
