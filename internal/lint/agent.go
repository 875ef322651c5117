// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// Agent refuses an Agent that cannot be read, and otherwise warns of one that
// nobody can use, or everybody.
func (w *World) Agent(agent *v1alpha1.Agent) ([]Finding, field.ErrorList) {
	if errs := unreadableAgent(&agent.Spec); len(errs) > 0 {
		return nil, errs
	}
	var f findings
	agentSubjects(&f, agent)
	agentOwner(&f, agent)
	agentLimits(&f, &agent.Spec)
	agentGlobs(&f, &agent.Spec)
	w.workflow(&f, "spec.workflowRef", agent.Namespace, agent.Spec.WorkflowRef)
	return f, nil
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
func agentSubjects(f *findings, agent *v1alpha1.Agent) {
	if len(agent.Spec.Subjects) == 0 && agent.Spec.State != v1alpha1.AgentRetired {
		f.add(NoSubjects, "spec.subjects", "it is empty, so nobody can submit actions in the name of this agent; name a ServiceAccount, user or group")
	}
	for i := range agent.Spec.Subjects {
		subject, path := &agent.Spec.Subjects[i], indexed("spec.subjects", i)+".name"
		name := string(subject.Name)
		switch subject.Kind {
		case v1alpha1.SubjectServiceAccount:
			if len(validation.IsDNS1123Subdomain(name)) > 0 {
				f.add(Nobody, path, "no ServiceAccount has the name %s: it is lower-case letters, digits, '-' and '.', without the namespace", quoted(name))
			}
		case v1alpha1.SubjectUser:
			if approval.NoServiceAccount(name) {
				f.add(Nobody, path, "nobody has the name %s; use kind ServiceAccount", quoted(name))
			}
			f.crowd(path, name, "may submit actions in the name of this agent")
		case v1alpha1.SubjectGroup:
			f.crowd(path, name, "may submit actions in the name of this agent, and may then not approve any")
		}
	}
}

// agentOwner warns where nobody answers for the agent, or the agent itself.
func agentOwner(f *findings, agent *v1alpha1.Agent) {
	const path = "spec.owner"
	owner := match.Fold(agent.Spec.Owner)
	if owner == "" {
		f.add(NoOwner, path, "it is empty, so nobody is kept from approving this agent's actions as its owner; give the user name of who answers for it")
		return
	}
	for i := range agent.Spec.Subjects {
		subject := &agent.Spec.Subjects[i]
		if subject.Kind == v1alpha1.SubjectUser && match.Fold(string(subject.Name)) == owner {
			f.add(OwnerSubmits, path, "%s is among the subjects as well, so who answers for this agent also submits its actions", quoted(agent.Spec.Owner))
			return
		}
	}
}

func agentLimits(f *findings, spec *v1alpha1.AgentSpec) {
	limit := spec.RateLimit
	if limit == nil {
		return
	}
	for _, of := range []struct {
		name  string
		value *int32
	}{{"perMinute", limit.PerMinute}, {"perHour", limit.PerHour}, {"perDay", limit.PerDay}} {
		if of.value != nil && *of.value == 0 {
			f.add(NoRate, "spec.rateLimit."+of.name, "it is 0, so every action is refused; to stop an agent for a while, set spec.state to Suspended")
			return
		}
	}
}

// agentGlobs warns of patterns that let nothing through.
func agentGlobs(f *findings, spec *v1alpha1.AgentSpec) {
	f.uselessActionTypes("spec.allowedActionTypes", spec.AllowedActionTypes, "so the agent can ask for nothing")
	f.blank("spec.allowedResources", spec.AllowedResources, "so the agent can name no resource")
	f.blank("spec.blockedResources", spec.BlockedResources, "so no resource is blocked")
	blocked := match.NewGlobs(spec.BlockedResources)
	if blocked == nil || len(spec.AllowedResources) == 0 && !blocked.Contains(nil) {
		return
	}
	if blocked.Contains(match.NewGlobs(spec.AllowedResources)) {
		f.add(Blocked, "spec.blockedResources", "they cover all that allowedResources allow, so the agent can name no resource")
		return
	}
	for i, allowed := range spec.AllowedResources {
		if blocked.Contains(match.NewGlobs([]v1alpha1.Glob{allowed})) {
			f.add(Blocked, indexed("spec.allowedResources", i), "%s has no effect, for blockedResources cover all of it", quoted(string(allowed)))
			return
		}
	}
}
