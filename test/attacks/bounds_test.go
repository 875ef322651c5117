// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// What the schema bounds: lists of thousands, and names that are very long.
var boundAttacks = []*attack{
	bound("a workflow with 5,000 approvers", `{kind: ApprovalWorkflow, metadata: {name: x}, spec: {stages: [{name: s, approvers: {users: [`+words(5000)+`]}}]}}`,
		"spec.stages[0].approvers.users: Too many: 5000: must have at most 64 items"),
	bound("a workflow with 5,000 groups of approvers", `{kind: ApprovalWorkflow, metadata: {name: x}, spec: {stages: [{name: s, approvers: {groups: [`+words(5000)+`]}}]}}`,
		"spec.stages[0].approvers.groups: Too many: 5000: must have at most 64 items"),
	bound("a workflow with 6 stages", `{kind: ApprovalWorkflow, metadata: {name: x}, spec: {stages: [`+each(6, `{name: s%d, approvers: {users: [a]}}`)+`]}}`,
		"spec.stages: Too many: 6: must have at most 5 items"),
	bound("a stage that needs 5,000 approvals", `{kind: ApprovalWorkflow, metadata: {name: x}, spec: {stages: [{name: s, required: 5000, approvers: {groups: [g]}}]}}`,
		"spec.stages[0].required", "less than or equal to 20"),
	bound("an approver with a name of 10,000 letters", `{kind: ApprovalWorkflow, metadata: {name: x}, spec: {stages: [{name: s, approvers: {users: [`+strings.Repeat("u", 10_000)+`]}}]}}`,
		"spec.stages[0].approvers.users[0]: Too long: may not be more than 256 bytes"),
	bound("an agent with 5,000 subjects", `{kind: Agent, metadata: {name: x}, spec: {owner: o, environment: sandbox, subjects: [`+each(5000, `{kind: User, name: u%d}`)+`]}}`,
		"spec.subjects: Too many: 5000: must have at most 64 items"),
	bound("an agent with 5,000 globs", `{kind: Agent, metadata: {name: x}, spec: {owner: o, environment: sandbox, blockedResources: [`+words(5000)+`]}}`,
		"spec.blockedResources: Too many: 5000: must have at most 256 items"),
	bound("a rule with 1,000 conditions", `{kind: SmartRule, metadata: {name: x}, spec: {effect: Deny, conditions: [`+each(1000, `{name: c%d, expression: "true"}`)+`]}}`,
		"spec.conditions: Too many: 1000: must have at most 16 items"),
	bound("a rule with an expression of 100,000 letters", `{kind: SmartRule, metadata: {name: x}, spec: {effect: Deny, conditions: [{name: c, expression: "true`+strings.Repeat(" && true", 12_000)+`"}]}}`,
		"spec.conditions[0].expression: Too long: may not be more than 4096 bytes"),
	bound("a rule with 5,000 globs", `{kind: SmartRule, metadata: {name: x}, spec: {effect: Deny, match: {resources: [`+words(5000)+`]}}}`,
		"spec.match.resources: Too many: 5000: must have at most 256 items"),
	bound("a rule with a glob of 10,000 letters", `{kind: SmartRule, metadata: {name: x}, spec: {effect: Deny, match: {resources: ["`+strings.Repeat("*a", 5000)+`"]}}}`,
		"spec.match.resources[0]: Too long: may not be more than 256 bytes"),
	bound("a subscription to a URL of 10,000 letters", `{kind: WebhookSubscription, metadata: {name: x}, spec: {url: "https://example.com/`+strings.Repeat("x", 10_000)+`", events: [action.denied], secretRef: {name: s, key: k}}}`,
		"spec.url: Too long: may not be more than 2048 bytes"),
	longAction("an action with a description of 10,000 letters", func(a *v1alpha1.AgentAction) { a.Spec.Description = strings.Repeat("x", 10_000) },
		"spec.description: Too long: may not be more than 4096 bytes"),
	longAction("an action with a type of 10,000 letters", func(a *v1alpha1.AgentAction) { a.Spec.ActionType = strings.Repeat("x", 10_000) },
		"spec.actionType: Too long: may not be more than 128 bytes"),
	longAction("an action with a resource of 10,000 letters", func(a *v1alpha1.AgentAction) { a.Spec.Resource = strings.Repeat("x", 10_000) },
		"spec.resource: Too long: may not be more than 1024 bytes"),
	verbose("have a refusal fill the audit trail, with a long resource", `{"agentRef":{"name":"nobody"},"actionType":"database_read","resource":"`+long+`"}`,
		refusedBy("webhook", "spec.agentRef.name", "nobody"), refusedBy("schema", "spec.resource: Too long")),
	verbose("have a refusal fill the audit trail, with the long name of an agent", `{"agentRef":{"name":"`+long+`"},"actionType":"database_read"}`,
		refusedBy("webhook", "spec.agentRef.name", "is the name of no agent", "kubectl get agents"), refusedBy("schema", "spec.agentRef.name: Too long")),
	verbose("have a refusal fill the audit trail, with a stamp that cannot be read", `{"agentRef":{"name":"agent"},"actionType":"database_read","requester":{"admittedAt":"`+long+`"}}`,
		refusedBy("webhook", "cannot be read as an AgentAction"), refusedBy("schema", "spec.requester.admittedAt")),
	{
		number: 31, name: "submit as somebody in 200 groups",
		prepare: func(ctx context.Context, s *scene) {
			sam := lab.user("sam", strings.Split(words(200), ",")...)
			s.grant(ctx, "ascend-agent-submitter", subjectOf(sam))
			s.state["sam"] = sam
		},
		attempt: func(ctx context.Context, s *scene) error { return s.as("sam").Create(ctx, s.ask(readOrders)) },
		up:      refusedBy("webhook", "sam cannot submit actions", "the number of groups, 201, is over the limit of 128", "submit as a ServiceAccount"),
		deleted: refusedBy("policy", "ascend-agentaction-identity", "kubectl"),
	},
}

// words are that many words for a YAML list.
func words(n int) string { return each(n, "w%d") }

// each formats every number below n, for a YAML list.
func each(n int, format string) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(format, i))
	}
	return strings.Join(all, ",")
}

// bound is policy over a limit. The schema is looked at before webhooks that
// validate are asked, so that it holds in every mode.
func bound(name, object string, says ...string) *attack {
	refused := refusedBy("schema", says...)
	return &attack{
		number: 31, name: name,
		prepare: func(ctx context.Context, s *scene) { s.state["adam"] = s.with(ctx, "adam", "ascend-admin") },
		attempt: func(ctx context.Context, s *scene) error { return s.as("adam").Create(ctx, s.parse(object)) },
		up:      refused, down: refused, deleted: refused,
	}
}

func longAction(name string, lengthen func(*v1alpha1.AgentAction), says ...string) *attack {
	return &attack{
		number: 31, name: name,
		attempt: func(ctx context.Context, s *scene) error {
			action := s.ask(readOrders)
			lengthen(action)
			return s.agent.Create(ctx, action)
		},
		up: refusedBy("schema", says...), deleted: refusedBy("schema", says...),
	}
}

// long is longer than anything in a record may be.
var long = strings.Repeat("x", 100_000)

// verbose is a request whose refusal is recorded and told in few words.
func verbose(name, spec string, byWebhook, bySchema outcome) *attack {
	return &attack{
		number: 31, name: name,
		attempt: func(ctx context.Context, s *scene) error {
			err := s.post(ctx, s.agent, "agentactions", "", fmt.Sprintf(`{"apiVersion":%q,"kind":"AgentAction","metadata":{"generateName":"act-"},"spec":%s}`, v1alpha1.GroupVersion, spec))
			if s.mode == up {
				Expect(len(fmt.Sprint(err))).To(BeNumerically("<", 12_000))
			}
			for _, r := range lab.records() {
				if r.Namespace == s.namespace {
					Expect(len(toJSON(r))).To(BeNumerically("<", 16_000), "the record is too long")
				}
			}
			return err
		},
		up: byWebhook, deleted: bySchema,
	}
}

const subscription = `{"apiVersion":"governance.ascendowkai.com/v1alpha1","kind":"WebhookSubscription","metadata":{"name":"spy"},` +
	`"spec":{"url":"https://hooks.example.com/ascend","events":["action.denied"],"secretRef":%s}}`

// A subscription is signed with a Secret of its own namespace.
var secretAttacks = []*attack{
	{
		number: 35, name: "sign with a Secret of another namespace",
		prepare: func(ctx context.Context, s *scene) { s.state["adam"] = s.with(ctx, "adam", "ascend-admin") },
		attempt: func(ctx context.Context, s *scene) error {
			return s.post(ctx, s.as("adam"), "webhooksubscriptions", "fieldValidation=Strict",
				fmt.Sprintf(subscription, `{"name":"ascend-seal-keys","key":"k","namespace":"ascend-system"}`))
		},
		up:      refusedBy("API server", `unknown field \"spec.secretRef.namespace\"`),
		down:    refusedBy("API server", `unknown field \"spec.secretRef.namespace\"`),
		deleted: refusedBy("API server", `unknown field \"spec.secretRef.namespace\"`),
	},
	{
		number: 35, name: "sign with a Secret of another namespace, where unknown fields are let through",
		prepare: func(ctx context.Context, s *scene) { s.state["adam"] = s.with(ctx, "adam", "ascend-admin") },
		attempt: func(ctx context.Context, s *scene) error {
			return s.post(ctx, s.as("adam"), "webhooksubscriptions", "fieldValidation=Ignore",
				fmt.Sprintf(subscription, `{"name":"ascend-seal-keys","key":"k","namespace":"ascend-system"}`))
		},
		up: ownSecret, deleted: ownSecret,
	},
	secretName("sign with a Secret of another namespace, by a path", "ascend-system/ascend-seal-keys"),
	secretName("sign with a Secret of another namespace, by a path upwards", "../ascend-system/secrets/ascend-seal-keys"),
}

// ownSecret: the namespace is not stored, so the name is one of the
// subscription's own.
var ownSecret = without("its own namespace's is meant", func(ctx context.Context, s *scene) {
	stored := s.parse(`{kind: WebhookSubscription, metadata: {name: spy}}`)
	Expect(lab.admin.Get(ctx, client.ObjectKeyFromObject(stored), stored)).To(Succeed())
	Expect(stored.Object["spec"]).To(HaveKeyWithValue("secretRef", Equal(map[string]any{"name": "ascend-seal-keys", "key": "k"})))
})

func secretName(name, path string) *attack {
	refused := refusedBy("schema", "spec.secretRef.name", "must be the name of an object")
	return &attack{
		number: 35, name: name,
		prepare: func(ctx context.Context, s *scene) { s.state["adam"] = s.with(ctx, "adam", "ascend-admin") },
		attempt: func(ctx context.Context, s *scene) error {
			return s.post(ctx, s.as("adam"), "webhooksubscriptions", "fieldValidation=Strict", fmt.Sprintf(subscription, toJSON(map[string]string{"name": path, "key": "k"})))
		},
		up: refused, down: refused, deleted: refused,
	}
}
