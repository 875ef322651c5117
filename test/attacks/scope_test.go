// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// A namespace can only be stricter than what holds for all.
const (
	bulkDelete = `{actionType: database_delete, resource: orders, parameters: {table: orders, affected_rows: 5000, data_classification: internal}}`
	// riskyDelete is Critical, for it does not say how much it deletes.
	riskyDelete = `{actionType: database_delete, resource: orders, parameters: {table: orders, data_classification: internal}}`

	allowAll = `
kind: SmartRule
metadata: {name: all-is-well}
spec:
  priority: 100
  effect: Allow
`
	passAll = `
kind: ApprovalWorkflow
metadata: {name: all-pass}
spec:
  selector: {}
  priority: 1000
  autoApprove: true
`
)

var scopeAttacks = []*attack{
	{
		number: 16, name: "allow in a namespace what a global rule denies",
		prepare: withAuthors,
		attempt: func(ctx context.Context, s *scene) error {
			if err := s.as("ruth").Create(ctx, s.parse(allowAll)); err != nil {
				return err
			}
			s.action = s.ask(bulkDelete)
			return s.agent.Create(ctx, s.action)
		},
		up: without("denied all the same", func(ctx context.Context, s *scene) {
			s.awaitDecision(ctx, s.action, v1alpha1.DecisionDenied)
			Expect(s.action.Status.DecidingRule).To(HaveValue(And(
				HaveField("Namespace", BeEquivalentTo(v1alpha1.GlobalNamespace)), HaveField("Name", BeEquivalentTo("rule-no-bulk-delete")))))
		}),
		deleted: refusedBy("policy", "ascend-agentaction-identity", "kubectl"),
	},
	{
		number: 16, name: "take over in a namespace the workflow that excepts from a global rule",
		prepare: withAuthors,
		attempt: func(ctx context.Context, s *scene) error {
			err := s.as("adam").Create(ctx, s.parse(`
kind: ApprovalWorkflow
metadata: {name: managers}
spec: {stages: [{name: review, required: 1, approvers: {users: [mallory]}}]}
`))
			if err != nil {
				return err
			}
			s.action = s.ask(bulkDelete)
			s.action.Spec.ExceptionRequest = &v1alpha1.ExceptionRequest{RuleName: "rule-no-bulk-delete", Justification: "spring cleaning"}
			return s.agent.Create(ctx, s.action)
		},
		up: without("the global managers are asked", func(ctx context.Context, s *scene) {
			s.awaitDecision(ctx, s.action, v1alpha1.DecisionPending)
			Expect(s.action.Status.Approval.Workflows).To(ContainElement(global("managers")))
			Expect(s.action.Status.Approval.Workflows).NotTo(ContainElement(v1alpha1.ObjectReference{Namespace: v1alpha1.ObjectName(s.namespace), Name: "managers"}))
		}),
		deleted: refusedBy("policy", "ascend-agentaction-identity", "kubectl"),
	},
	overrule("approve by a namespace's workflow what a global one asks people about", func(ctx context.Context, s *scene) error {
		return s.as("adam").Create(ctx, s.parse(passAll))
	}),
	overrule("allow by a namespace's rule what a global workflow asks people about", func(ctx context.Context, s *scene) error {
		return s.as("ruth").Create(ctx, s.parse(allowAll))
	}),
	overrule("lower a score by a namespace's rule", func(ctx context.Context, s *scene) error {
		return s.as("ruth").Create(ctx, s.parse(`
kind: SmartRule
metadata: {name: harmless}
spec:
  effect: AdjustRisk
  riskAdjustment: "-9.0"
`))
	}),
}

func withAuthors(ctx context.Context, s *scene) {
	GinkgoHelper()
	s.state["adam"] = s.with(ctx, "adam", "ascend-admin")
	s.state["ruth"] = s.with(ctx, "ruth", "ascend-rule-author")
}

func global(workflow string) v1alpha1.ObjectReference {
	return v1alpha1.ObjectReference{Namespace: v1alpha1.GlobalNamespace, Name: v1alpha1.ObjectName(workflow)}
}

// overrule is policy of a namespace against the global workflow that an action
// waits for.
func overrule(name string, attempt func(context.Context, *scene) error) *attack {
	waitsOn := without("the global workflow is asked all the same", func(ctx context.Context, s *scene) {
		before := s.action.Status
		Eventually(func(g Gomega) {
			s.action = s.fresh(ctx)
			g.Expect(s.action.Status.PolicyRevision).NotTo(Equal(before.PolicyRevision), "it is not decided anew")
		}).WithContext(ctx).Should(Succeed())
		Expect(s.action.Status.Decision).To(Equal(v1alpha1.DecisionPending))
		Expect(s.action.Status.Approval.Workflows).To(ContainElement(global("risk-critical")))
		Expect(s.action.Status.Risk.Score).To(Equal(before.Risk.Score))
	})
	return &attack{
		number: 16, name: name,
		prepare: func(ctx context.Context, s *scene) {
			withAuthors(ctx, s)
			s.action = s.submit(ctx, riskyDelete, v1alpha1.DecisionPending)
			Expect(s.action.Status.Approval.Workflows).To(ContainElement(global("risk-critical")))
		},
		attempt: attempt,
		up:      waitsOn, deleted: waitsOn,
	}
}
