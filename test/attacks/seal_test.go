// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func init() {
	attacks = append(attacks, verdictSealAttacks()...)
	attacks = append(attacks, requesterSealAttacks()...)
}

// sealed has alice's approval of the action, and bob's of another one that is
// the same but for its name, and of one that is the same but for its namespace.
func sealed(ctx context.Context, s *scene) {
	GinkgoHelper()
	s.generous(ctx)
	elsewhere := newScene(ctx, &attack{number: 11}, s.mode)
	elsewhere.action = elsewhere.submitAs(ctx, "twin")
	mustApprove(ctx, elsewhere, s.bob)
	s.state["elsewhere"] = elsewhere.fresh(ctx)

	s.action = s.submitAs(ctx, "other")
	mustApprove(ctx, s, s.bob)
	s.state["other"] = s.fresh(ctx)

	s.action = s.submitAs(ctx, "twin")
	s.guard(s.action)
	mustApprove(ctx, s, s.alice)
	s.counted(ctx)
	s.rehearse(ctx)
}

// rehearse keeps what dry runs have answered: an approval of bob's, and an
// action.
func (s *scene) rehearse(ctx context.Context) {
	GinkgoHelper()
	given := s.fresh(ctx)
	given.Spec.Approvals = append(given.Spec.Approvals, s.entry(ctx, s.bob))
	Expect(s.bob.Update(ctx, given, client.DryRunAll)).To(Succeed())
	s.state["given"] = given
	asked := s.ask(readOrders)
	asked.GenerateName, asked.Name = "", "another"
	Expect(s.agent.Create(ctx, asked, client.DryRunAll)).To(Succeed())
	s.state["asked"] = asked
}

// submitAs has the agent ask under a name.
func (s *scene) submitAs(ctx context.Context, name string) *v1alpha1.AgentAction {
	GinkgoHelper()
	action := s.ask(readOrders)
	action.GenerateName, action.Name = "", name
	Expect(s.agent.Create(ctx, action)).To(Succeed())
	return s.awaitDecision(ctx, action, v1alpha1.DecisionPending)
}

// kept is an action that prepare has left.
func (s *scene) kept(name string) *v1alpha1.AgentAction {
	GinkgoHelper()
	action, found := s.state[name].(*v1alpha1.AgentAction)
	Expect(found).To(BeTrue(), name)
	return action
}

// Only a seal that was made for it makes a verdict count.
func verdictSealAttacks() []*attack {
	with := func(text string) func(*scene, *v1alpha1.Approval) {
		return func(_ *scene, a *v1alpha1.Approval) { a.Seal = text }
	}
	copied := func(from string) func(*scene, *v1alpha1.Approval) {
		return func(s *scene, a *v1alpha1.Approval) {
			revision := a.WorkflowRevision // which a policy compares
			*a = s.kept(from).Spec.Approvals[0]
			a.WorkflowRevision = revision
		}
	}
	zeros := strings.Repeat("A", 43)
	return []*attack{
		sealAttack("made up, by a key that there is", func(*scene, *v1alpha1.Approval) {}, "was not made for it"),
		sealAttack("made up, by a key that there is not", with("v1.00000000."+zeros), "key that is not known: 00000000"),
		sealAttack("of no form", with("trust me"), "is not of the form v1.KEYID.MAC"),
		sealAttack("of a version that there is not", func(s *scene, a *v1alpha1.Approval) { a.Seal = "v2" + s.madeUp()[2:] }, "is not of the form v1.KEYID.MAC"),
		sealAttack("that is cut off", func(s *scene, a *v1alpha1.Approval) {
			a.Seal = strings.TrimRight(s.action.Spec.Approvals[0].Seal[:20], "=")
		}, "is not of the form v1.KEYID.MAC"),
		sealAttack("of another's verdict on the same action", func(s *scene, a *v1alpha1.Approval) { a.Seal = s.action.Spec.Approvals[0].Seal }, "was not made for it"),
		sealAttack("and all stamps of another's verdict on the same action", func(s *scene, a *v1alpha1.Approval) {
			*a = s.action.Spec.Approvals[0]
			a.Approver = s.bob.name
		}, "was not made for it"),
		sealAttack("of the requester's", func(s *scene, a *v1alpha1.Approval) { a.Seal = s.action.Spec.Requester.Seal }, "was not made for it"),
		sealAttack("and all stamps of one's own verdict on another action", copied("other"), "was not made for it"),
		sealAttack("and all stamps of one's own verdict on an action of that name elsewhere", copied("elsewhere"), "was not made for it"),
		sealAttack("of one's own verdict on another action, with another verdict", func(s *scene, a *v1alpha1.Approval) {
			copied("other")(s, a)
			deny(a)
		}, "was not made for it"),
		sealAttack("and all stamps that a dry run has answered", func(s *scene, a *v1alpha1.Approval) { *a = s.kept("given").Spec.Approvals[1] }, "key that is not known: 00000000"),
		stale("given for another request", func(a *v1alpha1.Approval) { a.SpecDigest = "sha256:" + digits },
			"what you saw, specDigest sha256:"+digits+", is not what is asked here"),
		stale("given under other workflows", func(a *v1alpha1.Approval) { a.WorkflowRevision = "sha256:" + digits },
			"the workflows have changed since you looked"),
		anotherStage(),
		ownAgain("to be counted twice", func(*v1alpha1.Approval) {}),
		ownAgain("to deny by an approval", deny),
	}
}

// sealAttack is a verdict of bob's with a seal that is not its own. The operator
// gives it one of its own, where it can: it is his verdict, after all.
func sealAttack(name string, change func(*scene, *v1alpha1.Approval), why string) *attack {
	return &attack{
		number: 11, name: "give a verdict with a seal " + name, prepare: sealed,
		attempt: func(ctx context.Context, s *scene) error {
			return s.write(ctx, s.bob, func(a *v1alpha1.Approval) {
				change(s, a)
				s.state["seal"] = a.Seal
			})
		},
		up: resealed, deleted: uncounted(why),
	}
}

var resealed = without("overwritten", func(ctx context.Context, s *scene) {
	GinkgoHelper()
	given := s.fresh(ctx).Spec.Approvals
	Expect(given).To(HaveLen(2))
	Expect(given[1]).To(And(HaveField("Approver", "bob"), HaveField("Stage", "review"), HaveField("Seal", Not(Equal(s.state["seal"])))))
	Eventually(func(g Gomega) {
		g.Expect(s.fresh(ctx).Status.Decision.IsFinal()).To(BeTrue())
	}).WithContext(ctx).Should(Succeed())
})

// stale is a verdict of bob's on what he says himself is not what waits.
func stale(name string, change func(*v1alpha1.Approval), why string) *attack {
	return &attack{
		number: 11, name: "give a verdict " + name, prepare: sealed,
		attempt: func(ctx context.Context, s *scene) error { return s.write(ctx, s.bob, change) },
		up:      refusedBy("webhook", why, "look again: ascend explain"),
		deleted: refusedBy("policy", "ascend-agentaction-identity", "given for another request, or under other workflows", "an approver of the stage that waits", "kubectl approve"),
	}
}

// anotherStage has bob's seal of the first stage used for the second.
func anotherStage() *attack {
	return &attack{
		number: 11, name: "give a verdict with a seal of one's own verdict in another stage",
		prepare: func(ctx context.Context, s *scene) {
			s.asking(ctx, `
kind: ApprovalWorkflow
spec:
  selector: {riskLevels: [Low, Medium, High, Critical]}
  distinctApprovers: true
  stages:
  - {name: review, required: 1, approvers: {groups: [security]}}
  - {name: board, required: 1, approvers: {groups: [security]}}
`)
			waiting(ctx, s)
			mustApprove(ctx, s, s.bob)
			Eventually(func(g Gomega) {
				s.action = s.fresh(ctx)
				g.Expect(s.action.Status.Approval.Stage).To(Equal("board"))
			}).WithContext(ctx).Should(Succeed())
		},
		attempt: func(ctx context.Context, s *scene) error {
			return s.write(ctx, s.bob, func(a *v1alpha1.Approval) {
				*a = s.action.Spec.Approvals[0]
				a.Stage = "board"
			})
		},
		up:      refusedBy("webhook", "it would not count: the same person counts in an earlier stage already", "nothing was written", "ascend explain"),
		deleted: uncounted("was not made for it"),
	}
}

// ownAgain is alice's own sealed verdict, once more under the other name of the
// stage.
func ownAgain(why string, change func(*v1alpha1.Approval)) *attack {
	return &attack{
		number: 11, name: "give one's own sealed verdict again, " + why, prepare: sealed,
		attempt: func(ctx context.Context, s *scene) error {
			return s.write(ctx, s.alice, func(a *v1alpha1.Approval) {
				*a = s.action.Spec.Approvals[0]
				a.Stage += s.round()
				change(a)
			})
		},
		up:      refusedBy("webhook", "alice has already given the verdict Approve in stage review"),
		deleted: uncounted("was not made for it"),
	}
}

// Only a seal that was made for it makes an action somebody's.
func requesterSealAttacks() []*attack {
	with := func(name string, stamp func(*scene, *v1alpha1.Requester), why string) *attack {
		return &attack{
			number: 11, name: "submit with a seal " + name, prepare: sealed,
			attempt: func(ctx context.Context, s *scene) error {
				action := s.ask(readOrders)
				action.GenerateName, action.Name = "", "another"
				action.Spec.Requester = s.stamp(ctx, s.agent)
				stamp(s, action.Spec.Requester)
				return s.create(ctx, s.agent, action)
			},
			up: overwritten(""), deleted: notAdmitted(why),
		}
	}
	return []*attack{
		with("by a key that there is not", func(_ *scene, r *v1alpha1.Requester) { r.Seal = "v1.00000000." + strings.Repeat("A", 43) }, "key that is not known: 00000000"),
		with("of no form", func(_ *scene, r *v1alpha1.Requester) { r.Seal = "trust me" }, "is not of the form v1.KEYID.MAC"),
		with("of another action", func(s *scene, r *v1alpha1.Requester) { r.Seal = s.action.Spec.Requester.Seal }, "was not made for it"),
		with("and all stamps of another action", func(s *scene, r *v1alpha1.Requester) { *r = *s.action.Spec.Requester }, "was not made for it"),
		with("and all stamps that a dry run has answered", func(s *scene, r *v1alpha1.Requester) { *r = *s.kept("asked").Spec.Requester }, "key that is not known: 00000000"),
		with("of a verdict", func(s *scene, r *v1alpha1.Requester) { r.Seal = s.action.Spec.Approvals[0].Seal }, "was not made for it"),
	}
}
