// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"fmt"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// explainStages adds all stages that have to be passed: those that are, the one
// that waits, and those to come.
func explainStages(parent *terminal.Node, action *v1alpha1.AgentAction, b *background) {
	switch {
	case !b.known:
		return
	case b.changed && !action.Status.Decision.IsFinal():
		parent.Add("stages: not shown, for the workflows have just changed; the operator evaluates the action again")
		return
	case b.changed:
		parent.Add("stages: not shown, for the workflows have changed since")
		return
	}
	stages := stagesOf(b.chain)
	n := parent.Add("stages: %d", len(stages))
	for i := range stages {
		n.Add("%s", stages[i].words(action, i))
	}
}

// plannedStage is a stage of a chain, with the workflow it belongs to.
type plannedStage struct {
	id       string
	workflow string
	spec     *v1alpha1.Stage // nil: whoever holds the verb approve
}

// stagesOf lists the stages of a chain with what their workflows say of them.
func stagesOf(chain approval.Chain) []plannedStage {
	var stages []plannedStage
	for _, w := range chain.Workflows() {
		name, spec := marked(w.Key().String()), w.Spec()
		if spec == nil || len(spec.Stages) == 0 {
			stages = append(stages, plannedStage{workflow: name})
			continue
		}
		for i := range spec.Stages {
			stages = append(stages, plannedStage{workflow: name, spec: &spec.Stages[i]})
		}
	}
	for i, id := range chain.Stages() {
		if i < len(stages) {
			stages[i].id = id
		}
	}
	return stages
}

// words say how far a stage is, who it takes, and who agreed.
func (p *plannedStage) words(action *v1alpha1.AgentAction, index int) string {
	text := fmt.Sprintf("%s: %s of %s, %s", p.standing(action, index), marked(p.id), p.workflow, p.wants())
	if by := p.agreed(action); len(by) > 0 {
		text += "; agreed: " + strings.Join(by, ", ")
	}
	return text
}

// standing is how far a stage is.
func (p *plannedStage) standing(action *v1alpha1.AgentAction, index int) string {
	status := &action.Status
	now := int(status.Approval.StageIndex)
	switch {
	case index < now:
		return "passed"
	case status.Decision == v1alpha1.DecisionApproved && status.Reason == v1alpha1.ReasonEmergencyOverride:
		return "overridden"
	case status.Decision == v1alpha1.DecisionApproved:
		return "passed"
	case status.Decision.IsFinal() && index == now:
		return "ended here"
	case status.Decision.IsFinal():
		return "not reached"
	case index == now:
		return "now"
	default:
		return "later"
	}
}

// wants is who has to agree, and how many.
func (p *plannedStage) wants() string {
	if p.spec == nil {
		return "1 of whoever holds the verb approve"
	}
	set, entries := &p.spec.Approvers, []string(nil)
	for _, group := range set.Groups {
		entries = append(entries, "group:"+string(group))
	}
	for _, user := range set.Users {
		entries = append(entries, "user:"+string(user))
	}
	for _, account := range set.ServiceAccounts {
		entries = append(entries, "serviceaccount:"+string(account.Namespace)+"/"+string(account.Name))
	}
	return fmt.Sprintf("%d of %s", max(p.spec.Required, 1), OrNothing(EntryList(entries)))
}

// agreed are those whose approval of the stage counts.
func (p *plannedStage) agreed(action *v1alpha1.AgentAction) []string {
	var by []string
	for i := range action.Spec.Approvals {
		given := &action.Spec.Approvals[i]
		id, _, _ := strings.Cut(given.Stage, "@")
		if given.Verdict == v1alpha1.VerdictApprove && id == p.id && WhyUncounted(action, given.Approver, given.Stage) == "" {
			by = append(by, marked(given.Approver))
		}
	}
	return by
}
