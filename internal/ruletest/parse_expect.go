// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// decisions are the words that a decision may be expected by: those of the API,
// and those of the Ascend tutorial.
var decisions = []struct {
	word     string
	decision v1alpha1.Decision
}{
	{"Approved", v1alpha1.DecisionApproved},
	{"Pending", v1alpha1.DecisionPending},
	{"Denied", v1alpha1.DecisionDenied},
	{"APPROVED", v1alpha1.DecisionApproved},
	{"PENDING", v1alpha1.DecisionPending},
	{"DENIED", v1alpha1.DecisionDenied},
}

// expect reads what has to come out.
func (r *reader) expect(v spot, e *expectation) {
	e.at = r.at(resolve(v.node))
	node := resolve(v.node)
	e.said = node.Kind != yaml.MappingNode || len(node.Content) > 0
	r.object(v, fields{
		"decision":        func(v spot) { e.decision = r.decision(v) },
		"reason":          func(v spot) { e.reason = r.text(v) },
		"score":           func(v spot) { e.score = r.score(v) },
		"level":           func(v spot) { e.level = r.level(v) },
		"vector":          func(v spot) { e.vector = r.text(v) },
		"base":            func(v spot) { e.base = r.score(v) },
		"rule":            func(v spot) { e.rule = new(r.name(v)) },
		"message":         func(v spot) { e.message = r.text(v) },
		"messageContains": func(v spot) { e.contains = r.texts(v) },
		"stages":          func(v spot) { e.stages = r.count(v) },
		"stage":           func(v spot) { e.stage = r.text(v) },
		"approvers":       func(v spot) { e.approvers = r.texts(v) },
		"workflows":       func(v spot) { e.workflows = r.names(v) },
		"matched":         func(v spot) { e.matched = r.names(v) },
		"not":             func(v spot) { e.not = r.names(v) },
		"nearly":          func(v spot) { e.nearly = r.nearNames(v) },
	})
}

func (r *reader) decision(v spot) v1alpha1.Decision {
	word := r.text(v)
	for _, known := range decisions {
		if word == known.word {
			return known.decision
		}
	}
	if word != "" {
		r.wrong(v, "it is %q; a new action is Approved, Pending or Denied", word)
	}
	return v1alpha1.DecisionNone
}

func (r *reader) level(v spot) v1alpha1.RiskLevel {
	return v1alpha1.RiskLevel(r.word(v, string(v1alpha1.RiskLevelLow), string(v1alpha1.RiskLevelMedium),
		string(v1alpha1.RiskLevelHigh), string(v1alpha1.RiskLevelCritical)))
}

func (r *reader) texts(v spot) []string {
	var out []string
	r.oneOrMany(v, func(item spot) { out = append(out, r.text(item)) })
	return out
}

// name reads the name of a rule or a workflow, with its namespace or without.
func (r *reader) name(v spot) name {
	word := r.placed(v)
	if strings.Count(word.string, "/") > 1 {
		r.wrong(v, "it is %q; write a name, or namespace/name", word.string)
	}
	return name{text: word}
}

func (r *reader) names(v spot) []name {
	var out []name
	r.oneOrMany(v, func(item spot) { out = append(out, r.name(item)) })
	return out
}

// nearNames reads names of rules, each alone or with the condition that is false.
func (r *reader) nearNames(v spot) []name {
	var out []name
	r.oneOrMany(v, func(item spot) {
		if resolve(item.node).Kind != yaml.MappingNode {
			out = append(out, r.name(item))
			return
		}
		var near name
		r.object(item, fields{
			"rule":      func(v spot) { near = name{text: r.placed(v), condition: near.condition} },
			"condition": func(v spot) { near.condition = r.text(v) },
		})
		if near.string == "" {
			r.wrong(item, "it needs rule: the rule whose condition is false")
		}
		out = append(out, near)
	})
	return out
}
