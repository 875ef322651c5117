// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func init() { attacks = append(attacks, verbAttacks()...) }

// juniors are named in both stages and in the override; what they may, each
// attack says.
const withJuniors = `
kind: ApprovalWorkflow
spec:
  selector: {riskLevels: [Low, Medium, High, Critical]}
  stages:
  - {name: review, required: 2, approvers: {groups: [security, juniors]}}
  - {name: board, required: 1, approvers: {groups: [directors]}}
  emergencyOverride: {approvers: {groups: [emergency, juniors]}, required: 2}
`

// verbs grants the group juniors a verb on workflows, of those names where there
// are any.
func verbs(ctx context.Context, s *scene, namespace, verb string, names ...string) {
	GinkgoHelper()
	role := &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: verb + "-"},
		Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"approvalworkflows"}, ResourceNames: names, Verbs: []string{verb},
		}},
	}
	Expect(lab.admin.Create(ctx, role)).To(Succeed())
	Expect(lab.admin.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: "juniors-of-" + s.namespace}},
	})).To(Succeed())
}

// Naming somebody in a stage does not make them an approver, and neither does
// the verb alone.
func verbAttacks() []*attack {
	noApprove := refusedBy("webhook", "carol does not hold the verb approve on approvalworkflow people of namespace", "whoever administers that namespace can grant it",
		"kubectl create role ascend-approve-people", "--verb=approve --resource=approvalworkflows.governance.ascendowkai.com --resource-name=people",
		"kubectl create rolebinding ascend-approve-people", "--group=juniors")
	noOverride := refusedBy("webhook", "carol does not hold the verb override on approvalworkflow people of namespace",
		"kubectl create role ascend-override-people", "--verb=override", "--resource-name=people", "--group=juniors")
	junior, juniorOverride := seated("group:juniors"), func(a *v1alpha1.Approval) { override(a); a.As = "group:juniors" }
	noGrant := func(context.Context, *scene) {}
	return []*attack{
		byCarol("approve without the verb approve", noGrant, noApprove, junior),
		byCarol("deny without the verb approve", noGrant, noApprove, junior, deny),
		byCarol("approve with the verb for another workflow", func(ctx context.Context, s *scene) { verbs(ctx, s, s.namespace, "approve", "other") }, noApprove, junior),
		byCarol("approve with the verb in another namespace", func(ctx context.Context, s *scene) { verbs(ctx, s, "default", "approve") }, noApprove, junior),
		byCarol("approve with the verb in the operator's namespace", func(ctx context.Context, s *scene) { verbs(ctx, s, v1alpha1.GlobalNamespace, "approve") }, noApprove, junior),
		byCarol("approve with the verb override alone", func(ctx context.Context, s *scene) { verbs(ctx, s, s.namespace, "override") }, noApprove, junior),
		byCarol("approve with every verb but that one", func(ctx context.Context, s *scene) {
			for _, verb := range []string{"get", "list", "watch", "create", "update", "patch", "delete"} {
				verbs(ctx, s, s.namespace, verb)
			}
		}, noApprove, junior),
		byCarol("override without the verb override", func(ctx context.Context, s *scene) { verbs(ctx, s, s.namespace, "approve") }, noOverride, juniorOverride),
		byCarol("override with the verb for another workflow", func(ctx context.Context, s *scene) { verbs(ctx, s, s.namespace, "override", "other") }, noOverride, juniorOverride),
		byMallory("approve with the verb, in no stage",
			refusedBy("webhook", "mallory is not an approver of stage review of workflow", "who may: group:juniors, group:security", "ascend explain"), seated("user:mallory")),
		byMallory("approve with the verb, in no stage, by the verb alone",
			refusedBy("webhook", "mallory is not an approver of stage review of workflow", "who may: group:juniors, group:security", "ascend explain"), seated("verb:approve")),
		byMallory("deny with the verb, in no stage",
			refusedBy("webhook", "mallory is not an approver of stage review of workflow", "who may:", "ascend explain"), seated("user:mallory"), deny),
		byMallory("override with the verb, not named in the emergencyOverride",
			refusedBy("webhook", "mallory is not named in the emergencyOverride", "who may: group:emergency, group:juniors", "ascend explain"), override, seated("user:mallory")),
		byMallory("override with the verb, not named, by the verb alone",
			refusedBy("webhook", "mallory is not named in the emergencyOverride", "ascend explain"), override, seated("verb:approve")),
		director("approve before the stage's turn", refusedBy("webhook", "it waits in stage review, not in \"board\"", "ascend explain"), func(a *v1alpha1.Approval) { a.Stage = "board" }),
		director("approve a stage for another one's approvers", refusedBy("webhook", "dora is not an approver of stage review", "who may:", "ascend explain")),
		director("approve a stage that there is not", refusedBy("webhook", `it waits in stage review, not in "nonsense"`, "ascend explain"), func(a *v1alpha1.Approval) { a.Stage = "nonsense" }),
		stranger("approve without any role", func() person { return lab.user("eve") }, `User "eve" cannot patch resource "agentactions"`),
		stranger("approve without credentials", func() person { return lab.person("nobody", rest.AnonymousClientConfig(lab.config)) }, `User "system:anonymous" cannot patch resource "agentactions"`),
	}
}

// lineup prepares the workflow, whatever is granted, and an action that waits.
func lineup(grant func(context.Context, *scene)) func(context.Context, *scene) {
	return func(ctx context.Context, s *scene) {
		GinkgoHelper()
		s.asking(ctx, withJuniors)
		grant(ctx, s)
		waiting(ctx, s)
	}
}

// byCarol is a verdict of carol, of the group juniors.
func byCarol(name string, grant func(context.Context, *scene), up outcome, changes ...func(*v1alpha1.Approval)) *attack {
	return &attack{
		number: 3, name: name, prepare: lineup(grant),
		attempt: func(ctx context.Context, s *scene) error {
			return s.write(ctx, lab.user("carol", "juniors", "juniors-of-"+s.namespace), changes...)
		},
		up: up, deleted: uncounted(),
	}
}

// byMallory is a verdict of who holds every verb and is named nowhere.
func byMallory(name string, up outcome, changes ...func(*v1alpha1.Approval)) *attack {
	return &attack{
		number: 3, name: name,
		prepare: lineup(func(ctx context.Context, s *scene) {
			s.allow(ctx, s.mallory, "approvalworkflows", "approve", "override")
		}),
		attempt: func(ctx context.Context, s *scene) error { return s.write(ctx, s.mallory, changes...) },
		up:      up, deleted: uncounted(),
	}
}

// director is a verdict of dora, an approver of the stage after this one.
func director(name string, up outcome, changes ...func(*v1alpha1.Approval)) *attack {
	dora := func() person { return lab.user("dora", "directors") }
	return &attack{
		number: 3, name: name,
		prepare: lineup(func(ctx context.Context, s *scene) { s.allow(ctx, dora(), "approvalworkflows", "approve") }),
		attempt: func(ctx context.Context, s *scene) error {
			return s.write(ctx, dora(), append([]func(*v1alpha1.Approval){seated("group:directors")}, changes...)...)
		},
		up: up, deleted: uncounted(),
	}
}

// stranger may not even patch actions.
func stranger(name string, who func() person, says string) *attack {
	refused := refusedBy("RBAC", says)
	return &attack{
		number: 3, name: name,
		prepare: func(ctx context.Context, s *scene) { s.pending(ctx) },
		attempt: func(ctx context.Context, s *scene) error { return approve(ctx, who(), s.action) },
		up:      refused, down: refused, deleted: refused,
	}
}
