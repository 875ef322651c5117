// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// What is not part of the request and rules read all the same: labels and
// annotations are the requester's while the action waits.
var labelAttacks = []*attack{
	relabel("take a decided action's label off, which a rule denied", frozenAction, func(s *scene) person { return s.agent },
		`metadata: {labels: {freeze: null}}`, decidedLabels),
	relabel("take a decided action's annotation off, which a rule denied", frozenAction, func(s *scene) person { return s.agent },
		`metadata: {annotations: {thaw: null}}`, decidedLabels),
	relabel("label a decided action as an approver", frozenAction, func(s *scene) person { return s.alice },
		`metadata: {labels: {freeze: "false"}}`, decidedLabels),
	relabel("label a waiting action as an approver", waits, func(s *scene) person { return s.alice },
		`metadata: {labels: {freeze: "false"}}`, "alice", "while it waits, for rules read them", "kubectl approve"),
	relabel("annotate a waiting action as an approver", waits, func(s *scene) person { return s.mallory },
		`metadata: {annotations: {thaw: "true"}}`, "mallory", "while it waits, for rules read them", "kubectl approve"),
	{
		number: 17, name: "take a waiting action's label off, which a rule reads",
		prepare: func(ctx context.Context, s *scene) {
			s.apply(ctx, notedRule)
			s.action = s.ask(readOrders)
			s.action.Labels = map[string]string{"noted": "true"}
			Expect(s.agent.Create(ctx, s.action)).To(Succeed())
			s.awaitDecision(ctx, s.action, v1alpha1.DecisionPending)
			Expect(s.action.Status.MatchedRules).To(ContainElement(HaveField("Name", BeEquivalentTo("noted"))))
		},
		attempt: func(ctx context.Context, s *scene) error {
			return mergePatch(ctx, s.agent, s.action, `metadata: {labels: {noted: null}}`)
		},
		up: relabelled, deleted: relabelled,
	},
}

const (
	notedRule = `
kind: SmartRule
metadata: {name: noted}
spec:
  conditions: [{name: label, expression: "'noted' in action.labels"}]
  effect: RequireApproval
  workflowRef: {name: people}
`
	frostRule = `
kind: SmartRule
metadata: {name: frost}
spec:
  conditions: [{name: label, expression: "'freeze' in action.labels && 'thaw' in action.annotations"}]
  effect: Deny
`
)

var relabelled = without("decided anew, and recorded", func(ctx context.Context, s *scene) {
	Eventually(func(g Gomega) {
		s.action = s.fresh(ctx)
		g.Expect(s.action.Status.MatchedRules).NotTo(ContainElement(HaveField("Name", BeEquivalentTo("noted"))))
	}).WithContext(ctx).Should(Succeed())
	Expect(s.action.Status.Decision).To(Equal(v1alpha1.DecisionPending))
	Expect(strings.Join(s.recordOf(audit.EventEvaluated).MatchedRules, "\n")).NotTo(ContainSubstring("/noted "))
})

// frozenAction is denied for its label and its annotation.
func frozenAction(ctx context.Context, s *scene) {
	GinkgoHelper()
	s.apply(ctx, frostRule)
	s.action = s.ask(readOrders)
	s.action.Labels, s.action.Annotations = map[string]string{"freeze": "true"}, map[string]string{"thaw": "true"}
	Expect(s.agent.Create(ctx, s.action)).To(Succeed())
	s.awaitDecision(ctx, s.action, v1alpha1.DecisionDenied)
	s.guard(s.action)
}

// decidedLabels is what webhook and policy say of what is decided.
const decidedLabels = "and nobody's once it is decided"

// relabel is an attempt to change what rules read, or have read.
func relabel(name string, prepare func(context.Context, *scene), who func(*scene) person, patch string, says ...string) *attack {
	says = append(says, "kubectl ")
	return &attack{
		number: 17, name: name, prepare: prepare,
		attempt: func(ctx context.Context, s *scene) error { return mergePatch(ctx, who(s), s.action, patch) },
		up:      refusedBy("webhook", says...), deleted: refusedBy("policy", says...),
	}
}

// What the catalog of the starter policy calls pii is pii.
var claimAttacks = []*attack{
	claim("claim that customers are public", `{actionType: database_read, resource: customers, parameters: {table: customers, data_classification: public}}`),
	claim("claim that CRM.Customers are public", `{actionType: database_read, resource: CRM.Customers, parameters: {data_classification: public}}`),
	claim("claim that customers are public, and name them in parameters only", `{actionType: database_read, parameters: {table: customers, data_classification: public}}`),
	claim("claim that customers are public, and name what is beside them", `{actionType: database_read, resource: currencies, parameters: {table: customers, data_classification: public}}`),
}

func claim(name, spec string) *attack {
	return &attack{
		number: 18, name: name,
		attempt: func(ctx context.Context, s *scene) error {
			s.action = s.ask(spec)
			return s.agent.Create(ctx, s.action)
		},
		up: without("scored as pii, and said so", func(ctx context.Context, s *scene) {
			s.awaitDecision(ctx, s.action, v1alpha1.DecisionPending)
			Expect(s.action.Status.Risk.Factors).To(ContainElement(And(
				HaveField("Name", "data-classification"), HaveField("Value", "pii"), HaveField("Source", v1alpha1.SourceCatalog),
				HaveField("Note", ContainSubstring("public")))))
		}),
		deleted: refusedBy("policy", "ascend-agentaction-identity", "kubectl"),
	}
}
