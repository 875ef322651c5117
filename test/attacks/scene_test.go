// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// scene is a team's namespace: an agent with its ServiceAccount, which may
// submit; two approvers of the group "security"; and what an attack is about.
type scene struct {
	namespace string
	mode      mode
	// agent is the ServiceAccount "bot", the subject of the Agent "agent".
	agent person
	// alice and bob are approvers. mallory may patch actions as they may, and
	// approve on the workflow, but is in no stage.
	alice, bob, mallory person
	// action waits for two of the group security.
	action *v1alpha1.AgentAction
	// state is what prepare leaves for attempt.
	state map[string]any
	// intact says that the last attempt was refused and has changed nothing of
	// what is guarded.
	intact bool

	objects []*unstructured.Unstructured
}

// Two approvals by the group security, whatever the risk. The starter policy's
// own workflows come before it: ascend-approvers agree to what is High.
const teamPolicy = `
kind: Agent
metadata: {name: agent}
spec:
  environment: sandbox
  owner: olga
  subjects:
  - {kind: ServiceAccount, name: bot}
  - {kind: User, name: sam}
  - {kind: Group, name: bot-makers}
---
kind: ApprovalWorkflow
metadata: {name: people}
spec:
  selector: {riskLevels: [Low, Medium, High, Critical]}
  stages:
  - {name: review, required: 2, approvers: {groups: [security]}}
  emergencyOverride: {approvers: {groups: [emergency]}, required: 2}
`

// readOrders is Medium: the starter policy approves it by itself, so that the
// team's workflow alone is waited for.
const readOrders = `{actionType: database_read, resource: orders, parameters: {table: orders, data_classification: internal}}`

func newScene(ctx context.Context, a *attack, m mode) *scene {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: fmt.Sprintf("attack-%d-%s-", a.number, m)}}
	Expect(lab.admin.Create(ctx, namespace)).To(Succeed())
	s := &scene{namespace: namespace.Name, mode: m, state: map[string]any{}}
	s.agent = lab.serviceAccount(ctx, s.namespace, "bot")
	s.alice, s.bob = lab.user("alice", "security"), lab.user("bob", "security")
	s.mallory = lab.user("mallory", "nobodies")
	s.grant(ctx, "ascend-agent-submitter", rbacv1.Subject{Kind: "ServiceAccount", Namespace: s.namespace, Name: "bot"})
	s.grant(ctx, "ascend-approver",
		rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: "Group", Name: "security"},
		rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: "User", Name: "mallory"})
	s.apply(ctx, teamPolicy)
	s.awaitRight(ctx, s.agent, "agentactions", "create")
	s.awaitRight(ctx, s.alice, "agentactions", "patch")
	s.awaitRight(ctx, s.mallory, "agentactions", "patch")
	return s
}

// grant binds a ClusterRole within the namespace.
func (s *scene) grant(ctx context.Context, role string, subjects ...rbacv1.Subject) {
	GinkgoHelper()
	Expect(lab.admin.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, GenerateName: role + "-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   subjects,
	})).To(Succeed())
}

// apply creates objects as the administrator and waits until the operator has
// seen each.
func (s *scene) apply(ctx context.Context, documents string) {
	GinkgoHelper()
	for document := range strings.SplitSeq(documents, "\n---\n") {
		object := s.parse(document)
		Expect(lab.admin.Create(ctx, object, client.FieldValidation(metav1.FieldValidationStrict))).To(Succeed())
		Eventually(func(g Gomega) {
			g.Expect(lab.admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
			observed, _, _ := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
			g.Expect(observed).To(Equal(object.GetGeneration()))
		}).WithContext(ctx).Should(Succeed())
	}
}

func (s *scene) parse(document string) *unstructured.Unstructured {
	GinkgoHelper()
	object := &unstructured.Unstructured{}
	Expect(yaml.Unmarshal([]byte(document), &object.Object)).To(Succeed(), document)
	object.SetAPIVersion(v1alpha1.GroupVersion.String())
	if object.GetNamespace() == "" {
		object.SetNamespace(s.namespace)
	}
	return object
}

// ask is an action of the agent with that spec, not yet submitted.
func (s *scene) ask(spec string) *v1alpha1.AgentAction {
	GinkgoHelper()
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, GenerateName: "act-"}}
	action.Spec.AgentRef.Name = "agent"
	Expect(yaml.UnmarshalStrict([]byte(spec), &action.Spec)).To(Succeed(), spec)
	return action
}

// submit asks as the agent, and waits for the decision.
func (s *scene) submit(ctx context.Context, spec string, decision v1alpha1.Decision) *v1alpha1.AgentAction {
	GinkgoHelper()
	action := s.ask(spec)
	Expect(s.agent.Create(ctx, action)).To(Succeed())
	return s.awaitDecision(ctx, action, decision)
}

// pending has an action wait for two of security, guarded.
func (s *scene) pending(ctx context.Context) {
	GinkgoHelper()
	s.action = s.submit(ctx, readOrders, v1alpha1.DecisionPending)
	s.guard(s.action)
}

func (s *scene) awaitDecision(ctx context.Context, action *v1alpha1.AgentAction, decision v1alpha1.Decision) *v1alpha1.AgentAction {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(lab.admin.Get(ctx, client.ObjectKeyFromObject(action), action)).To(Succeed())
		g.Expect(action.Status.Decision).To(Equal(decision), action.Status.Message)
	}).WithContext(ctx).Should(Succeed())
	return action
}

// fresh reads the action anew.
func (s *scene) fresh(ctx context.Context) *v1alpha1.AgentAction {
	GinkgoHelper()
	action := &v1alpha1.AgentAction{}
	Expect(lab.admin.Get(ctx, client.ObjectKeyFromObject(s.action), action)).To(Succeed())
	return action
}

// approve is the simplest way to approve: all that a human writes.
func approve(ctx context.Context, by person, action *v1alpha1.AgentAction) error {
	return jsonPatch(ctx, by, action, fmt.Sprintf(`[{"op":"add","path":"/spec/approvals%s","value":%s}]`, end(action), list(action, `{"verdict":"Approve"}`)))
}

// end is the place after the last approval; list is an entry as what has to be put there.
func end(action *v1alpha1.AgentAction) string {
	if len(action.Spec.Approvals) == 0 {
		return ""
	}
	return "/-"
}

func list(action *v1alpha1.AgentAction, entry string) string {
	if len(action.Spec.Approvals) == 0 {
		return "[" + entry + "]"
	}
	return entry
}

func jsonPatch(ctx context.Context, by person, object client.Object, patch string) error {
	return by.Patch(ctx, copyOf(object), client.RawPatch(types.JSONPatchType, []byte(patch)))
}

func mergePatch(ctx context.Context, by person, object client.Object, patch string) error {
	merge, err := yaml.YAMLToJSON([]byte(patch))
	Expect(err).NotTo(HaveOccurred())
	return by.Patch(ctx, copyOf(object), client.RawPatch(types.MergePatchType, merge))
}

// applyPatch is a server-side apply of what the YAML says, under a field manager.
func applyPatch(ctx context.Context, by person, manager string, object client.Object, document string) error {
	applied := map[string]any{}
	Expect(yaml.Unmarshal([]byte(document), &applied)).To(Succeed())
	applied["apiVersion"], applied["kind"] = v1alpha1.GroupVersion.String(), "AgentAction"
	applied["metadata"] = map[string]any{"name": object.GetName(), "namespace": object.GetNamespace()}
	text, err := json.Marshal(applied)
	Expect(err).NotTo(HaveOccurred())
	return by.Patch(ctx, copyOf(object), client.RawPatch(types.ApplyPatchType, text), client.FieldOwner(manager), client.ForceOwnership)
}

// copyOf keeps the answer out of what the test holds.
func copyOf(object client.Object) client.Object {
	GinkgoHelper()
	copied, isObject := object.DeepCopyObject().(client.Object)
	Expect(isObject).To(BeTrue())
	return copied
}

// mustApprove has people approve, one after the other.
func mustApprove(ctx context.Context, s *scene, people ...person) {
	GinkgoHelper()
	for _, p := range people {
		Expect(approve(ctx, p, s.fresh(ctx))).To(Succeed(), p.name)
	}
}
