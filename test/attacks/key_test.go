// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"encoding/json"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/keyring"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/seal"
)

func init() {
	attacks = append(attacks, keyAttacks()...)
	attacks = append(attacks, keyControls...)
}

// Nobody who plays a part can read the keys.
func keyAttacks() []*attack {
	readers := map[string]func(*scene) person{
		"the agent":                   func(s *scene) person { return s.agent },
		"an approver":                 func(s *scene) person { return s.alice },
		"who runs the platform":       func(s *scene) person { return s.as("admin") },
		"a neighbour of the operator": func(s *scene) person { return s.as("neighbour") },
	}
	var out []*attack
	for name, who := range readers {
		refused := refusedBy("RBAC", `cannot get resource "secrets"`)
		out = append(out, &attack{
			number: 11, name: "read the keys that seals are made with, as " + name,
			prepare: func(ctx context.Context, s *scene) {
				s.state["admin"] = s.with(ctx, "admin", "ascend-admin")
				s.state["neighbour"] = lab.serviceAccount(ctx, v1alpha1.GlobalNamespace, "default")
			},
			attempt: func(ctx context.Context, s *scene) error {
				return who(s).Get(ctx, client.ObjectKey{Namespace: v1alpha1.GlobalNamespace, Name: keyring.SecretName}, &corev1.Secret{})
			},
			up: refused, down: refused, deleted: refused,
		})
	}
	slices.SortFunc(out, byName)
	return out
}

// keyControls show that the attacks by a seal fail for want of the key and of
// nothing else: with the key they would not.
var keyControls = []*attack{
	{
		number: 11, name: "(allowed) give a verdict with a seal by the operator's own key",
		prepare: waiting,
		attempt: func(ctx context.Context, s *scene) error {
			return s.write(ctx, s.bob, func(a *v1alpha1.Approval) {
				sealed, err := s.stolen(ctx).SealVerdict(seal.Verdict{
					Namespace: s.namespace, Name: s.action.Name, UID: string(s.action.UID), Approval: *a,
				})
				Expect(err).NotTo(HaveOccurred())
				a.Seal = sealed
			})
		},
		up: stampedAs("group:security"), deleted: without("counts, for it has the key", func(ctx context.Context, s *scene) {
			GinkgoHelper()
			Eventually(func(g Gomega) {
				now := s.fresh(ctx).Status.Approval
				g.Expect(now.Granted).To(BeEquivalentTo(1))
				g.Expect(now.Uncounted).To(BeEmpty())
			}).WithContext(ctx).Should(Succeed())
		}),
	},
	{
		number: 11, name: "(allowed) submit with a seal by the operator's own key",
		prepare: waiting,
		attempt: func(ctx context.Context, s *scene) error {
			action := s.ask(readOrders)
			action.GenerateName, action.Name = "", "another"
			action.Spec.Requester = s.stamp(ctx, s.agent)
			digest, err := request.Digest(&action.Spec)
			Expect(err).NotTo(HaveOccurred())
			action.Spec.Requester.Seal, err = s.stolen(ctx).SealSubmission(seal.Submission{
				Namespace: s.namespace, Name: action.Name, Digest: digest, Requester: *action.Spec.Requester,
			})
			Expect(err).NotTo(HaveOccurred())
			return s.create(ctx, s.agent, action)
		},
		up: overwritten(""), deleted: without("counts, for it has the key", func(ctx context.Context, s *scene) {
			GinkgoHelper()
			s.awaitDecision(ctx, s.kept("created"), v1alpha1.DecisionPending)
		}),
	},
}

// stolen are the keys, as only the administrator can read them.
func (s *scene) stolen(ctx context.Context) *seal.Ring {
	GinkgoHelper()
	var secret corev1.Secret
	Expect(lab.admin.Get(ctx, client.ObjectKey{Namespace: v1alpha1.GlobalNamespace, Name: keyring.SecretName}, &secret)).To(Succeed())
	id, ok := seal.KeyOf(s.action.Spec.Requester.Seal)
	Expect(ok).To(BeTrue())
	var entry struct{ Key []byte }
	Expect(json.Unmarshal(secret.Data[id], &entry)).To(Succeed())
	ring, err := seal.NewRing(id, []seal.Key{{ID: id, Secret: entry.Key}})
	Expect(err).NotTo(HaveOccurred())
	return ring
}
