// SPDX-License-Identifier: Apache-2.0

package admissionpolicy_test

import (
	"context"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// What config/samples/tutorial-access.yaml lets the tutorial's agent do with
// configure_webhook, and what an agent that has been taken over makes of it.
var _ = Describe("The agent that configures its webhook", Ordered, func() {
	const name = "tutorial-agent-webhook"
	agent := person{
		name:   "system:serviceaccount:default:tutorial-agent",
		groups: []string{"system:serviceaccounts", "system:serviceaccounts:default"},
	}
	operator := person{name: "system:serviceaccount:ascend-system:ascend-controller-manager"}
	apply := func(ctx context.Context, o *unstructured.Unstructured) error {
		return agent.client().Apply(ctx, client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("ascend-sdk"), client.ForceOwnership)
	}
	secret := func(name string) *unstructured.Unstructured {
		o := object("v1", "Secret", "default", name)
		o.Object["stringData"] = map[string]any{"secret": "your_webhook_secret"}
		return o
	}
	subscription := func(name string) *unstructured.Unstructured {
		o := object(v1alpha1.GroupVersion.String(), "WebhookSubscription", "default", name)
		o.Object["spec"] = map[string]any{
			"agentRef": map[string]any{"name": "tutorial-agent"}, "url": "https://your-app.com/webhooks/ascend",
			"events": []any{"action.approved", "action.denied"}, "secretRef": map[string]any{"name": name, "key": "secret"},
		}
		return o
	}
	forbidden := MatchError(ContainSubstring(" cannot "))

	BeforeAll(func(ctx SpecContext) {
		text, err := os.ReadFile(filepath.Join(root, "config", "samples", "tutorial-access.yaml"))
		Expect(err).NotTo(HaveOccurred())
		for _, o := range documents(string(text)) {
			Expect(admin.Create(ctx, o)).To(Succeed(), "%s %s", o.GetKind(), o.GetName())
		}
		Expect(admin.Create(ctx, secret("of-somebody-else"))).To(Succeed())
		// What was granted last is in force last.
		Eventually(func() error {
			return operator.client().Get(ctx, client.ObjectKeyFromObject(secret(name)), secret(name))
		}).WithContext(ctx).Should(Succeed())
	})

	It("applies the Secret and the subscription, again and again", func(ctx SpecContext) {
		for range 2 {
			Expect(apply(ctx, secret(name))).To(Succeed())
			Expect(apply(ctx, subscription(name))).To(Succeed(), "made by server-side apply, as a Role that names it allows")
		}
		Expect(read(ctx, secret(name)).Object["data"]).To(HaveKey("secret"))
		Expect(operator.client().Get(ctx, client.ObjectKeyFromObject(secret(name)), secret(name))).To(Succeed())
	})

	It("makes no other subscription", func(ctx SpecContext) {
		Expect(apply(ctx, subscription("another"))).To(forbidden)
		Expect(agent.client().Create(ctx, subscription("another"))).To(forbidden)
		Expect(agent.client().Delete(ctx, subscription(name))).To(forbidden)
		other := subscription(name)
		other.SetNamespace(teamNamespace)
		Expect(apply(ctx, other)).To(forbidden)
	})

	It("reads and writes no other Secret", func(ctx SpecContext) {
		other := secret("of-somebody-else")
		Expect(agent.client().Get(ctx, client.ObjectKeyFromObject(other), other.DeepCopy())).To(forbidden)
		secrets := &unstructured.UnstructuredList{}
		secrets.SetAPIVersion("v1")
		secrets.SetKind("SecretList")
		Expect(agent.client().List(ctx, secrets, client.InNamespace("default"))).To(forbidden)
		Expect(agent.client().List(ctx, secrets, client.InNamespace("ascend-system"))).To(forbidden)
		Expect(apply(ctx, other)).To(forbidden)
		Expect(apply(ctx, secret("new"))).To(forbidden)
		Expect(agent.client().Create(ctx, secret("new"))).To(forbidden)
		Expect(agent.client().Delete(ctx, other)).To(forbidden)
		Expect(operator.client().Get(ctx, client.ObjectKeyFromObject(other), other.DeepCopy())).To(forbidden, "the operator does not either")
	})

	// Kubernetes fills a Secret of this type with the token of the ServiceAccount
	// that it names.
	It("gets no other ServiceAccount's token", func(ctx SpecContext) {
		token := object("v1", "Secret", "default", name)
		token.SetAnnotations(map[string]string{"kubernetes.io/service-account.name": "default"})
		token.Object["type"] = "kubernetes.io/service-account-token"
		Expect(apply(ctx, token.DeepCopy())).To(MatchError(ContainSubstring("field is immutable")))

		Expect(agent.client().Delete(ctx, secret(name))).To(forbidden)
		Expect(admin.Delete(ctx, secret(name))).To(Succeed())
		Expect(apply(ctx, token.DeepCopy())).To(forbidden, "once an administrator has deleted it")
		Expect(agent.client().Create(ctx, token.DeepCopy())).To(forbidden)

		account := object("v1", "ServiceAccount", "default", "tutorial-agent")
		request := object("authentication.k8s.io/v1", "TokenRequest", "", "")
		Expect(agent.client().SubResource("token").Create(ctx, account, request)).To(forbidden)
	})

	It("approves nothing, and grants itself nothing", func(ctx SpecContext) {
		group := v1alpha1.GroupVersion.Group
		for _, attributes := range []authorizationv1.ResourceAttributes{
			{Verb: "approve", Group: group, Resource: "approvalworkflows"},
			{Verb: "approve", Group: group, Resource: "approvalworkflows", Name: "risk-high", Namespace: "ascend-system"},
			{Verb: "override", Group: group, Resource: "approvalworkflows"},
			{Verb: "patch", Group: group, Resource: "agentactions", Subresource: "status"},
			{Verb: "patch", Group: group, Resource: "webhooksubscriptions", Subresource: "status", Name: name},
			{Verb: "patch", Group: group, Resource: "agents", Name: "tutorial-agent"},
			{Verb: "patch", Group: "rbac.authorization.k8s.io", Resource: "roles", Name: name},
			{Verb: "bind", Group: "rbac.authorization.k8s.io", Resource: "roles"},
			{Verb: "escalate", Group: "rbac.authorization.k8s.io", Resource: "roles"},
			{Verb: "impersonate", Resource: "users"},
		} {
			if attributes.Namespace == "" {
				attributes.Namespace = "default"
			}
			Expect(question{who: agent, attributes: attributes}.ask(ctx)).To(Equal("no"), "%+v", attributes)
		}
	})
})
