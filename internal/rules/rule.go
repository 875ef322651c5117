// SPDX-License-Identifier: Apache-2.0

// Package rules compiles, indexes and evaluates SmartRules. It is pure: rules
// and an action in, matches out; the time comes in as an argument.
package rules

import (
	"cmp"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// Key names a SmartRule.
type Key struct{ Namespace, Name string }

// String returns "namespace/name".
func (k Key) String() string { return k.Namespace + "/" + k.Name }

// Rule is a compiled SmartRule. It is never changed, and safe for concurrent use.
type Rule struct {
	key      Key
	spec     *v1alpha1.SmartRuleSpec
	revision string
	err      error
	broken   error // err in one line

	mode     v1alpha1.RuleMode
	effect   v1alpha1.RuleEffect
	onError  v1alpha1.ErrorPolicy
	priority int32
	delta    risk.Delta

	match      matcher
	conditions []condition
	reason     *program
}

type condition struct {
	name    string
	program *program
}

// Key returns the name of the rule.
func (r *Rule) Key() Key { return r.key }

// Err returns what keeps the rule from working, an aggregate of *field.Error
// with exact paths; nil when the rule compiles. A rule that does not compile
// requires approval for what it covers.
func (r *Rule) Err() error { return r.err }

// Revision returns the v1alpha1 digest of the spec.
func (r *Rule) Revision() string { return r.revision }

// Spec returns the rule as it was written. It must not be changed.
func (r *Rule) Spec() *v1alpha1.SmartRuleSpec { return r.spec }

// Mode returns the mode; Enforce when none is given, or a word nobody knows.
func (r *Rule) Mode() v1alpha1.RuleMode { return r.mode }

// Title returns the name that people know the rule by, fit to be shown.
func (r *Rule) Title() string {
	if r.spec.DisplayName != "" {
		return oneLine(r.spec.DisplayName, maxTitle)
	}
	return r.key.Name
}

// Global says whether the rule applies to every namespace.
func (r *Rule) Global() bool { return r.key.Namespace == v1alpha1.GlobalNamespace }

// Reference returns the rule's name as it is reported.
func (r *Rule) Reference() v1alpha1.RuleReference {
	return v1alpha1.RuleReference{
		Namespace:   v1alpha1.ObjectName(r.key.Namespace),
		Name:        v1alpha1.ObjectName(r.key.Name),
		DisplayName: r.spec.DisplayName,
	}
}

// WorkflowNames returns the names of the ApprovalWorkflows the rule refers to.
func (r *Rule) WorkflowNames() []string {
	var names []string
	for _, ref := range []*v1alpha1.WorkflowReference{r.spec.WorkflowRef, r.spec.ExceptionWorkflowRef} {
		if ref != nil && ref.Name != "" {
			names = append(names, string(ref.Name))
		}
	}
	return names
}

// Compare orders rules as they are reported: highest priority first, then
// global ones, then by namespace and name.
func Compare(a, b *Rule) int {
	return cmp.Or(
		cmp.Compare(b.priority, a.priority),
		compareGlobalFirst(a, b),
		cmp.Compare(a.key.Namespace, b.key.Namespace),
		cmp.Compare(a.key.Name, b.key.Name),
	)
}

func compareGlobalFirst(a, b *Rule) int {
	switch {
	case a.Global() == b.Global():
		return 0
	case a.Global():
		return -1
	default:
		return 1
	}
}

// phase says in which pass over the rules a rule is evaluated.
type phase int

const (
	adjusting phase = iota
	deciding
)

func (r *Rule) phase() phase {
	if r.effect == v1alpha1.EffectAdjustRisk {
		return adjusting
	}
	return deciding
}
