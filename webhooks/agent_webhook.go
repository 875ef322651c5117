// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// agentChecks refuse an Agent that cannot be read, and warn of one that nobody
// can use, or everybody.
type agentChecks struct{ refs *references }

func agents(refs *references) *validator[*v1alpha1.Agent] {
	c := &agentChecks{refs: refs}
	return &validator[*v1alpha1.Agent]{
		kind:  "Agent",
		spec:  func(agent *v1alpha1.Agent) any { return &agent.Spec },
		check: c.check,
	}
}

func (c *agentChecks) check(ctx context.Context, agent *v1alpha1.Agent) (admission.Warnings, field.ErrorList) {
	if errs := unreadableAgent(&agent.Spec); len(errs) > 0 {
		return nil, errs
	}
	var w warnings
	agentSubjects(agent, &w)
	agentOwner(agent, &w)
	agentLimits(&agent.Spec, &w)
	agentGlobs(&agent.Spec, &w)
	if ref := agent.Spec.WorkflowRef; ref != nil {
		missing, _ := c.refs.missingWorkflow(ctx, agent.Namespace, string(ref.Name))
		w.addIf("spec.workflowRef", missing)
	}
	return admission.Warnings(w), nil
}

// unreadableAgent finds values that the schema refuses too, and that would
// otherwise deny everything.
func unreadableAgent(spec *v1alpha1.AgentSpec) field.ErrorList {
	var errs field.ErrorList
	root := field.NewPath("spec")
	switch spec.State {
	case "", v1alpha1.AgentActive, v1alpha1.AgentSuspended, v1alpha1.AgentRetired:
	default:
		errs = append(errs, field.NotSupported(root.Child("state"), spec.State,
			[]v1alpha1.AgentState{v1alpha1.AgentActive, v1alpha1.AgentSuspended, v1alpha1.AgentRetired}))
	}
	if spec.MaxRiskScore != "" {
		if _, err := risk.ParseScore(spec.MaxRiskScore); err != nil {
			errs = append(errs, field.Invalid(root.Child("maxRiskScore"), field.OmitValueType{}, err.Error()))
		}
	}
	for i := range spec.Subjects {
		switch kind := spec.Subjects[i].Kind; kind {
		case v1alpha1.SubjectServiceAccount, v1alpha1.SubjectUser, v1alpha1.SubjectGroup:
		default:
			errs = append(errs, field.NotSupported(root.Child("subjects").Index(i).Child("kind"), kind,
				[]v1alpha1.SubjectKind{v1alpha1.SubjectServiceAccount, v1alpha1.SubjectUser, v1alpha1.SubjectGroup}))
		}
	}
	return errs
}

// agentSubjects warns of an agent in whose name nobody, or everybody, may submit.
func agentSubjects(agent *v1alpha1.Agent, w *warnings) {
	if len(agent.Spec.Subjects) == 0 && agent.Spec.State != v1alpha1.AgentRetired {
		w.add("spec.subjects", "it is empty, so nobody can submit actions in the name of this agent; name a ServiceAccount, user or group")
	}
	for i := range agent.Spec.Subjects {
		subject, path := &agent.Spec.Subjects[i], fmt.Sprintf("spec.subjects[%d]", i)
		name := string(subject.Name)
		switch subject.Kind {
		case v1alpha1.SubjectServiceAccount:
			if len(validation.IsDNS1123Subdomain(name)) > 0 {
				w.add(path+".name", "no ServiceAccount has the name %s: it is lower-case letters, digits, '-' and '.', without the namespace", quoted(name))
			}
		case v1alpha1.SubjectUser:
			if approval.NoServiceAccount(name) {
				w.add(path+".name", "nobody has the name %s; use kind ServiceAccount", quoted(name))
			}
			crowd(path+".name", name, "may submit actions in the name of this agent", w)
		case v1alpha1.SubjectGroup:
			crowd(path+".name", name, "may submit actions in the name of this agent, and may then not approve any", w)
		}
	}
}

// agentOwner warns where nobody answers for the agent, or the agent itself.
func agentOwner(agent *v1alpha1.Agent, w *warnings) {
	owner := match.Fold(agent.Spec.Owner)
	if owner == "" {
		w.add("spec.owner", "it is empty, so nobody is kept from approving this agent's actions as its owner; give the user name of who answers for it")
		return
	}
	for i := range agent.Spec.Subjects {
		subject := &agent.Spec.Subjects[i]
		if subject.Kind == v1alpha1.SubjectUser && match.Fold(string(subject.Name)) == owner {
			w.add("spec.owner", "%s is among the subjects as well, so who answers for this agent also submits its actions", quoted(agent.Spec.Owner))
			return
		}
	}
}

func agentLimits(spec *v1alpha1.AgentSpec, w *warnings) {
	limit := spec.RateLimit
	if limit == nil {
		return
	}
	for _, of := range []struct {
		name  string
		value *int32
	}{{"perMinute", limit.PerMinute}, {"perHour", limit.PerHour}, {"perDay", limit.PerDay}} {
		if of.value != nil && *of.value == 0 {
			w.add("spec.rateLimit."+of.name, "it is 0, so every action is refused; to stop an agent for a while, set spec.state to Suspended")
			return
		}
	}
}

// agentGlobs warns of patterns that let nothing through.
func agentGlobs(spec *v1alpha1.AgentSpec, w *warnings) {
	w.uselessActionTypes("spec.allowedActionTypes", spec.AllowedActionTypes, "so the agent can ask for nothing")
	w.blank("spec.allowedResources", spec.AllowedResources, "so the agent can name no resource")
	w.blank("spec.blockedResources", spec.BlockedResources, "so no resource is blocked")
	blocked := match.NewGlobs(spec.BlockedResources)
	if blocked == nil || len(spec.AllowedResources) == 0 && !blocked.Contains(nil) {
		return
	}
	if blocked.Contains(match.NewGlobs(spec.AllowedResources)) {
		w.add("spec.blockedResources", "they cover all that allowedResources allow, so the agent can name no resource")
		return
	}
	for i, allowed := range spec.AllowedResources {
		if blocked.Contains(match.NewGlobs([]v1alpha1.Glob{allowed})) {
			w.add(fmt.Sprintf("spec.allowedResources[%d]", i), "%s has no effect, for blockedResources cover all of it", quoted(string(allowed)))
			return
		}
	}
}
