// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/seal"
)

func init() { attacks = append(attacks, recreationAttacks()...) }

// purged leaves nothing of an action that people had approved but the
// attacker's copy.
func purged(people ...string) func(context.Context, *scene) {
	return func(ctx context.Context, s *scene) {
		GinkgoHelper()
		s.generous(ctx)
		s.action = s.submitAs(ctx, "same")
		for _, name := range people {
			mustApprove(ctx, s, lab.user(name, "security"))
		}
		s.state["old"] = s.fresh(ctx)
		Expect(lab.admin.Delete(ctx, s.fresh(ctx))).To(Succeed())
		Eventually(func(g Gomega) {
			err := lab.admin.Get(ctx, client.ObjectKeyFromObject(s.action), &v1alpha1.AgentAction{})
			g.Expect(apierrors.IsNotFound(err)).To(BeTrue())
		}).WithContext(ctx).Should(Succeed())
	}
}

// What has the name of an old action is a new one.
func recreationAttacks() []*attack {
	nothing := without("nothing inherited", func(ctx context.Context, s *scene) {
		GinkgoHelper()
		s.expectNew(ctx)
	})
	return []*attack{
		{
			number: 10, name: "submit an action again that was half approved",
			prepare: purged("bob"),
			attempt: func(ctx context.Context, s *scene) error { return s.recreate(ctx) },
			up:      nothing, deleted: nothing,
		},
		{
			number: 10, name: "submit an action again that was approved",
			prepare: purged("alice", "bob"),
			attempt: func(ctx context.Context, s *scene) error { return s.recreate(ctx) },
			up:      nothing, deleted: nothing,
		},
		{
			number: 10, name: "submit an action again with its old uid",
			prepare: purged("bob"),
			attempt: func(ctx context.Context, s *scene) error {
				return s.recreate(ctx, func(a *v1alpha1.AgentAction) { a.UID = s.kept("old").UID })
			},
			up: nothing, deleted: nothing,
		},
		{
			number: 10, name: "submit an action again with its old status",
			prepare: purged("alice", "bob"),
			attempt: func(ctx context.Context, s *scene) error {
				return s.recreate(ctx, func(a *v1alpha1.AgentAction) { a.Status = s.kept("old").Status })
			},
			up: nothing, deleted: nothing,
		},
		{
			number: 10, name: "submit an action again with its old approvals",
			prepare: purged("bob"),
			attempt: func(ctx context.Context, s *scene) error {
				return s.recreate(ctx, func(a *v1alpha1.AgentAction) { a.Spec.Approvals = s.kept("old").Spec.Approvals })
			},
			up:      refusedBy("webhook", "an action cannot be submitted with approvals", "kubectl approve"),
			deleted: refusedBy("schema", "an action cannot be submitted with approvals"),
		},
		{
			number: 10, name: "submit an action again as another subject of the agent",
			prepare: purged("bob"),
			attempt: func(ctx context.Context, s *scene) error { return s.recreateAs(ctx, lab.user("sam")) },
			up:      nothing,
			deleted: refusedBy("policy", "ascend-agentaction-identity", "spec.requester is not you, sam", "kubectl create -f FILE"),
		},
		{
			number: 10, name: "submit another request under the name of an old one",
			prepare: purged("bob"),
			attempt: func(ctx context.Context, s *scene) error {
				return s.recreate(ctx, func(a *v1alpha1.AgentAction) { a.Spec.Description = "more of it" })
			},
			up: nothing,
			deleted: without("denied: NotAdmitted", func(ctx context.Context, s *scene) {
				GinkgoHelper()
				s.expectNotAdmitted(ctx, s.action, "was not made for it")
			}),
		},
		{
			number: 10, name: "submit an action again, and give it the old approval",
			prepare: purged("bob"),
			attempt: func(ctx context.Context, s *scene) error {
				if err := s.recreate(ctx); err != nil {
					return err
				}
				s.awaitDecided(ctx)
				if s.action.Status.Decision != v1alpha1.DecisionPending {
					return nil // expectNew knows when that may be
				}
				return ways[0].add(ctx, s.bob, s.action, s.kept("old").Spec.Approvals[0])
			},
			up: without("overwritten", func(ctx context.Context, s *scene) {
				GinkgoHelper()
				given := s.fresh(ctx).Spec.Approvals
				Expect(given).To(HaveLen(1))
				Expect(given[0].Seal).NotTo(Equal(s.kept("old").Spec.Approvals[0].Seal))
			}),
			deleted: without("stored, not counted", func(ctx context.Context, s *scene) {
				GinkgoHelper()
				if s.tooOld(ctx) {
					s.expectNew(ctx)
					return
				}
				s.expectUncounted(ctx, "was not made for it")
			}),
		},
	}
}

// recreate submits the old request under its old name, with its old stamp.
func (s *scene) recreate(ctx context.Context, changes ...func(*v1alpha1.AgentAction)) error {
	GinkgoHelper()
	return s.recreateAs(ctx, s.agent, changes...)
}

func (s *scene) recreateAs(ctx context.Context, by person, changes ...func(*v1alpha1.AgentAction)) error {
	GinkgoHelper()
	action := s.ask(readOrders)
	action.GenerateName, action.Name = "", "same"
	action.Spec.Requester = s.kept("old").Spec.Requester
	for _, change := range changes {
		change(action)
	}
	s.action = action
	return by.Create(ctx, action)
}

func (s *scene) awaitDecided(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		s.action = s.fresh(ctx)
		g.Expect(s.action.Status.Decision).NotTo(BeEmpty())
	}).WithContext(ctx).Should(Succeed())
}

// expectNew is an action that has nothing of the old one but what was asked. Its
// old stamp is good for a few minutes, for the same name and request; after that
// it is denied.
func (s *scene) expectNew(ctx context.Context) {
	GinkgoHelper()
	s.awaitDecided(ctx)
	now := s.action
	Expect(now.UID).NotTo(Or(Equal(s.kept("old").UID), Equal(types.UID(""))))
	Expect(now.Spec.Approvals).To(BeEmpty())
	if s.tooOld(ctx) {
		s.expectNotAdmitted(ctx, now)
		return
	}
	Expect(now.Status.Decision).To(Equal(v1alpha1.DecisionPending))
	Expect(now.Status.Approval.Granted).To(BeZero())
	Expect(now.Status.Approval.RequestedAt.Time).To(BeTemporally(">", s.kept("old").Status.Approval.RequestedAt.Time))
}

// tooOld says whether the stamp of the action is older than an action may be
// when it is created.
func (s *scene) tooOld(ctx context.Context) bool {
	GinkgoHelper()
	now := s.fresh(ctx)
	return now.CreationTimestamp.Sub(now.Spec.Requester.AdmittedAt.Time).Abs() > seal.AdmissionWindow
}
