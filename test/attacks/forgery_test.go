// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/seal"
)

// generous has RBAC grant everybody every way to write actions and their status,
// so that it is not RBAC that holds.
func (s *scene) generous(ctx context.Context) {
	GinkgoHelper()
	role := &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "generous"},
		Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"agentactions", "agentactions/status"},
			Verbs: []string{"create", "get", "list", "patch", "update", "watch"},
		}},
	}
	Expect(lab.admin.Create(ctx, role)).To(Succeed())
	Expect(lab.admin.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: "system:authenticated"}},
	})).To(Succeed())
	s.awaitRight(ctx, s.mallory, "agentactions/status", "update")
}

// waiting has an action wait for two of security, where RBAC is generous.
func waiting(ctx context.Context, s *scene) {
	GinkgoHelper()
	s.generous(ctx)
	s.pending(ctx)
}

// halfway is waiting, and alice has approved.
func halfway(ctx context.Context, s *scene) {
	GinkgoHelper()
	waiting(ctx, s)
	mustApprove(ctx, s, s.alice)
	s.counted(ctx)
}

// counted waits until every approval so far is, and has the scene know the
// action as it then stands.
func (s *scene) counted(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		s.action = s.fresh(ctx)
		g.Expect(s.action.Status.Approval).To(HaveField("Granted", BeEquivalentTo(len(s.action.Spec.Approvals))))
	}).WithContext(ctx).Should(Succeed())
}

// asking has the team's workflow ask for something else, before anything is
// submitted.
func (s *scene) asking(ctx context.Context, spec string) {
	GinkgoHelper()
	object := s.parse("kind: ApprovalWorkflow\nmetadata: {name: people}\n")
	Expect(lab.admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
	object.Object["spec"] = s.parse(spec).Object["spec"]
	Expect(lab.admin.Update(ctx, object, client.FieldValidation(metav1.FieldValidationStrict))).To(Succeed())
	Eventually(func(g Gomega) {
		g.Expect(lab.admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
		observed, _, _ := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
		g.Expect(observed).To(Equal(object.GetGeneration()))
	}).WithContext(ctx).Should(Succeed())
}

// whoami is somebody as the API server knows them.
func whoami(ctx context.Context, by person) authenticationv1.UserInfo {
	GinkgoHelper()
	review := &authenticationv1.SelfSubjectReview{}
	Expect(by.Create(ctx, review)).To(Succeed())
	return review.Status.UserInfo
}

// madeUp is a seal that looks right: of a key that there is, and as long.
func (s *scene) madeUp() string {
	GinkgoHelper()
	key, ok := seal.KeyOf(s.action.Spec.Requester.Seal)
	Expect(ok).To(BeTrue())
	return "v1." + key + "." + strings.Repeat("A", 43)
}

// entry is a verdict with every stamp that the schema and the policies look at,
// as right as its author can make them; only the seal is made up. changes come
// last.
func (s *scene) entry(ctx context.Context, by person, changes ...func(*v1alpha1.Approval)) v1alpha1.Approval {
	GinkgoHelper()
	action, now := s.fresh(ctx), metav1.NewMicroTime(clock.RealClock{}.Now())
	out := v1alpha1.Approval{
		Verdict: v1alpha1.VerdictApprove, Approver: by.name, UID: whoami(ctx, by).UID, As: "group:security",
		Stage: cmp.Or(action.Status.Approval.Stage, "review"), Time: &now,
		SpecDigest: action.Status.SpecDigest, WorkflowRevision: action.Status.Approval.Revision, Seal: s.madeUp(),
	}
	for _, change := range changes {
		change(&out)
	}
	return out
}

func deny(a *v1alpha1.Approval) { a.Verdict = v1alpha1.VerdictDeny }

func override(a *v1alpha1.Approval) {
	a.Verdict, a.Stage, a.As, a.Comment = v1alpha1.VerdictOverride, v1alpha1.OverrideStage, "group:emergency", "the house is on fire"
}

// way is a way to write a verdict behind those that are there.
type way struct {
	name string
	add  func(ctx context.Context, by person, to *v1alpha1.AgentAction, entry v1alpha1.Approval) error
}

var ways = []way{
	{"JSON patch", func(ctx context.Context, by person, to *v1alpha1.AgentAction, entry v1alpha1.Approval) error {
		return jsonPatch(ctx, by, to, fmt.Sprintf(`[{"op":"add","path":"/spec/approvals%s","value":%s}]`, end(to), list(to, toJSON(entry))))
	}},
	{"merge patch", func(ctx context.Context, by person, to *v1alpha1.AgentAction, entry v1alpha1.Approval) error {
		return mergePatch(ctx, by, to, toJSON(withApprovals(append(to.DeepCopy().Spec.Approvals, entry)...)))
	}},
	{"server-side apply", func(ctx context.Context, by person, to *v1alpha1.AgentAction, entry v1alpha1.Approval) error {
		return applyPatch(ctx, by, "attacker", to, toJSON(withApprovals(entry)))
	}},
	{"update", func(ctx context.Context, by person, to *v1alpha1.AgentAction, entry v1alpha1.Approval) error {
		changed := to.DeepCopy()
		changed.Spec.Approvals = append(changed.Spec.Approvals, entry)
		return by.Update(ctx, changed)
	}},
}

// withApprovals is a patch of nothing but approvals.
func withApprovals(approvals ...v1alpha1.Approval) map[string]any {
	return map[string]any{"spec": map[string]any{"approvals": approvals}}
}

// write is the entry written in the way that comes first.
func (s *scene) write(ctx context.Context, by person, changes ...func(*v1alpha1.Approval)) error {
	GinkgoHelper()
	return ways[0].add(ctx, by, s.fresh(ctx), s.entry(ctx, by, changes...))
}

const (
	notLetIn = "admission did not let it in as it stands"
	anew     = "the approver has to give it anew, by kubectl approve"
)

// uncounted is an entry that the operator lists as one that does not count. Once
// it has, it has also seen that nothing comes of it.
func uncounted(says ...string) outcome {
	return without("stored, not counted", func(ctx context.Context, s *scene) {
		GinkgoHelper()
		s.expectUncounted(ctx, says...)
	})
}

func (s *scene) expectUncounted(ctx context.Context, says ...string) {
	GinkgoHelper()
	var now *v1alpha1.AgentAction
	reasons := map[string]string{} // by approver and stage
	Eventually(func(g Gomega) {
		now = s.fresh(ctx)
		g.Expect(now.Status.Approval).NotTo(BeNil())
		for _, listed := range now.Status.Approval.Uncounted {
			reasons[listed.Approver+"/"+listed.Stage] = listed.Reason
		}
		g.Expect(s.added(now)).NotTo(BeEmpty(), "nothing was stored")
		for _, entry := range s.added(now) {
			g.Expect(reasons).To(HaveKey(entry.Approver+"/"+entry.Stage), "it is not listed as one that does not count")
		}
	}).WithContext(ctx).Should(Succeed())
	for _, entry := range s.added(now) {
		for _, words := range append([]string{notLetIn, anew}, says...) {
			Expect(reasons[entry.Approver+"/"+entry.Stage]).To(ContainSubstring(words))
		}
	}
	// It may even be less than before: once the operator has seen that admission
	// is not enforced, what was given before is void too.
	Expect(now.Status.Decision).To(Equal(v1alpha1.DecisionPending))
	Expect(now.Status.Approval.Granted).To(BeNumerically("<=", s.action.Status.Approval.Granted))
	Expect(now.Status.Approval.StageIndex).To(BeNumerically("<=", s.action.Status.Approval.StageIndex))
}

// added are the verdicts that the attacker has added.
func (s *scene) added(now *v1alpha1.AgentAction) []v1alpha1.Approval {
	return now.Spec.Approvals[len(s.action.Spec.Approvals):]
}
