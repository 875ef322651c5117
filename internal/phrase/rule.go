// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"fmt"
	"strings"

	"github.com/google/cel-go/common/ast"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/rules"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// Rule says in words which actions a rule covers, when it matches, what happens
// then, and what happens where a condition fails. compiled is the rule as
// rules.Compiler made it. workflow finds an ApprovalWorkflow by namespace and
// name, and returns nil where there is none; a nil function knows none, and the
// rule's are then named only.
func Rule(rule *v1alpha1.SmartRule, compiled *rules.Rule, workflow func(namespace, name string) *v1alpha1.ApprovalWorkflow) *Text {
	r := &ruleWriter{rule: rule, spec: &rule.Spec, compiled: compiled, workflow: workflow}
	root := &Text{Line: fmt.Sprintf("rule %s: %s", named(rule.Namespace, rule.Name, rule.Spec.DisplayName), r.headline())}
	r.mode(root)
	if rule.Namespace == v1alpha1.GlobalNamespace {
		root.add("holds in every namespace")
	} else {
		root.add("holds in namespace %s", terminal.Mark(rule.Namespace))
	}
	if r.broken(root) {
		root.add("covers every action at any time, for what it covers cannot be read")
	} else {
		r.window(root)
		covered(root, r.spec, r.relaxes() && compiled.Err() == nil)
	}
	r.conditions(root)
	r.outcome(root)
	r.failure(root)
	r.rest(root)
	return root
}

type ruleWriter struct {
	rule     *v1alpha1.SmartRule
	spec     *v1alpha1.SmartRuleSpec
	compiled *rules.Rule
	workflow func(namespace, name string) *v1alpha1.ApprovalWorkflow
}

func (r *ruleWriter) headline() string {
	switch r.spec.Effect {
	case v1alpha1.EffectDeny:
		return "denies"
	case v1alpha1.EffectRequireApproval:
		return "requires approval"
	case v1alpha1.EffectAllow:
		return "allows"
	case v1alpha1.EffectAdjustRisk:
		return "adds " + terminal.Mark(string(r.spec.RiskAdjustment)) + " to the risk score"
	default:
		return "has an effect nobody knows, " + quoted(string(r.spec.Effect))
	}
}

// relaxes says whether the rule makes a decision easier. Source: package rules.
func (r *ruleWriter) relaxes() bool {
	return r.spec.Effect == v1alpha1.EffectAllow ||
		(r.spec.Effect == v1alpha1.EffectAdjustRisk && strings.HasPrefix(string(r.spec.RiskAdjustment), "-"))
}

func (r *ruleWriter) mode(root *Text) {
	switch r.compiled.Mode() {
	case v1alpha1.RuleAudit:
		root.add("has no effect: in mode Audit it is evaluated and recorded, to try it")
	case v1alpha1.RuleDisabled:
		root.add("has no effect: in mode Disabled it is not evaluated")
	case v1alpha1.RuleEnforce:
	}
}

func (r *ruleWriter) window(root *Text) {
	from, until := r.spec.NotBefore, r.spec.NotAfter
	switch {
	case from != nil && until != nil:
		root.add("has effect from %s until just before %s", terminal.Moment(from.Time), terminal.Moment(until.Time))
	case from != nil:
		root.add("has effect from %s on", terminal.Moment(from.Time))
	case until != nil:
		root.add("has effect until just before %s", terminal.Moment(until.Time))
	}
}

// broken says what is wrong with a rule that does not compile, and whether that
// is what it covers: such a rule covers everything. Source: package rules.
func (r *ruleWriter) broken(root *Text) (everything bool) {
	if r.compiled.Err() == nil {
		return false
	}
	n := root.add("does not compile")
	if r.compiled.Mode() == v1alpha1.RuleEnforce {
		n.Line += ", so people have to agree to everything it covers, whatever is written below"
	}
	for _, err := range problems(r.compiled.Err()) {
		first, _, _ := strings.Cut(err.Error(), "\n")
		n.add("%s", terminal.Mark(first))
		everything = everything || strings.HasPrefix(err.Field, "spec.match") || err.Field == "spec.notAfter"
	}
	return everything
}

func (r *ruleWriter) conditions(root *Text) {
	switch len(r.spec.Conditions) {
	case 0:
		root.add("matches everything it covers: it has no conditions")
		return
	case 1:
		root = root.add("matches when")
	default:
		root = root.add("matches when all of these conditions are true")
	}
	for i := range r.spec.Conditions {
		c := &r.spec.Conditions[i]
		said := &Text{Line: code(c.Expression) + " is true, which does not compile"}
		if !r.brokenAt(i) {
			said = Condition(c.Expression)
		}
		root.Below = append(root.Below, said.prefixed(terminal.Mark(c.Name)+": "))
	}
}

// brokenAt says whether a condition does not compile.
func (r *ruleWriter) brokenAt(i int) bool {
	for _, err := range problems(r.compiled.Err()) {
		if err.Field == fmt.Sprintf("spec.conditions[%d].expression", i) {
			return true
		}
	}
	return false
}

func (r *ruleWriter) outcome(root *Text) {
	switch r.spec.Effect {
	case v1alpha1.EffectDeny:
		n := root.add("then the action is denied")
		r.reason(n)
		r.exception(n)
	case v1alpha1.EffectRequireApproval:
		n := root.add("then people have to agree, unless another rule denies")
		r.reason(n)
		if ref := r.spec.WorkflowRef; ref != nil {
			r.people(n, "those of ", string(ref.Name), ", beside those that the risk and other rules ask")
			return
		}
		n.add("those of the workflow that is chosen by risk; where that asks nobody, one person with the verb approve")
	case v1alpha1.EffectAllow:
		n := root.add("then the namespace's own workflow is spared, unless another rule denies or requires approval")
		r.reason(n)
		n.add("global workflows still ask")
	case v1alpha1.EffectAdjustRisk:
		n := root.add("then %s is added to the risk score, before all rules with other effects", terminal.Mark(string(r.spec.RiskAdjustment)))
		r.reason(n)
		if r.relaxes() && r.rule.Namespace != v1alpha1.GlobalNamespace {
			n.add("this has no effect: a rule of a namespace cannot lower a score")
		}
	}
}

func (r *ruleWriter) reason(n *Text) {
	switch {
	case r.spec.ReasonExpression != "":
		n.add("the reason given is made by %s", code(r.spec.ReasonExpression))
	case r.spec.Reason != "":
		n.add("the reason given: %s", quoted(r.spec.Reason))
	}
}

func (r *ruleWriter) exception(n *Text) {
	ref := r.spec.ExceptionWorkflowRef
	if ref == nil {
		n.add("nobody can grant an exception")
		return
	}
	r.people(n, fmt.Sprintf("where the action asks for an exception from %s, people decide in place of the rule: those of ",
		terminal.Mark(r.rule.Name)), string(ref.Name), ", beside those that the risk and other rules ask")
}

// people names a workflow, the namespace's or the global one, and says whom it asks.
func (r *ruleWriter) people(parent *Text, before, name, after string) {
	if r.workflow == nil {
		parent.add("%sworkflow %s%s", before, terminal.Mark(name), after)
		return
	}
	found := r.workflow(r.rule.Namespace, name)
	if found == nil && r.rule.Namespace != v1alpha1.GlobalNamespace {
		found = r.workflow(v1alpha1.GlobalNamespace, name)
	}
	if found == nil {
		parent.add("%sworkflow %s, which does not exist: one person with the verb approve on that name%s", before, terminal.Mark(name), after)
		return
	}
	n := parent.add("%sworkflow %s%s", before, named(found.Namespace, found.Name, found.Spec.DisplayName), after)
	if found.Spec.AutoApprove {
		n.add("it asks nobody, so another has to: the one chosen by risk, otherwise one person with the verb approve")
		return
	}
	asked(n, &found.Spec)
}

// failure says what happens where a condition cannot be evaluated, and when
// that is to be expected.
func (r *ruleWriter) failure(root *Text) {
	if len(r.spec.Conditions) == 0 || r.compiled.Err() != nil {
		return
	}
	n := root.add("where a condition fails, and no other is false, %s", r.onError())
	var parsed []ast.Expr
	for i := range r.spec.Conditions {
		if e, ok := parse(r.spec.Conditions[i].Expression); ok {
			parsed = append(parsed, e)
		}
	}
	for _, need := range doubtsOf(parsed) {
		n.add("it can fail where %s", need.line())
	}
}

func (r *ruleWriter) onError() string {
	switch {
	case r.spec.OnError == v1alpha1.OnErrorSkip:
		return "the rule does not match (onError Skip), but for a cost limit, where people have to agree"
	case r.spec.OnError == v1alpha1.OnErrorMatch && !r.relaxes():
		return "the rule matches all the same (onError Match)"
	default:
		return "people have to agree, whatever the effect (onError RequireApproval)"
	}
}

func (r *ruleWriter) rest(root *Text) {
	priority := int32(defaultPriority)
	if r.spec.Priority != nil {
		priority = *r.spec.Priority
	}
	root.add("has priority %d of 100, for the order of reports", priority)
	if len(r.spec.Controls) > 0 {
		root.add("serves %s", list(r.spec.Controls, "and"))
	}
}
