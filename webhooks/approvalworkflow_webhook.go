// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/policy"
)

// approvalWorkflowChecks refuse a workflow that does not compile, and warn of
// one that nobody can pass, or anybody.
type approvalWorkflowChecks struct{ policy *policy.Store }

func approvalWorkflows(o Options) *validator[*v1alpha1.ApprovalWorkflow] {
	c := &approvalWorkflowChecks{policy: o.Policy}
	return &validator[*v1alpha1.ApprovalWorkflow]{
		kind:  "ApprovalWorkflow",
		spec:  func(workflow *v1alpha1.ApprovalWorkflow) any { return &workflow.Spec },
		check: c.check,
	}
}

func (c *approvalWorkflowChecks) check(_ context.Context, object *v1alpha1.ApprovalWorkflow) (admission.Warnings, field.ErrorList) {
	compiled := approval.Compile(object)
	if errs := fieldErrors(compiled.Err()); len(errs) > 0 {
		return nil, errs
	}
	var w warnings
	workflowChoice(object, compiled, c.policy.Snapshot().Namespace(object.Namespace).Workflows, &w)
	workflowPeople(object, compiled, &w)
	workflowTimes(&object.Spec, &w)
	return admission.Warnings(w), nil
}

// workflowChoice warns of what the selector chooses, and of what it never does.
func workflowChoice(object *v1alpha1.ApprovalWorkflow, compiled *approval.Workflow, others *approval.Set, w *warnings) {
	const path = "spec.selector"
	if spec := object.Spec.Selector; spec != nil {
		if why := compiled.NeverChosen(); why != "" {
			w.add(path, "it covers no action: %s", why)
		} else {
			w.uselessActionTypes(path+".actionTypes", spec.ActionTypes, "")
			w.uselessAgents(path+".agents", spec.Agents, "")
		}
	}
	if other := compiled.Overlapping(others); other != nil {
		what := "both have to be passed"
		switch {
		case object.Spec.AutoApprove:
			what = "that one, which has stages, is chosen for them"
		case other.AutoApprove():
			what = "this one, which has stages, is chosen for them"
		}
		w.add(path, "ApprovalWorkflow %s has the same priority and covers some of the same actions: %s; give them different priorities if that is not meant",
			other.Key(), what)
	}
	if object.Spec.AllowNamespaceOverride && !compiled.Global() {
		w.add("spec.allowNamespaceOverride", "it has no effect here, only in namespace %s", v1alpha1.GlobalNamespace)
	}
}

// workflowPeople warns of stages that nobody can pass, and of those that
// anybody can.
func workflowPeople(object *v1alpha1.ApprovalWorkflow, compiled *approval.Workflow, w *warnings) {
	spec := &object.Spec
	if short, found := compiled.Shortage(); found {
		w.add("spec", "nobody can pass %s: %d different people are required and %d named%s",
			stageList(short.Stages), short.Required, short.Named, together(short.Stages))
	}
	for i := range spec.Stages {
		stage, path := &spec.Stages[i], fmt.Sprintf("spec.stages[%d]", i)
		approvers(path+".approvers", &stage.Approvers, w)
		if stage.Escalation != nil {
			approvers(path+".escalation.approvers", &stage.Escalation.Approvers, w)
		}
	}
	if spec.EmergencyOverride != nil {
		approvers("spec.emergencyOverride.approvers", &spec.EmergencyOverride.Approvers, w)
	}
	if spec.AllowSelfApproval {
		w.add("spec.allowSelfApproval", "whoever submits an action, the agent itself too, may approve it where a stage names them")
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
func approvers(path string, set *v1alpha1.ApproverSet, w *warnings) {
	for i, user := range set.Users {
		at := fmt.Sprintf("%s.users[%d]", path, i)
		if approval.NoServiceAccount(string(user)) {
			w.add(at, "nobody has the name %s; that of a ServiceAccount is system:serviceaccount:NAMESPACE:NAME", quoted(string(user)))
		}
		crowd(at, string(user), "may approve, as far as they hold the verb", w)
	}
	for i, group := range set.Groups {
		crowd(fmt.Sprintf("%s.groups[%d]", path, i), string(group), "may approve, as far as they hold the verb", w)
	}
}

// crowd warns of a name that stands for more people than one might expect.
func crowd(path, name, may string, w *warnings) {
	if who := approval.Crowd(name); who != "" {
		w.add(path, "%s stands for %s, who %s", quoted(name), who, may)
	}
}

// workflowTimes warns of times that come after the end of the workflow.
func workflowTimes(spec *v1alpha1.ApprovalWorkflowSpec, w *warnings) {
	if spec.AutoApprove {
		return
	}
	end := durationOr(spec.Timeout, approval.DefaultTimeout)
	for i := range spec.Stages {
		stage, path := &spec.Stages[i], fmt.Sprintf("spec.stages[%d]", i)
		timeout := durationOr(stage.Timeout, 0)
		after := timeout
		if stage.Escalation != nil {
			after = durationOr(stage.Escalation.After, timeout)
		}
		switch {
		case stage.Escalation != nil && after >= end:
			w.add(path+".escalation", "it would happen after %s, when the workflow has ended: its timeout is %s", after, end)
		case timeout > end:
			w.add(path+".timeout", "%s is longer than the workflow's timeout of %s, which ends the stage before", timeout, end)
		}
	}
}

func durationOr(d *metav1.Duration, fallback time.Duration) time.Duration {
	if d == nil {
		return fallback
	}
	return d.Duration
}
