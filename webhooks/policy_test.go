// SPDX-License-Identifier: Apache-2.0

package webhooks_test

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// everything is what the author of policy may do.
var everything = []string{"create", "update", "patch", "delete", "get", "list"}

// policyKinds are the resources that authors write; a RiskModel is of the cluster.
var policyKinds = []string{"smartrules", "approvalworkflows", "agents", "webhooksubscriptions"}

// document is an object as somebody writes it.
func document(kind, namespace, name, spec string) *unstructured.Unstructured {
	GinkgoHelper()
	object := &unstructured.Unstructured{}
	Expect(yaml.Unmarshal([]byte("spec: "+spec), &object.Object)).To(Succeed())
	object.SetAPIVersion(v1alpha1.GroupVersion.String())
	object.SetKind(kind)
	object.SetNamespace(namespace)
	object.SetName(name)
	return object
}

// absent says that nothing of that name was stored.
func absent(ctx context.Context, object *unstructured.Unstructured) {
	GinkgoHelper()
	stored := object.DeepCopy()
	err := api.Get(ctx, client.ObjectKeyFromObject(object), stored)
	Expect(apierrors.IsNotFound(err)).To(BeTrue(), "stored: %v, %v", stored.Object, err)
}

var _ = Describe("Policy", func() {
	var (
		namespace string
		author    *person
	)

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		author = as("author-of-" + namespace)
		grant(ctx, namespace, author.name, everything, policyKinds...)
		grant(ctx, namespace, author.name, []string{"list"}, "agentactions") // which subscriptions tell of
	})

	DescribeTable("that could not work is refused", func(ctx SpecContext, kind, spec, message string) {
		object := document(kind, namespace, "mine", spec)
		message = strings.ReplaceAll(message, "NAMESPACE", namespace)

		By("telling whoever only tries, without a record")
		err := author.Create(ctx, object.DeepCopy(), client.DryRunAll)
		Expect(err).To(MatchError(ContainSubstring(message)))
		Expect(records.of(namespace)).To(BeEmpty())

		By("telling whoever means it")
		err = author.Create(ctx, object)
		Expect(err).To(MatchError(ContainSubstring(message)))
		Expect(apierrors.IsInvalid(err)).To(BeTrue(), "%v", err)
		Expect(err).To(MatchError(HavePrefix("admission webhook \"" + strings.ToLower(kind) + "s.governance.ascendowkai.com\" denied the request: " +
			kind + ".governance.ascendowkai.com \"mine\" is invalid: spec.")))
		absent(ctx, object)
		Expect(records.of(namespace)).To(HaveExactElements(And(
			HaveField("Event", audit.EventRefused), HaveField("Actor", author.name), HaveField("Kind", kind),
			HaveField("Name", "mine"), HaveField("Reason", "InvalidPolicy"), HaveField("Message", ContainSubstring(message)),
		)))
	},
		Entry("a rule with a name that is not there", "SmartRule", `{effect: Deny, conditions: [{name: a, expression: "action.tpye == 'x'"}]}`,
			"spec.conditions[0].expression: Invalid value: line 1, column 7: undefined field 'tpye'; action has namespace, name"),
		Entry("a rule of unlimited cost", "SmartRule", `{effect: Deny, conditions: [{name: a, expression: "action.parameters.a.all(x, action.parameters.b.all(y, action.parameters.c.all(z, action.parameters.d.all(w, x + y + z + w != ''))))"}]}`,
			"units on a large request, the limit is"),
		Entry("a rule with a regular expression out of a parameter", "SmartRule", `{effect: Deny, conditions: [{name: a, expression: "action.type.matches(action.parameters.p)"}]}`,
			"must be a literal text"),
		Entry("a subscription to the metadata service", "WebhookSubscription", `{url: "https://169.254.169.254/latest", events: [action.approved], secretRef: {name: s, key: k}}`,
			"spec.url: Invalid value: names a link-local address, where metadata services are"),
		Entry("a subscription to another namespace's Service", "WebhookSubscription", `{url: "http://hook.other.svc/", events: [action.approved], secretRef: {name: s, key: k}}`,
			"http:// is only for a Service of the subscription's own namespace, such as http://NAME.NAMESPACE.svc/"),
		Entry("a subscription to the API server", "WebhookSubscription", `{url: "https://kubernetes.default.svc/", events: [action.approved], secretRef: {name: s, key: k}}`,
			"names the API server"),
		Entry("a workflow for agents that cannot be read", "ApprovalWorkflow", `{autoApprove: true, selector: {agents: {selector: {matchExpressions: [{key: team, operator: Odd}]}}}}`,
			`spec.selector.agents.selector: Invalid value: "": "Odd" is not a valid label selector operator`),
	)

	DescribeTable("that will surprise is let through with a warning", func(ctx SpecContext, kind, spec, warning string) {
		object := document(kind, namespace, "mine", spec)
		Expect(author.Create(ctx, object)).To(Succeed())
		Expect(author.warnings()).To(HaveExactElements(ContainSubstring(strings.ReplaceAll(warning, "NAMESPACE", namespace))))
		Expect(records.of(namespace)).To(BeEmpty())
		Expect(records.policy(namespace)).To(HaveExactElements(And(
			HaveField("Event", audit.EventPolicyCreated), HaveField("Actor", author.name), HaveField("Kind", kind), HaveField("Name", "mine"),
			HaveField("UID", string(object.GetUID())), HaveField("SpecDigest", HavePrefix("sha256:")))))
	},
		Entry("a rule whose workflow is missing", "SmartRule", `{effect: RequireApproval, workflowRef: {name: later}}`,
			"spec.workflowRef: there is no ApprovalWorkflow later in namespace NAMESPACE or ascend-system; until there is, one person who holds the verb approve"),
		Entry("a rule that never matches", "SmartRule", `{effect: Deny, match: {actionTypes: ["db read"]}}`, `"db read" can never match`),
		Entry("a workflow that nobody can pass", "ApprovalWorkflow", `{stages: [{name: a, approvers: {users: [alice]}}, {name: b, approvers: {users: [alice]}}]}`,
			"nobody can pass stages a, b together"),
		Entry("an agent without subjects", "Agent", `{owner: alice}`, "nobody can submit actions in the name of this agent"),
		Entry("a subscription for no agent", "WebhookSubscription", `{url: "https://hooks.example.com/", agentRef: {name: later}, events: [action.approved], secretRef: {name: s, key: k}}`,
			"there is no Agent later in namespace NAMESPACE"),
	)

	It("warns of no workflow that was written a moment before", func(ctx SpecContext) {
		Expect(author.Create(ctx, document("ApprovalWorkflow", namespace, "managers", `{stages: [{name: a, approvers: {groups: [managers]}}]}`))).To(Succeed())
		Expect(author.Create(ctx, document("SmartRule", namespace, "mine", `{effect: RequireApproval, workflowRef: {name: managers}}`))).To(Succeed())
		Expect(author.warnings()).To(BeEmpty())
	})

	It("warns of a rule that another shadows", func(ctx SpecContext) {
		Expect(author.Create(ctx, document("SmartRule", namespace, "all", `{effect: Deny, match: {actionTypes: ["db_*"]}}`))).To(Succeed())
		Eventually(func() int { return store.Snapshot().Namespace(namespace).Rules.Len() }).Should(Equal(1))
		Expect(author.Create(ctx, document("SmartRule", namespace, "one", `{effect: Allow, match: {actionTypes: [db_read]}}`))).To(Succeed())
		Expect(author.warnings()).To(ConsistOf("spec.match: SmartRule " + namespace + "/all denies all that this rule covers, so this rule never decides"))
	})

	It("refuses a change to what could not work, and leaves what was there", func(ctx SpecContext) {
		rule := document("SmartRule", namespace, "mine", `{effect: Deny}`)
		Expect(author.Create(ctx, rule)).To(Succeed())
		err := author.Patch(ctx, rule.DeepCopy(), client.RawPatch("application/merge-patch+json",
			[]byte(`{"spec":{"conditions":[{"name":"a","expression":"1 +"}]}}`)))
		Expect(err).To(MatchError(ContainSubstring("spec.conditions[0].expression: Invalid value: line 1, column 4")))
		stored := rule.DeepCopy()
		Expect(api.Get(ctx, client.ObjectKeyFromObject(rule), stored)).To(Succeed())
		Expect(stored.GetResourceVersion()).To(Equal(rule.GetResourceVersion()))
		Expect(records.of(namespace)).To(HaveLen(1))
	})

	It("lets what a name was generated for be refused under that name", func(ctx SpecContext) {
		rule := document("SmartRule", namespace, "", `{effect: Deny, conditions: [{name: a, expression: "("}]}`)
		rule.SetGenerateName("mine-")
		Expect(author.Create(ctx, rule)).To(MatchError(ContainSubstring(`SmartRule.governance.ascendowkai.com "mine-`)))
		Expect(records.of(namespace)).To(HaveExactElements(HaveField("Name", HavePrefix("mine-"))))
	})

	It("names no Secret of another namespace", func(ctx SpecContext) {
		object := document("WebhookSubscription", namespace, "mine",
			`{url: "https://hooks.example.com/", events: [action.approved], secretRef: {name: s, key: k, namespace: kube-system}}`)
		Expect(author.Create(ctx, object)).To(MatchError(ContainSubstring(`unknown field "spec.secretRef.namespace"`)))
		absent(ctx, object)
	})

	It("is written by nobody without the right to", func(ctx SpecContext) {
		object := document("SmartRule", namespace, "mine", `{effect: Deny}`)
		Expect(apierrors.IsForbidden(as("somebody").Create(ctx, object))).To(BeTrue())
		absent(ctx, object)
	})
})

var _ = Describe("Policy that was stored while nobody looked", func() {
	It("can be labelled, and goes with its finalizers", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		author := as("author-of-" + namespace)
		grant(ctx, namespace, author.name, everything, "smartrules")
		rule := document("SmartRule", namespace, "mine", `{effect: Deny, conditions: [{name: a, expression: "("}]}`)
		rule.SetFinalizers([]string{"example.com/wait"})
		unguarded(ctx, func() { Expect(author.Create(ctx, rule)).To(Succeed()) })

		By("labels")
		rule.SetLabels(map[string]string{"team": "data"})
		Expect(author.Update(ctx, rule)).To(Succeed())
		By("another mistake in place of the one that is there")
		worse := rule.DeepCopy()
		Expect(unstructured.SetNestedField(worse.Object, "Allow", "spec", "effect")).To(Succeed())
		Expect(author.Update(ctx, worse)).To(MatchError(ContainSubstring("spec.conditions[0].expression")))
		By("deletion")
		Expect(author.Delete(ctx, rule)).To(Succeed())
		Expect(author.Get(ctx, client.ObjectKeyFromObject(rule), rule)).To(Succeed())
		controllerutil.RemoveFinalizer(rule, "example.com/wait")
		Expect(author.Update(ctx, rule)).To(Succeed())
		absent(ctx, rule)
	})
}, Serial)

var _ = Describe("A RiskModel", func() {
	It("is refused where a vector cannot be read", func(ctx SpecContext) {
		model := document("RiskModel", "", "default", `{actionTypes: [{pattern: a, cvssVector: "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:X"}]}`)
		before := len(records.of(""))
		Expect(api.Create(ctx, model)).To(MatchError(ContainSubstring("spec.actionTypes[0].cvssVector: Invalid value")))
		absent(ctx, model)
		Expect(records.of("")[before:]).To(HaveExactElements(And(HaveField("Kind", "RiskModel"), HaveField("Name", "default"))))
	})

	It("is let through with a warning where nobody would use it", func(ctx SpecContext) {
		admin := as("admin", "system:masters")
		model := document("RiskModel", "", "mine", `{}`)
		Expect(admin.Create(ctx, model)).To(Succeed())
		Expect(admin.warnings()).To(ConsistOf(ContainSubstring("only the RiskModel named default is used")))
	})
})
