// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func init() {
	attacks = append(attacks, statusAttacks()...)
	attacks = append(attacks, otherStatusAttacks()...)
}

// The operator alone says what it has decided.
func statusAttacks() []*attack {
	bot := func(s *scene) person { return s.agent }
	alice := func(s *scene) person { return s.alice }
	mallory := func(s *scene) person { return s.mallory }
	controller := func(*scene) person { return lab.user("system:serviceaccount:Ascend-system:ascend-controller-manager") }
	approved := func(a *v1alpha1.AgentAction) { a.Status.Decision = v1alpha1.DecisionApproved }
	return []*attack{
		statusAttack("as the agent, without a role for it", func(ctx context.Context, s *scene) { s.pending(ctx) }, bot, statusPatch(types.MergePatchType), withoutRole),
		statusAttack("as an approver, without a role for it", func(ctx context.Context, s *scene) { s.pending(ctx) }, alice, statusPatch(types.MergePatchType), withoutRole),
		statusAttack("as the agent, by JSON patch", waiting, bot, statusPatch(types.JSONPatchType), onlyTheOperator),
		statusAttack("as the agent, by merge patch", waiting, bot, statusPatch(types.MergePatchType), onlyTheOperator),
		statusAttack("as the agent, by server-side apply", waiting, bot, statusPatch(types.ApplyPatchType), onlyTheOperator),
		statusAttack("as the agent, by update", waiting, bot, statusUpdate(approved), onlyTheOperator),
		statusAttack("as an approver", waiting, alice, statusUpdate(approved), onlyTheOperator),
		statusAttack("as somebody with RBAC for it", waiting, mallory, statusPatch(types.MergePatchType), onlyTheOperator),
		statusAttack("as somebody with a name like the operator's", waiting, controller, statusPatch(types.MergePatchType), onlyTheOperator),
		statusAttack("a quorum that is not there", waiting, mallory, statusUpdate(func(a *v1alpha1.AgentAction) { a.Status.Approval.Granted = 2 }), onlyTheOperator),
		statusAttack("a later deadline", waiting, mallory, statusUpdate(func(a *v1alpha1.AgentAction) {
			a.Status.Approval.Deadline = &metav1.MicroTime{Time: a.Status.Approval.Deadline.Add(time.Hour)}
		}), onlyTheOperator),
		statusAttack("a lower risk", waiting, mallory, statusUpdate(func(a *v1alpha1.AgentAction) { a.Status.Risk.Score, a.Status.Risk.Level = "0", "Low" }), onlyTheOperator),
		statusAttack("another request than was asked", waiting, mallory, statusUpdate(func(a *v1alpha1.AgentAction) { a.Status.SpecDigest = "sha256:" + digits }), onlyTheOperator),
		statusAttack("no status at all", waiting, mallory, statusUpdate(func(a *v1alpha1.AgentAction) { a.Status = v1alpha1.AgentActionStatus{} }), onlyTheOperator),
		statusAttack("a decision that is final", allApproved, mallory, statusUpdate(func(a *v1alpha1.AgentAction) { a.Status.Decision = v1alpha1.DecisionDenied }), finalForever),
		statusAttack("a longer validity of what is approved", allApproved, bot, statusUpdate(func(a *v1alpha1.AgentAction) {
			a.Status.ValidUntil = &metav1.MicroTime{Time: a.Status.ValidUntil.Add(time.Hour)}
		}), onlyTheOperator),
		statusAttack("spec by way of status", waiting, mallory, func(ctx context.Context, s *scene, by person) error {
			changed := s.fresh(ctx)
			changed.Spec.Approvals = []v1alpha1.Approval{s.entry(ctx, by)}
			return by.SubResource("status").Update(ctx, changed)
		}, onlyTheOperator),
		operatorsToken(),
		dropped("by JSON patch", func(ctx context.Context, s *scene) error {
			return jsonPatch(ctx, s.agent, s.action, `[{"op":"replace","path":"/status/decision","value":"Approved"}]`)
		}),
		dropped("by merge patch", func(ctx context.Context, s *scene) error {
			return mergePatch(ctx, s.agent, s.action, `status: {decision: Approved}`)
		}),
		dropped("by update", func(ctx context.Context, s *scene) error {
			changed := s.fresh(ctx)
			changed.Status.Decision = v1alpha1.DecisionApproved
			return s.agent.Update(ctx, changed)
		}),
		dropped("by server-side apply", func(ctx context.Context, s *scene) error {
			return applyPatch(ctx, s.agent, "attacker", s.action, `status: {decision: Approved}`)
		}),
	}
}

// inEach is what has to come of an attack in each mode.
type inEach struct{ up, down, deleted outcome }

var (
	statusRefused   = refusedBy("webhook", "may not write the status of an action; the operator alone does, as "+v1alpha1.OperatorUser, "kubectl approve")
	withoutRole     = everywhere(refusedBy("RBAC", `cannot patch resource "agentactions/status"`))
	finalForever    = inEach{up: statusRefused, deleted: refusedBy("schema", "a final decision never changes")}
	onlyTheOperator = inEach{up: statusRefused, deleted: refusedBy("policy", "ascend-status", "status is written by the operator alone", v1alpha1.OperatorUser, "and you are", "kubectl approve", "kubectl deny")}
)

// everywhere is a refusal that the webhook has no part in.
func everywhere(refused outcome) inEach { return inEach{refused, refused, refused} }

func statusAttack(name string, prepare func(context.Context, *scene), who func(*scene) person, do change, want inEach) *attack {
	return &attack{
		number: 7, name: "write status: " + name, prepare: prepare,
		attempt: func(ctx context.Context, s *scene) error { return do(ctx, s, who(s)) },
		up:      want.up, down: want.down, deleted: want.deleted,
	}
}

// operatorsToken is how somebody would become the operator.
func operatorsToken() *attack {
	refused := refusedBy("RBAC", `cannot create resource "serviceaccounts/token"`)
	return &attack{
		number: 7, name: "write status: as the operator, by a token that one has made",
		prepare: waiting,
		attempt: func(ctx context.Context, s *scene) error {
			operator := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.GlobalNamespace, Name: "ascend-controller-manager"}}
			return s.mallory.SubResource("token").Create(ctx, operator, &authenticationv1.TokenRequest{})
		},
		up: refused, down: refused, deleted: refused,
	}
}

// statusPatch says that the action is approved.
func statusPatch(kind types.PatchType) change {
	return func(ctx context.Context, s *scene, by person) error {
		text, options := `{"status":{"decision":"Approved","message":"all is well"}}`, []client.SubResourcePatchOption(nil)
		switch kind {
		case types.JSONPatchType:
			text = `[{"op":"replace","path":"/status/decision","value":"Approved"}]`
		case types.ApplyPatchType:
			text = fmt.Sprintf(`{"apiVersion":%q,"kind":"AgentAction","metadata":{"name":%q},"status":{"decision":"Approved"}}`, v1alpha1.GroupVersion, s.action.Name)
			options = append(options, client.FieldOwner("ascend-controller-manager"), client.ForceOwnership)
		}
		return by.SubResource("status").Patch(ctx, s.fresh(ctx), client.RawPatch(kind, []byte(text)), options...)
	}
}

func statusUpdate(edit func(*v1alpha1.AgentAction)) change {
	return func(ctx context.Context, s *scene, by person) error {
		changed := s.fresh(ctx)
		edit(changed)
		return by.SubResource("status").Update(ctx, changed)
	}
}

// dropped is status by way of the object itself: the API server takes it off.
func dropped(how string, attempt func(ctx context.Context, s *scene) error) *attack {
	still := without("dropped", func(ctx context.Context, s *scene) {
		GinkgoHelper()
		now := s.fresh(ctx)
		Expect(now.Status.Decision).To(Equal(v1alpha1.DecisionPending))
		Expect(now.Status.Approval).To(Equal(s.action.Status.Approval))
	})
	return &attack{
		number: 7, name: "write status by way of the object, " + how,
		prepare: waiting, attempt: attempt, up: still, deleted: still,
	}
}

// Of no other kind either. No webhook sees it, so it is the same in every mode.
func otherStatusAttacks() []*attack {
	var out []*attack
	for _, of := range []struct{ kind, resource, name string }{
		{"Agent", "agents", "agent"}, {"ApprovalWorkflow", "approvalworkflows", "people"},
	} {
		refused := refusedBy("policy", "ascend-status", "status is written by the operator alone", "and you are mallory", "kubectl edit "+of.resource+" "+of.name)
		out = append(out, &attack{
			number: 7, name: "write the status of another kind: " + of.kind,
			prepare: func(ctx context.Context, s *scene) {
				s.allow(ctx, s.mallory, of.resource+"/status", "get", "patch", "update")
				s.guard(s.parse(fmt.Sprintf("kind: %s\nmetadata: {name: %s}\n", of.kind, of.name)))
			},
			attempt: func(ctx context.Context, s *scene) error {
				object := s.parse(fmt.Sprintf("kind: %s\nmetadata: {name: %s}\n", of.kind, of.name))
				return s.mallory.SubResource("status").Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(`{"status":{"observedGeneration":99}}`)))
			},
			up: refused, down: refused, deleted: refused,
		})
	}
	return out
}
