// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"cmp"
	"math"
	"slices"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/manifest"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// Coverage says which rules and workflows of the policy the cases exercise. An
// object that is in several policies unchanged is there once. What a suite gives
// itself is no policy and is not counted.
//
// It rests on what a decision reports: of a decision that more than 64 rules
// match, and of more than 16 near misses, the rest is not seen.
type Coverage struct {
	// Covered is the number of rules that are covered, of Total; rules in mode
	// Disabled are in neither.
	Covered int `json:"covered"`
	Total   int `json:"total"`
	// Percent is Covered out of Total, rounded down to one decimal, so that 100
	// is all of them; 0 where there are no rules.
	Percent float64 `json:"percent"`
	// Rules by namespace and name, those in mode Disabled too.
	Rules []RuleCoverage `json:"rules"`
	// Workflows by namespace and name.
	Workflows []WorkflowCoverage `json:"workflows"`
}

// RuleCoverage says how cases exercise a rule. A case counts once, at however
// many times it is decided.
type RuleCoverage struct {
	Place
	// Rule is namespace/name.
	Rule string `json:"rule"`
	// Effect and Mode of the rule.
	Effect v1alpha1.RuleEffect `json:"effect"`
	Mode   v1alpha1.RuleMode   `json:"mode"`
	// Covered says that a case that passed fired the rule and names it under
	// rule or matched, so that it would fail if the rule did not fire.
	Covered bool `json:"covered"`
	// Fired counts the cases in which the rule matched, Nearly those in which it
	// covered the action and a condition was false.
	Fired  int `json:"fired"`
	Nearly int `json:"nearly"`
	// Named counts the cases that passed and name the rule under rule or
	// matched; Quiet those that name it under not or nearly.
	Named int `json:"named"`
	Quiet int `json:"quiet"`
	// HadEffect counts the cases by the effect it had, which is RequireApproval
	// where it could not be evaluated. In mode Audit: would have had.
	HadEffect map[v1alpha1.RuleEffect]int `json:"hadEffect,omitempty"`
	// NeverFalse are its conditions that no case found false, in their order.
	// Only the first condition that is false is ever seen.
	NeverFalse []string `json:"neverFalse,omitempty"`
}

// WorkflowCoverage says how cases exercise a workflow.
type WorkflowCoverage struct {
	Place
	// Workflow is namespace/name.
	Workflow string `json:"workflow"`
	// Covered says that a case that passed rests on the workflow.
	Covered bool `json:"covered"`
	// Fired counts the cases whose decision rests on it: its people are asked, or
	// it approves by itself. Named counts those that passed and name it under
	// workflows.
	Fired int `json:"fired"`
	Named int `json:"named"`
}

// NotCovered are the rules that are not covered, in the order of Rules.
func (c *Coverage) NotCovered() []string {
	var out []string
	for _, rule := range c.Rules {
		if !rule.Covered && rule.Mode != v1alpha1.RuleDisabled {
			out = append(out, rule.Rule)
		}
	}
	return out
}

// sightings are what was seen of the policy in one case.
type sightings struct {
	fired     map[key]v1alpha1.RuleEffect
	nearly    map[key][]string
	workflows map[key]bool
}

func newSightings() *sightings {
	return &sightings{map[key]v1alpha1.RuleEffect{}, map[key][]string{}, map[key]bool{}}
}

func (s *sightings) add(got *decision.Outcome, workflows []key) {
	for _, m := range got.MatchedRules {
		s.fired[keyOf(m.RuleReference)] = m.Effect
	}
	for _, n := range got.NearRules {
		k := keyOf(n.RuleReference)
		s.nearly[k] = append(s.nearly[k], n.Condition)
	}
	for _, w := range workflows {
		s.workflows[w] = true
	}
}

// state tells an object of a policy from another of the same name.
type state struct {
	key
	revision string
}

// ruleCount is a rule of the policy, and its conditions that were false.
type ruleCount struct {
	RuleCoverage
	key        key
	conditions []string
	falsified  map[string]bool
}

// covering counts the coverage of all policies.
type covering struct {
	rules     map[state]*ruleCount
	workflows map[state]*WorkflowCoverage
	ruleOf    map[*compiled]map[key]*ruleCount
	flowOf    map[*compiled]map[key]*WorkflowCoverage
}

func newCovering() *covering {
	return &covering{map[state]*ruleCount{}, map[state]*WorkflowCoverage{}, map[*compiled]map[key]*ruleCount{}, map[*compiled]map[key]*WorkflowCoverage{}}
}

// policy counts the objects of a policy in.
func (c *covering) policy(base *compiled) {
	if c.ruleOf[base] != nil {
		return
	}
	c.ruleOf[base], c.flowOf[base] = map[key]*ruleCount{}, map[key]*WorkflowCoverage{}
	for _, object := range base.tested {
		switch o := object.Object.(type) {
		case *v1alpha1.SmartRule:
			if rule, known := base.store.Rule(o); known {
				k := key{o.Namespace, o.Name}
				c.ruleOf[base][k] = c.rule(state{k, rule.Revision()}, rule, object.Position)
			}
		case *v1alpha1.ApprovalWorkflow:
			if workflow, known := base.store.Workflow(o); known {
				k := key{o.Namespace, o.Name}
				c.flowOf[base][k] = c.workflow(state{k, workflow.Revision()}, object.Position)
			}
		}
	}
}

func (c *covering) rule(s state, rule *rules.Rule, at manifest.Position) *ruleCount {
	if known := c.rules[s]; known != nil {
		return known
	}
	spec := rule.Spec()
	count := &ruleCount{key: s.key, falsified: map[string]bool{}, RuleCoverage: RuleCoverage{
		Place: placeOf(at), Rule: s.key.String(), Effect: spec.Effect, Mode: rule.Mode(), HadEffect: map[v1alpha1.RuleEffect]int{},
	}}
	for _, condition := range spec.Conditions {
		count.conditions = append(count.conditions, condition.Name)
	}
	c.rules[s] = count
	return count
}

func (c *covering) workflow(s state, at manifest.Position) *WorkflowCoverage {
	if c.workflows[s] == nil {
		c.workflows[s] = &WorkflowCoverage{Place: placeOf(at), Workflow: s.key.String()}
	}
	return c.workflows[s]
}

// count counts a case in.
func (c *covering) count(w *world, want *expectation, seen *sightings, passed bool) {
	ruleOf, flowOf := c.ruleOf[w.base], c.flowOf[w.base]
	for k, effect := range seen.fired {
		if rule := ruleOf[k]; rule != nil {
			rule.Fired++
			rule.HadEffect[effect]++
		}
	}
	for k, conditions := range seen.nearly {
		if rule := ruleOf[k]; rule != nil {
			rule.Nearly++
			for _, name := range conditions {
				rule.falsified[name] = true
			}
		}
	}
	for k := range seen.workflows {
		if workflow := flowOf[k]; workflow != nil {
			workflow.Fired++
			workflow.Covered = workflow.Covered || passed
		}
	}
	if passed {
		c.countNames(want, seen, ruleOf, flowOf)
	}
}

// countNames counts what a case that passed names.
func (c *covering) countNames(want *expectation, seen *sightings, ruleOf map[key]*ruleCount, flowOf map[key]*WorkflowCoverage) {
	firing, quiet := want.matched, slices.Concat(want.not, want.nearly)
	if want.rule != nil {
		firing = append(slices.Clone(firing), *want.rule)
	}
	for _, k := range distinct(firing) {
		if _, fired := seen.fired[k]; fired && ruleOf[k] != nil {
			ruleOf[k].Named++
			ruleOf[k].Covered = true
		}
	}
	for _, k := range distinct(quiet) {
		if ruleOf[k] != nil {
			ruleOf[k].Quiet++
		}
	}
	for _, k := range distinct(want.workflows) {
		if flowOf[k] != nil {
			flowOf[k].Named++
		}
	}
}

// distinct are the keys of names, each once.
func distinct(names []name) []key {
	var out []key
	for _, n := range names {
		if !slices.Contains(out, n.key) {
			out = append(out, n.key)
		}
	}
	return out
}

// report is the coverage of all that has been counted.
func (c *covering) report() Coverage {
	out := Coverage{Rules: []RuleCoverage{}, Workflows: []WorkflowCoverage{}}
	for _, rule := range c.rules {
		for _, name := range rule.conditions {
			if !rule.falsified[name] {
				rule.NeverFalse = append(rule.NeverFalse, name)
			}
		}
		out.Rules = append(out.Rules, rule.RuleCoverage)
		if rule.Mode == v1alpha1.RuleDisabled {
			continue
		}
		out.Total++
		if rule.Covered {
			out.Covered++
		}
	}
	for _, workflow := range c.workflows {
		out.Workflows = append(out.Workflows, *workflow)
	}
	if out.Total > 0 {
		out.Percent = math.Floor(1000*float64(out.Covered)/float64(out.Total)) / 10
	}
	slices.SortFunc(out.Rules, func(a, b RuleCoverage) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), comparePlaces(a.Place, b.Place))
	})
	slices.SortFunc(out.Workflows, func(a, b WorkflowCoverage) int {
		return cmp.Or(cmp.Compare(a.Workflow, b.Workflow), comparePlaces(a.Place, b.Place))
	})
	return out
}

func comparePlaces(a, b Place) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}
