// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

func init() {
	attacks = append(attacks, ruleAttacks...)
	attacks = append(attacks, workflowAttacks...)
	attacks = append(attacks, scopeAttacks...)
	attacks = append(attacks, labelAttacks...)
	attacks = append(attacks, claimAttacks...)
	attacks = append(attacks, alarmAttack) // by now the operator has looked
}

// Policy that is changed while an action waits: it is decided anew, and the
// trail tells.
var ruleAttacks = []*attack{
	repeal("suspend the rule that an action waits for", func(ctx context.Context, s *scene) error {
		return mergePatch(ctx, s.as("ruth"), s.rule("hold"), `spec: {mode: Disabled}`)
	}, webhookDown),
	repeal("make a trial of the rule that an action waits for", func(ctx context.Context, s *scene) error {
		return mergePatch(ctx, s.as("ruth"), s.rule("hold"), `spec: {mode: Audit}`)
	}, webhookDown),
	repeal("have the rule that an action waits for match something else", func(ctx context.Context, s *scene) error {
		return mergePatch(ctx, s.as("ruth"), s.rule("hold"), `spec: {match: {actionTypes: [database_write]}}`)
	}, webhookDown),
	repeal("delete the rule that an action waits for", func(ctx context.Context, s *scene) error {
		return s.as("ruth").Delete(ctx, s.rule("hold"))
	}, webhookDown),
}

// decidedAnew: without the rule the starter policy approves by itself.
var decidedAnew = without("decided anew, and recorded", func(ctx context.Context, s *scene) {
	before := s.action.Status.PolicyRevision
	s.awaitDecision(ctx, s.action, v1alpha1.DecisionApproved)
	Expect(s.action.Status.Reason).To(Equal(v1alpha1.ReasonAutoApproved))
	Expect(s.action.Status.PolicyRevision).NotTo(Equal(before))
	waited := s.recordOf(v1alpha1.EventActionPending)
	Expect(waited.PolicyRevision).To(Equal(before))
	Expect(waited.MatchedRules).To(ContainElement(s.namespace + "/hold RequireApproval Enforce"))
	if s.mode == up {
		s.expectAuthor("ruth", "SmartRule", "hold")
	}
	passed := s.recordOf(v1alpha1.EventActionApproved)
	Expect(passed.PolicyRevision).To(Equal(s.action.Status.PolicyRevision))
	Expect(passed.MatchedRules).NotTo(ContainElement(s.namespace + "/hold RequireApproval Enforce"))
})

// expectAuthor expects that the last record of an object of policy says who changed
// or deleted it, and what.
func (s *scene) expectAuthor(who, kind, name string) {
	GinkgoHelper()
	for _, r := range slices.Backward(lab.records()) {
		if r.Kind == kind && r.Namespace == s.namespace && r.Name == name {
			Expect(r.Event).To(BeElementOf(audit.EventPolicyUpdated, audit.EventPolicyDeleted))
			Expect(r).To(And(HaveField("Actor", who), HaveField("Changes", Not(BeEmpty()))))
			return
		}
	}
	Fail("there is no record of " + kind + " " + name)
}

// repeal is a change to the one rule that an action waits for.
func repeal(name string, attempt func(context.Context, *scene) error, whenDown outcome) *attack {
	return &attack{
		number: 14, name: name,
		prepare: func(ctx context.Context, s *scene) {
			s.state["ruth"] = s.with(ctx, "ruth", "ascend-rule-author")
			// Now only a rule asks the people.
			Expect(mergePatch(ctx, lab.administrator(), s.workflow("people"), `spec: {selector: null}`)).To(Succeed())
			s.apply(ctx, `
kind: SmartRule
metadata: {name: hold}
spec:
  match: {actionTypes: [database_read]}
  effect: RequireApproval
  workflowRef: {name: people}
`)
			s.action = s.submit(ctx, readOrders, v1alpha1.DecisionPending)
		},
		attempt: attempt,
		up:      decidedAnew, down: whenDown, deleted: decidedAnew,
	}
}

func (s *scene) rule(name string) *v1alpha1.SmartRule {
	return &v1alpha1.SmartRule{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name}}
}

func (s *scene) workflow(name string) *v1alpha1.ApprovalWorkflow {
	return &v1alpha1.ApprovalWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name}}
}

// recordOf is the latest record of an event of the scene's action.
func (s *scene) recordOf(event v1alpha1.EventType) audit.Record {
	GinkgoHelper()
	for _, r := range slices.Backward(lab.records()) {
		if r.Event == event && r.UID == string(s.action.UID) {
			return r
		}
	}
	Fail("there is no record " + string(event) + " of action " + string(s.action.UID))
	return audit.Record{}
}

// An approval is for the workflow that the approver saw.
var workflowAttacks = []*attack{
	{
		number: 15, name: "ask for fewer people once one has agreed",
		prepare: halfComplete,
		attempt: func(ctx context.Context, s *scene) error {
			return mergePatch(ctx, s.as("adam"), s.workflow("people"), `spec: {stages: [{name: review, required: 1, approvers: {groups: [security]}}]}`)
		},
		up: without("the approval is void, and can be given again", func(ctx context.Context, s *scene) {
			voided(ctx, s)
			Expect(approve(ctx, s.alice, s.fresh(ctx))).To(Succeed())
			s.awaitDecision(ctx, s.action, v1alpha1.DecisionApproved)
			Expect(s.recordOf(v1alpha1.EventActionApproved).Approvals).To(ContainElement(HaveField("Approver", "alice")))
		}),
		deleted: without("the approval is void", voided),
	},
	{
		number: 15, name: "skip the stage that is left once one has agreed",
		prepare: halfComplete,
		attempt: func(ctx context.Context, s *scene) error {
			return mergePatch(ctx, s.as("adam"), s.workflow("people"), `spec: {stages: [{name: other, required: 1, approvers: {users: [alice]}}]}`)
		},
		up: without("the approval is void", voided), deleted: without("the approval is void", voided),
	},
	{
		number: 15, name: "put another workflow before it once one has agreed",
		prepare: halfComplete,
		attempt: func(ctx context.Context, s *scene) error {
			return s.as("adam").Create(ctx, s.parse(`
kind: ApprovalWorkflow
metadata: {name: easier}
spec:
  selector: {}
  priority: 1000
  stages: [{name: review, required: 1, approvers: {users: [alice]}}]
`))
		},
		up: without("the approval is void", voided), deleted: without("the approval is void", voided),
	},
}

func halfComplete(ctx context.Context, s *scene) {
	GinkgoHelper()
	s.state["adam"] = s.with(ctx, "adam", "ascend-admin")
	s.action = s.submit(ctx, readOrders, v1alpha1.DecisionPending)
	mustApprove(ctx, s, s.alice)
	Eventually(func(g Gomega) { g.Expect(s.fresh(ctx).Status.Approval.Granted).To(BeEquivalentTo(1)) }).WithContext(ctx).Should(Succeed())
}

// voided waits until alice's approval does not count, and status says why.
func voided(ctx context.Context, s *scene) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		s.action = s.fresh(ctx)
		g.Expect(s.action.Status.Approval.Uncounted).To(ContainElement(And(
			HaveField("Approver", "alice"), HaveField("Reason", And(ContainSubstring("workflow"), ContainSubstring("again"))))))
	}).WithContext(ctx).Should(Succeed())
	Expect(s.action.Status.Decision).To(Equal(v1alpha1.DecisionPending))
	Expect(s.action.Status.Approval.Granted).To(BeZero())
	Expect(s.action.Status.Approval.Required).To(BeEquivalentTo(1))
	Expect(s.action.Spec.Approvals).To(HaveLen(1), "what was given stays on record")
}
