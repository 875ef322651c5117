// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"context"
	"encoding/json"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

const apiPath = "/apis/governance.ascendowkai.com/v1alpha1"

// table returns the table that kubectl prints of a path, such as
// namespaces/default/agents.
func table(ctx context.Context, path string) *metav1.Table {
	GinkgoHelper()
	clientset, err := kubernetes.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())
	text, err := clientset.RESTClient().Get().AbsPath(apiPath, path).
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(ctx).Raw()
	Expect(err).NotTo(HaveOccurred())
	result := &metav1.Table{}
	Expect(json.Unmarshal(text, result)).To(Succeed())
	return result
}

// columns returns the names of the columns; the wide ones stand in brackets.
func columns(table *metav1.Table) []string {
	names := make([]string, 0, len(table.ColumnDefinitions))
	for _, column := range table.ColumnDefinitions {
		if column.Priority > 0 {
			names = append(names, "["+column.Name+"]")
		} else {
			names = append(names, column.Name)
		}
	}
	return names
}

// inNamespace returns a client of a new namespace.
func inNamespace(ctx context.Context, name string) client.Client {
	GinkgoHelper()
	unbound, err := client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	Expect(unbound.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
	return client.NewNamespacedClient(unbound, name)
}

var _ = Describe("kubectl", func() {
	DescribeTable("knows the kind by its names, and all of them as `ascend`",
		func(kind, plural, short string, namespaced bool) {
			clientset, err := kubernetes.NewForConfig(config)
			Expect(err).NotTo(HaveOccurred())
			list, err := clientset.Discovery().ServerResourcesForGroupVersion(v1alpha1.GroupVersion.String())
			Expect(err).NotTo(HaveOccurred())
			Expect(list.APIResources).To(ContainElement(And(
				HaveField("Kind", kind), HaveField("Name", plural), HaveField("ShortNames", []string{short}),
				HaveField("Namespaced", namespaced), HaveField("Categories", []string{"ascend"}),
			)))
			Expect(list.APIResources).To(ContainElement(HaveField("Name", plural+"/status")))
		},
		Entry(nil, "Agent", "agents", "asagent", true),
		Entry(nil, "AgentAction", "agentactions", "aact", true),
		Entry(nil, "SmartRule", "smartrules", "srule", true),
		Entry(nil, "ApprovalWorkflow", "approvalworkflows", "aflow", true),
		Entry(nil, "RiskModel", "riskmodels", "riskm", false),
		Entry(nil, "WebhookSubscription", "webhooksubscriptions", "whsub", true),
	)

	DescribeTable("prints the columns",
		func(ctx SpecContext, path string, names ...string) {
			Expect(columns(table(ctx, path))).To(Equal(append([]string{"Name"}, names...)))
		},
		Entry("of agents", "agents", "Type", "Environment", "State", "Pending", "Ready", "[Owner]", "[Max Risk]", "Age"),
		Entry("of actions", "agentactions",
			"Agent", "Type", "Risk", "Score", "Decision", "[Rule]", "[Stage]", "[Requester]", "Age"),
		Entry("of rules", "smartrules", "Effect", "Mode", "Priority", "Ready", "[Display Name]", "[Message]", "Age"),
		Entry("of workflows", "approvalworkflows", "Auto", "First Stage", "Timeout", "Ready", "[Levels]", "Age"),
		Entry("of risk models", "riskmodels", "Ready", "[Message]", "Age"),
		Entry("of subscriptions", "webhooksubscriptions", "URL", "Ready", "Delivered", "Failed", "[Last Error]", "Age"),
	)

	It("prints what an action says about itself", func(ctx SpecContext) {
		stored := example{"AgentAction", `{agentRef: {name: tutorial-agent}, actionType: database_read, requester: {username: bot}}`}.create(ctx)
		Expect(patchStatus(ctx, stored, `{decision: Pending, risk: {score: "5.3", level: Medium},`+
			` decidingRule: {namespace: default, name: pii}, approval: {stage: security}}`)).To(Succeed())
		rows := table(ctx, "namespaces/default/agentactions/"+stored.GetName()).Rows
		Expect(rows).To(HaveLen(1))
		Expect(rows[0].Cells[:9]).To(HaveExactElements(
			stored.GetName(), "tutorial-agent", "database_read", "Medium", "5.3", "Pending", "pii", "security", "bot"))
	})

	It("prints the first stage of a workflow", func(ctx SpecContext) {
		stored := example{"ApprovalWorkflow", `{stages: [{name: a, approvers: {groups: [g]}}, {name: b, approvers: {groups: [g]}}]}`}.create(ctx)
		rows := table(ctx, "namespaces/default/approvalworkflows/"+stored.GetName()).Rows
		Expect(rows[0].Cells[1:4]).To(HaveExactElements(false, "a", "24h"))
	})
})

var _ = Describe("A field selector over actions", Ordered, func() {
	var namespaced client.Client

	BeforeAll(func(ctx SpecContext) {
		namespaced = inNamespace(ctx, "selectors")
		for name, status := range map[string]string{
			"new":      ``,
			"empty":    `{observedGeneration: 1}`,
			"pending":  `{decision: Pending, risk: {score: "7.2", level: High}}`,
			"approved": `{decision: Approved, risk: {score: "2.1", level: Low}}`,
			"denied":   `{decision: Denied}`,
		} {
			object := action.with(`{agentRef: {name: agent-of-` + name + `}}`)
			object.SetName(name)
			Expect(namespaced.Create(ctx, object)).To(Succeed())
			if status != "" {
				Expect(namespaced.Status().Patch(ctx, object, mergePatch(`status: `+status))).To(Succeed())
			}
		}
	})

	DescribeTable("finds",
		func(ctx SpecContext, selector string, names ...string) {
			parsed, err := fields.ParseSelector(selector)
			Expect(err).NotTo(HaveOccurred())
			list := &unstructured.UnstructuredList{}
			list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("AgentActionList"))
			Expect(namespaced.List(ctx, list, client.MatchingFieldsSelector{Selector: parsed})).To(Succeed())
			found := make([]string, len(list.Items))
			for i := range list.Items {
				found[i] = list.Items[i].GetName()
			}
			Expect(found).To(ConsistOf(names))
		},
		Entry("a decision", `status.decision=Pending`, "pending"),
		Entry("what is not evaluated yet", `status.decision=`, "new", "empty"),
		Entry("what is undecided, which is what the operator watches",
			`status.decision!=Approved,status.decision!=Denied,status.decision!=TimedOut,status.decision!=Cancelled`,
			"new", "empty", "pending"),
		Entry("what is evaluated", `status.decision!=`, "pending", "approved", "denied"),
		Entry("an agent", `spec.agentRef.name=agent-of-denied`, "denied"),
		Entry("a risk level", `status.risk.level=High`, "pending"),
		Entry("two at once", `status.decision!=,status.risk.level=`, "denied"),
	)

	It("is refused over any other field", func(ctx SpecContext) {
		list := &v1alpha1.AgentActionList{}
		Expect(namespaced.List(ctx, list, client.MatchingFields{"spec.actionType": "x"})).
			To(MatchError(ContainSubstring(`field label not supported: spec.actionType`)))
	})
})
