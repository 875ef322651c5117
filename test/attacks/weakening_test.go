// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"slices"
	"strings"

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
	}, decidedAnew),
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
	passed := s.recordOf(v1alpha1.EventActionApproved)
	Expect(passed.PolicyRevision).To(Equal(s.action.Status.PolicyRevision))
	Expect(passed.MatchedRules).NotTo(ContainElement(s.namespace + "/hold RequireApproval Enforce"))
})

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
	Expect(strings.Join(s.recordOf(v1alpha1.EventActionPending).MatchedRules, "\n")).NotTo(ContainSubstring("/noted "))
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
