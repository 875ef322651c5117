// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
)

// ApprovalWorkflow refuses a workflow that does not compile, and otherwise
// warns of one that nobody can pass, or anybody.
func (w *World) ApprovalWorkflow(workflow *approval.Workflow) ([]Finding, field.ErrorList) {
	if errs := fieldErrors(workflow.Err()); len(errs) > 0 {
		return nil, errs
	}
	var f findings
	workflowChoice(&f, workflow, w.Snapshot.Namespace(workflow.Key().Namespace).Workflows)
	workflowPeople(&f, workflow)
	workflowTimes(&f, workflow.Spec())
	return f, nil
}

// workflowChoice warns of what the selector chooses, and of what it never does.
func workflowChoice(f *findings, workflow *approval.Workflow, others *approval.Set) {
	const path = "spec.selector"
	spec := workflow.Spec()
	if selector := spec.Selector; selector != nil {
		if why := workflow.NeverChosen(); why != "" {
			f.add(NeverChosen, path, "it covers no action: %s", why)
		} else {
			f.uselessActionTypes(path+".actionTypes", selector.ActionTypes, "")
			f.uselessAgents(path+".agents", selector.Agents, "")
		}
	}
	if other := workflow.Overlapping(others); other != nil {
		what := "both have to be passed"
		switch {
		case spec.AutoApprove:
			what = "that one, which has stages, is chosen for them"
		case other.AutoApprove():
			what = "this one, which has stages, is chosen for them"
		}
		f.add(Overlap, path, "ApprovalWorkflow %s has the same priority and covers some of the same actions: %s; give them different priorities if that is not meant",
			other.Key(), what)
	}
	if spec.AllowNamespaceOverride && !workflow.Global() {
		f.add(NoEffect, "spec.allowNamespaceOverride", "it has no effect here, only in namespace %s", v1alpha1.GlobalNamespace)
	}
}

// workflowPeople warns of stages that nobody can pass, and of those that
// anybody can.
func workflowPeople(f *findings, workflow *approval.Workflow) {
	spec := workflow.Spec()
	if short, found := workflow.Shortage(); found {
		f.add(Impossible, "spec", "nobody can pass %s: %d different people are required and %d named%s",
			stageList(short.Stages), short.Required, short.Named, together(short.Stages))
	}
	for i := range spec.Stages {
		stage, path := &spec.Stages[i], indexed("spec.stages", i)
		f.approvers(path+".approvers", &stage.Approvers)
		if stage.Escalation != nil {
			f.approvers(path+".escalation.approvers", &stage.Escalation.Approvers)
		}
	}
	if spec.EmergencyOverride != nil {
		f.approvers("spec.emergencyOverride.approvers", &spec.EmergencyOverride.Approvers)
	}
	if spec.AllowSelfApproval {
		f.add(SelfApproval, "spec.allowSelfApproval", "whoever submits an action, the agent itself too, may approve it where a stage names them")
	}
}

func stageList(stages []string) string {
	switch {
	case len(stages) > 1:
		return "stages " + strings.Join(stages, ", ") + " together"
	case stages[0] == v1alpha1.OverrideStage:
		return "the emergencyOverride"
	default:
		return "stage " + stages[0]
	}
}

func together(stages []string) string {
	if len(stages) > 1 {
		return "; name more people, or set distinctApprovers to false so that one person counts in several stages"
	}
	return "; name more people"
}

// approvers warns of names that stand for a crowd, and of those that nobody has.
func (f *findings) approvers(path string, set *v1alpha1.ApproverSet) {
	const may = "may approve, as far as they hold the verb"
	for i, user := range set.Users {
		at := indexed(path+".users", i)
		if approval.NoServiceAccount(string(user)) {
			f.add(Nobody, at, "nobody has the name %s; that of a ServiceAccount is system:serviceaccount:NAMESPACE:NAME", quoted(string(user)))
		}
		f.crowd(at, string(user), may)
	}
	for i, group := range set.Groups {
		f.crowd(indexed(path+".groups", i), string(group), may)
	}
}

// workflowTimes warns of times that come after the end of the workflow.
func workflowTimes(f *findings, spec *v1alpha1.ApprovalWorkflowSpec) {
	if spec.AutoApprove {
		return
	}
	end := durationOr(spec.Timeout, approval.DefaultTimeout)
	for i := range spec.Stages {
		stage, path := &spec.Stages[i], indexed("spec.stages", i)
		timeout := durationOr(stage.Timeout, 0)
		after := timeout
		if stage.Escalation != nil {
			after = durationOr(stage.Escalation.After, timeout)
		}
		switch {
		case stage.Escalation != nil && after >= end:
			f.add(TooLate, path+".escalation", "it would happen after %s, when the workflow has ended: its timeout is %s", after, end)
		case timeout > end:
			f.add(TooLate, path+".timeout", "%s is longer than the workflow's timeout of %s, which ends the stage before", timeout, end)
		}
	}
}

func durationOr(d *metav1.Duration, fallback time.Duration) time.Duration {
	if d == nil {
		return fallback
	}
	return d.Duration
}
