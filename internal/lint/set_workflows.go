// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// unused warns of a workflow that nothing can ever choose.
func (s *survey) unused(f *findings, workflow *approval.Workflow) {
	if workflow.Spec().Selector != nil || s.named[workflow.Key()] {
		return
	}
	severity := Warning
	if workflow.Global() {
		severity = Info // namespaces that are not looked at may name it
	}
	f.addAs(severity, Unused, "spec", "nothing chooses it: it has no selector, and no SmartRule or Agent names it")
}

// eclipsed warns of a selector that chooses nothing, for others come first.
func (s *survey) eclipsed(f *findings, workflow *approval.Workflow) {
	by := workflow.EclipsedBy(s.Snapshot.Namespace(workflow.Key().Namespace).Workflows)
	if len(by) == 0 {
		return
	}
	names := make([]string, len(by))
	for i, other := range by {
		names[i] = other.Key().String()
	}
	verb := " is"
	if len(by) > 1 {
		verb = " are"
	}
	f.add(NeverChosen, "spec.selector", "it chooses nothing, for ApprovalWorkflow %s%s chosen in its place for all that it covers%s",
		strings.Join(names, ", "), verb, s.butNamed(workflow))
}

// butNamed adds that a workflow still applies where it is named.
func (s *survey) butNamed(workflow *approval.Workflow) string {
	if s.named[workflow.Key()] {
		return "; it applies only where a SmartRule or an Agent names it"
	}
	return ""
}

// workflowWithoutAgent warns of a selector for which there is no agent that
// could ask for anything it covers.
func (s *survey) workflowWithoutAgent(f *findings, workflow *approval.Workflow) {
	namespace := workflow.Key().Namespace
	agents := s.agentsOf(namespace)
	selected, err := match.NewAgent(workflow.Spec().Selector.Agents)
	if len(agents) == 0 || err != nil {
		return
	}
	selector := workflow.Spec().Selector
	covered := &scope{
		agent: selected, types: match.NewGlobs(selector.ActionTypes),
		places: folded(selector.Environments), sure: workflow.AutoApprove(), // one with stages may cover what is claimed
	}
	for i := range agents {
		if a := &agents[i]; covered.obstacle(a) == noObstacle && scoresBelow(workflow, a.most) && (workflow.Global() || !a.hasWorkflow) {
			return
		}
	}
	f.add(NoAgent, "spec.selector", "it chooses nothing, for no agent %s can ask for anything that it covers%s",
		s.where(namespace, len(agents)), s.butNamed(workflow))
}

// scoresBelow says whether a workflow covers a score that is not denied for
// being above an agent's limit. Where scoring failed, the limit does not count.
func scoresBelow(workflow *approval.Workflow, most risk.Score) bool {
	for score := risk.MinScore; score <= risk.MaxScore; score++ {
		if (score <= most || score >= risk.FailedScore) && workflow.CoversScore(score) {
			return true
		}
	}
	return false
}

// replaced tells of a global workflow that every namespace replaces, as it
// lets them.
func (s *survey) replaced(f *findings, workflow *approval.Workflow) {
	if !workflow.AllowNamespaceOverride() || s.named[workflow.Key()] || len(s.crew) == 0 || s.allows {
		return
	}
	selected, err := match.NewAgent(workflow.Spec().Selector.Agents)
	if err != nil {
		return
	}
	for i := range s.crew {
		if a := &s.crew[i]; selected.Match(a.name, a.labels) && !s.replacedFor(workflow, a) {
			return
		}
	}
	f.addAs(Info, Replaced, "spec.allowNamespaceOverride", "every namespace with agents that it covers chooses a workflow of its own in its place, so it is never used")
}

// replacedFor says whether a workflow is certainly replaced whatever the agent
// asks for.
func (s *survey) replacedFor(workflow *approval.Workflow, a *agent) bool {
	if a.hasWorkflow || a.namespace == v1alpha1.GlobalNamespace {
		return a.hasWorkflow
	}
	selector := workflow.Spec().Selector
	for score := risk.MinScore; score <= risk.MaxScore; score++ {
		if workflow.CoversScore(score) && !s.chosenEverywhere(a.namespace, score, selector) {
			return false
		}
	}
	return true
}

// chosenEverywhere says whether a namespace chooses a workflow of its own for
// all that a selector covers at that score, whatever is claimed.
func (s *survey) chosenEverywhere(namespace string, score risk.Score, selector *v1alpha1.WorkflowSelector) bool {
	for w := range s.Snapshot.Namespace(namespace).Workflows.All() {
		if w.CoversScore(score) && w.Err() == nil && len(w.Spec().Selector.Environments) == 0 &&
			containsMatch(w.Spec().Selector, selector.ActionTypes, selector.Agents) {
			return true
		}
	}
	return false
}
