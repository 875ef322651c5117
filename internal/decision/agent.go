// SPDX-License-Identifier: Apache-2.0

package decision

import (
	"fmt"
	"slices"

	"k8s.io/apiserver/pkg/authentication/serviceaccount"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/canonical"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// Agent is an Agent with its globs and limits compiled. It is never changed.
type Agent struct {
	object           *v1alpha1.Agent
	allowedTypes     match.Globs
	allowedResources match.Globs
	blockedResources match.Globs
	maxScore         risk.Score
	revision         string
}

// NewAgent compiles an Agent. A limit that cannot be read is taken as 0.0,
// which denies: the schema refuses such a limit, so something is very wrong.
func NewAgent(object *v1alpha1.Agent) *Agent {
	spec := &object.Spec
	maxScore, err := risk.ParseScore(spec.MaxRiskScore)
	switch {
	case spec.MaxRiskScore == "":
		maxScore = risk.MaxScore
	case err != nil:
		maxScore = 0
	}
	// A struct of strings always marshals; were it not so, the empty revision
	// would only make reports less precise.
	revision, _ := canonical.Digest(spec)
	return &Agent{
		object:           object,
		allowedTypes:     match.NewGlobs(spec.AllowedActionTypes),
		allowedResources: match.NewGlobs(spec.AllowedResources),
		blockedResources: match.NewGlobs(spec.BlockedResources),
		maxScore:         maxScore,
		revision:         revision,
	}
}

// Object returns the Agent it was compiled from. It must not be changed.
func (a *Agent) Object() *v1alpha1.Agent { return a.object }

// refusal is why an agent may not do something, before any rule is asked.
type refusal struct {
	reason  string
	message string
}

// Refuses says whether the agent may not ask for this at all, before any rule is
// asked, with the reason of the denial and a message for people.
func (a *Agent) Refuses(req *request.Request) (reason, message string, refused bool) {
	if no := a.gate(req); no != nil {
		return no.reason, no.message, true
	}
	return "", "", false
}

// gate says whether the agent may ask for this at all; nil when it may.
func (a *Agent) gate(req *request.Request) *refusal {
	for _, check := range []func(*request.Request) *refusal{a.checkSubject, a.checkState, a.checkActionType, a.checkResources} {
		if no := check(req); no != nil {
			return no
		}
	}
	return nil
}

// checkSubject holds the action to who may submit in the agent's name now, which
// may be others than when it was submitted. A requester without a name is one
// that nobody has vouched for, which is the matter of whoever vouches.
func (a *Agent) checkSubject(req *request.Request) *refusal {
	if req.Requester.Username == "" || a.admits(&req.Requester) {
		return nil
	}
	return &refusal{v1alpha1.ReasonNotASubject,
		fmt.Sprintf("%q may not submit actions in the name of agent %s; its spec.subjects may", req.Requester.Username, a.object.Name)}
}

// admits says whether somebody is a subject of the agent. Names are compared
// exactly: this lets in, so no other spelling may do.
func (a *Agent) admits(who *v1alpha1.Requester) bool {
	return slices.ContainsFunc(a.object.Spec.Subjects, func(s v1alpha1.Subject) bool {
		switch s.Kind {
		case v1alpha1.SubjectUser:
			return who.Username == string(s.Name)
		case v1alpha1.SubjectGroup:
			return slices.Contains(who.Groups, s.Name)
		case v1alpha1.SubjectServiceAccount:
			namespace := string(s.Namespace)
			if namespace == "" {
				namespace = a.object.Namespace
			}
			return who.Username == serviceaccount.MakeUsername(namespace, string(s.Name))
		default:
			return false
		}
	})
}

func (a *Agent) checkState(*request.Request) *refusal {
	name := a.object.Name
	switch state := a.object.Spec.State; state {
	case v1alpha1.AgentActive:
		return nil
	case v1alpha1.AgentSuspended:
		return &refusal{v1alpha1.ReasonAgentSuspended,
			fmt.Sprintf("agent %s is suspended; whoever manages the agent can set spec.state to Active", name)}
	case v1alpha1.AgentRetired:
		return &refusal{v1alpha1.ReasonAgentRetired,
			fmt.Sprintf("agent %s is retired; submit in the name of an agent that is in use", name)}
	default:
		return &refusal{v1alpha1.ReasonAgentStateUnknown,
			fmt.Sprintf("agent %s has the state %q, which this operator does not know; set spec.state to Active, Suspended or Retired", name, state)}
	}
}

func (a *Agent) checkActionType(req *request.Request) *refusal {
	if a.allowedTypes == nil || a.allowedTypes.Match(req.ActionType) {
		return nil
	}
	return &refusal{v1alpha1.ReasonActionTypeNotAllowed,
		fmt.Sprintf("agent %s may not ask for %s; its spec.allowedActionTypes are %q", a.object.Name, req.ActionType, a.object.Spec.AllowedActionTypes)}
}

// checkResources looks at every resource the action names.
func (a *Agent) checkResources(req *request.Request) *refusal {
	for _, resource := range req.Resources {
		if a.blockedResources.Match(resource) {
			return &refusal{v1alpha1.ReasonResourceBlocked,
				fmt.Sprintf("agent %s is barred from resource %q by its spec.blockedResources", a.object.Name, resource)}
		}
		if a.allowedResources != nil && !a.allowedResources.Match(resource) {
			return &refusal{v1alpha1.ReasonResourceNotAllowed,
				fmt.Sprintf("agent %s may not use resource %q; its spec.allowedResources are %q", a.object.Name, resource, a.object.Spec.AllowedResources)}
		}
	}
	if a.allowedResources != nil && req.ResourceUnknown {
		return &refusal{v1alpha1.ReasonResourceNotAllowed,
			fmt.Sprintf("agent %s may only use the resources in its spec.allowedResources, and the action names none that can be read; name it in spec.resource", a.object.Name)}
	}
	return nil
}

// mayTouchBlocked says whether the action may touch resources it does not name
// while some are blocked, so that only a human can tell.
func (a *Agent) mayTouchBlocked(req *request.Request) bool {
	return a.blockedResources != nil && req.ResourceUnknown
}
