// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"slices"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/risk"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// workflowsOf are the workflows that an outcome rests on: those whose people are
// asked, or those that approved by themselves.
//
// The latter no outcome lists. They are found as decision finds them: where
// nobody has to be asked, all that the global policy and the namespace's choose
// approve by themselves.
func workflowsOf(snapshot *decision.Snapshot, req *request.Request, agent *v1alpha1.Agent, got *decision.Outcome) []key {
	var out []key
	if got.Approval != nil {
		for _, w := range got.Approval.Workflows {
			out = append(out, key{string(w.Namespace), string(w.Name)})
		}
		return out
	}
	if got.Reason != v1alpha1.ReasonAutoApproved || got.Risk == nil {
		return nil
	}
	score, err := risk.ParseScore(got.Risk.Score)
	if err != nil {
		return nil
	}
	assessment := snapshot.Model.Assess(req, string(agent.Spec.Environment))
	criteria := approval.Criteria{Facts: rules.FactsOf(req, agent, assessment), Score: score}
	chosen := snapshot.Namespace(v1alpha1.GlobalNamespace).Workflows.Choose(criteria)
	if own := ownChoice(snapshot, criteria, req.Namespace, agent, got); len(own) > 0 {
		chosen = slices.DeleteFunc(slices.Clone(chosen), (*approval.Workflow).AllowNamespaceOverride)
		chosen = append(chosen, own...)
	}
	for _, w := range chosen {
		if k := (key{w.Key().Namespace, w.Key().Name}); !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

// ownChoice is what the namespace chooses: the agent's own workflow, otherwise the
// choice by risk; nothing where an Allow has spared it.
func ownChoice(snapshot *decision.Snapshot, criteria approval.Criteria, namespace string, agent *v1alpha1.Agent, got *decision.Outcome) []*approval.Workflow {
	allowed := slices.ContainsFunc(got.MatchedRules, func(m v1alpha1.MatchedRule) bool {
		return m.Effect == v1alpha1.EffectAllow && m.Mode == v1alpha1.RuleEnforce
	})
	own := snapshot.Namespace(namespace).Workflows
	ref := agent.Spec.WorkflowRef
	switch {
	case allowed:
		return nil
	case ref != nil:
		for _, set := range []*approval.Set{own, snapshot.Namespace(v1alpha1.GlobalNamespace).Workflows} {
			if w := set.Get(string(ref.Name)); w != nil {
				return []*approval.Workflow{w}
			}
		}
		return nil
	case namespace == v1alpha1.GlobalNamespace:
		return nil
	default:
		return own.Choose(criteria)
	}
}
