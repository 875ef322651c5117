// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"context"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
)

// policy reads agents and workflows, each once, as far as the user may. What it
// says helps people to understand; who may approve admission decides.
type policy struct {
	reader    client.Reader
	agents    map[client.ObjectKey]read[v1alpha1.Agent]
	workflows map[client.ObjectKey]read[v1alpha1.ApprovalWorkflow]
}

// read is an object, or why it could not be read.
type read[T any] struct {
	object *T
	err    error
}

func newPolicy(reader client.Reader) *policy {
	return &policy{reader: reader, agents: map[client.ObjectKey]read[v1alpha1.Agent]{}, workflows: map[client.ObjectKey]read[v1alpha1.ApprovalWorkflow]{}}
}

func (p *policy) agent(ctx context.Context, action *v1alpha1.AgentAction) (*v1alpha1.Agent, error) {
	key := client.ObjectKey{Namespace: action.Namespace, Name: string(action.Spec.AgentRef.Name)}
	known, asked := p.agents[key]
	if !asked {
		known.object = &v1alpha1.Agent{}
		known.err = p.reader.Get(ctx, key, known.object)
		p.agents[key] = known
	}
	return known.object, known.err
}

func (p *policy) workflow(ctx context.Context, ref v1alpha1.ObjectReference) (*v1alpha1.ApprovalWorkflow, error) {
	key := client.ObjectKey{Namespace: string(ref.Namespace), Name: string(ref.Name)}
	known, asked := p.workflows[key]
	if !asked {
		known.object = &v1alpha1.ApprovalWorkflow{}
		known.err = p.reader.Get(ctx, key, known.object)
		p.workflows[key] = known
	}
	return known.object, known.err
}

// stageOf finds a stage by its id, with or without its round, in the workflows
// that have to be passed, and its place in its workflow; false where it cannot
// be told, as after the workflows have changed.
func (p *policy) stageOf(ctx context.Context, approval *v1alpha1.ApprovalStatus, id string) (*v1alpha1.ApprovalWorkflow, int, bool) {
	var found *v1alpha1.ApprovalWorkflow
	index := -1
	for _, ref := range approval.Workflows {
		workflow, err := p.workflow(ctx, ref)
		if err != nil {
			continue
		}
		for i := range workflow.Spec.Stages {
			name := workflow.Spec.Stages[i].Name
			long := string(ref.Namespace) + "/" + string(ref.Name) + "/" + name
			if plain := withoutRound(id); plain == long || plain == name {
				if index >= 0 {
					return nil, 0, false // the same name in two workflows
				}
				found, index = workflow, i
			}
		}
	}
	return found, index, index >= 0
}

// bars says why the user may not approve what an agent asks for, because it is
// theirs: they own it, or may ask in its name; empty where nothing is known
// against them. Self-approval that a workflow allows makes an end of it.
func (p *policy) bars(ctx context.Context, me identity, action *v1alpha1.AgentAction) string {
	agent, err := p.agent(ctx, action)
	if err != nil {
		return ""
	}
	why := barred(me, agent)
	if why == "" {
		return ""
	}
	for _, ref := range action.Status.Approval.Workflows {
		if workflow, err := p.workflow(ctx, ref); err != nil || workflow.Spec.AllowSelfApproval {
			return ""
		}
	}
	return why
}

func barred(me identity, agent *v1alpha1.Agent) string {
	if owner := match.Fold(agent.Spec.Owner); owner != "" && owner == match.Fold(me.username) {
		return "you own the agent"
	}
	for _, subject := range agent.Spec.Subjects {
		namespace := string(subject.Namespace)
		if namespace == "" {
			namespace = agent.Namespace
		}
		account := accountPrefix + namespace + "/" + string(subject.Name)
		if (subject.Kind == v1alpha1.SubjectUser && string(subject.Name) == me.username) ||
			(subject.Kind == v1alpha1.SubjectServiceAccount && slices.Contains(me.names(), account)) ||
			(subject.Kind == v1alpha1.SubjectGroup && slices.Contains(me.groups, string(subject.Name))) {
			return "you ask as the agent"
		}
	}
	return ""
}

// countedBefore says whether the user counts in an earlier stage of the workflow
// that waits, which wants different people in each.
func (p *policy) countedBefore(ctx context.Context, me identity, action *v1alpha1.AgentAction) bool {
	approval := action.Status.Approval
	for _, given := range action.Spec.Approvals {
		if given.Approver != me.username || given.Verdict != v1alpha1.VerdictApprove || !countsAlready(action, given, given.Stage) {
			continue
		}
		workflow, at, found := p.stageOf(ctx, approval, approval.Stage)
		earlier, before, known := p.stageOf(ctx, approval, given.Stage)
		if found && known && workflow == earlier && before < at &&
			(workflow.Spec.DistinctApprovers == nil || *workflow.Spec.DistinctApprovers) {
			return true
		}
	}
	return false
}
