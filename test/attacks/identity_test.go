// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// attacks are all of them, gathered from the files of this package.
var attacks []*attack

func init() { attacks = append(attacks, identityAttacks()...) }

// Nobody speaks in another's name.
func identityAttacks() []*attack {
	notAs := func(name string) outcome {
		return refusedBy("webhook", "you are bob", "not as "+name, name+" can give it: kubectl approve")
	}
	ownName := refusedBy("policy", "ascend-agentaction-identity", "a verdict is given in one's own name",
		"those of bob", "Who else may agree does so as themselves", "kubectl approve")
	notAMember := refusedBy("policy", "ascend-agentaction-identity", "`as` names a user, group or ServiceAccount that", "is not, or is not in", "kubectl approve")

	var out []*attack
	for _, w := range ways {
		out = append(out, &attack{
			number: 1, name: "approve in another's name, by " + w.name,
			prepare: waiting,
			attempt: func(ctx context.Context, s *scene) error {
				return w.add(ctx, s.bob, s.fresh(ctx), s.entry(ctx, s.bob, named("alice")))
			},
			up: notAs("alice"), deleted: ownName,
		})
	}
	return append(out,
		byBob("deny in another's name", notAs("alice"), ownName, named("alice"), deny),
		byBob("approve in the name of the owner", notAs("olga"), ownName, named("olga")),
		byBob("approve as oneself in capitals", notAs("BOB"), ownName, named("BOB")),
		byBob("approve as oneself with a blank", notAs("bob "), ownName, named("bob ")),
		byBob("approve under a name that looks alike", notAs("аlice"), ownName, named("аlice")), // a Cyrillic а
		byBob("approve with another's uid", stampedAs("group:security"), ownName, func(a *v1alpha1.Approval) { a.UID = "00000000-0000-0000-0000-000000000001" }),
		byBob("approve as the user alice", stampedAs("group:security"), notAMember, seated("user:alice")),
		byBob("approve as a ServiceAccount", stampedAs("group:security"), notAMember, seated("serviceaccount:ascend-system/ascend-controller-manager")),
		byBob("approve as of a group one is not in", stampedAs("group:security"), notAMember, seated("group:emergency")),
		byBob("say in the comment to be another", stampedAs("group:security"), uncounted(), func(a *v1alpha1.Approval) { a.Comment = "alice: Approve (by bob on behalf of alice)" }),
		&attack{
			number: 1, name: "approve as of a group one is not in, to get into the stage",
			prepare: waiting,
			attempt: func(ctx context.Context, s *scene) error { return s.write(ctx, s.mallory) },
			up:      refusedBy("webhook", "mallory is not an approver of stage review", "who may: group:security", "ascend explain"),
			deleted: notAMember,
		},
		&attack{
			number: 1, name: "approve twice in one request, as oneself and as another",
			prepare: waiting,
			attempt: func(ctx context.Context, s *scene) error {
				both := withApprovals(s.entry(ctx, s.bob), s.entry(ctx, s.bob, named("alice")))
				return mergePatch(ctx, s.bob, s.action, toJSON(both))
			},
			up:      refusedBy("webhook", "2 approvals in one request", "everybody gives their own", "kubectl approve"),
			deleted: refusedBy("policy", "ascend-agentaction-identity", "one verdict a request, and this one adds 2", "kubectl approve"),
		},
		raw("approve in another's name, by a key that comes twice", notAs("alice"), ownName, `"approver":"bob","approver":"alice"`),
		raw("approve in another's name, by a key in capitals", stampedAs("group:security"), uncounted(), `"approver":"bob","Approver":"alice","APPROVER":"alice"`),
		impersonation("another user", rest.ImpersonationConfig{UserName: "alice", Groups: []string{"security"}}),
		impersonation("the operator", rest.ImpersonationConfig{UserName: v1alpha1.OperatorUser}),
		impersonation("a group", rest.ImpersonationConfig{UserName: "bob", Groups: []string{"system:masters"}}),
	)
}

func named(name string) func(*v1alpha1.Approval) {
	return func(a *v1alpha1.Approval) { a.Approver = name }
}

func seated(as string) func(*v1alpha1.Approval) {
	return func(a *v1alpha1.Approval) { a.As = as }
}

// byBob is a verdict of bob's, not quite as he may give it.
func byBob(name string, up, deleted outcome, changes ...func(*v1alpha1.Approval)) *attack {
	return &attack{
		number: 1, name: name, prepare: waiting,
		attempt: func(ctx context.Context, s *scene) error { return s.write(ctx, s.bob, changes...) },
		up:      up, deleted: deleted,
	}
}

// raw is a verdict of bob's in which the approver is spelled like that.
func raw(name string, up, deleted outcome, approver string) *attack {
	return &attack{
		number: 1, name: name, prepare: waiting,
		attempt: func(ctx context.Context, s *scene) error {
			text := strings.Replace(toJSON(withApprovals(s.entry(ctx, s.bob))), `"approver":"bob"`, approver, 1)
			return s.bob.Patch(ctx, s.fresh(ctx), client.RawPatch(types.MergePatchType, []byte(text)))
		},
		up: up, deleted: deleted,
	}
}

// stampedAs is a verdict that counts, for it is true: the operator has put right
// what its author wrote about themselves.
func stampedAs(as string) outcome {
	return without("overwritten", func(ctx context.Context, s *scene) {
		GinkgoHelper()
		given := s.fresh(ctx).Spec.Approvals
		Expect(given).To(HaveLen(1))
		Expect(given[0]).To(And(HaveField("Approver", "bob"), HaveField("UID", ""), HaveField("As", as), HaveField("Seal", Not(Equal(s.madeUp())))))
		Eventually(func(g Gomega) {
			g.Expect(s.fresh(ctx).Status.Approval.Granted).To(BeEquivalentTo(1))
		}).WithContext(ctx).Should(Succeed())
	})
}

// impersonation is RBAC's to refuse, whatever the webhook does.
func impersonation(of string, as rest.ImpersonationConfig) *attack {
	refused := refusedBy("RBAC", "forbidden", `User "bob" cannot impersonate`)
	return &attack{
		number: 1, name: "impersonate " + of,
		prepare: waiting,
		attempt: func(ctx context.Context, s *scene) error {
			config := rest.CopyConfig(s.bob.config)
			config.Impersonate = as
			other := lab.person(as.UserName, config)
			return ways[0].add(ctx, other, s.fresh(ctx), s.entry(ctx, s.alice, named(as.UserName)))
		},
		up: refused, down: refused, deleted: refused,
	}
}
