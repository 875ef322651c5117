// SPDX-License-Identifier: Apache-2.0

// Package request reads an AgentAction into the form that is evaluated: every
// claim has been checked for its type, and what cannot be read as what it
// claims to be is marked as unknown, which everything that follows takes for
// the worst.
package request

import (
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/canonical"
	"github.com/ow-kai/ascend-operator/internal/match"
)

// The keys of parameters (and of context, for the environment) whose meaning
// the operator knows.
const (
	KeyDataClassification = "data_classification"
	KeyEnvironment        = "environment"
)

// Request is an action as it is evaluated. It is never changed once read.
type Request struct {
	Namespace   string
	Name        string
	UID         string
	Labels      map[string]string
	Annotations map[string]string

	// Agent is the name of the Agent, as written.
	Agent string
	// ActionType is folded by match.Fold.
	ActionType  string
	Description string
	// Resource is the first resource named, as written; empty when there is none.
	Resource string
	// Resources are all resources named anywhere, folded by match.Fold, in
	// order and without repeats, at most MaxResources. A name that may be a
	// list ("a, b") is there as a whole and in parts.
	Resources []string
	// ResourceUnknown says that the action may touch resources that Resources
	// does not have: none is named, a place that names one cannot be read, or a
	// name may stand for another (a wildcard, "..", characters that cannot be seen).
	ResourceUnknown bool
	// Parameters and Context are the decoded JSON objects: whole numbers are
	// int64, others float64. Never nil.
	Parameters map[string]any
	Context    map[string]any
	// Classification is parameters.data_classification.
	Classification Claim
	// Environments are what parameters.environment and context.environment
	// claim, where they are present; all of them are Present.
	Environments []Claim

	Exception *v1alpha1.ExceptionRequest
	Cancelled bool
	// Requester and Approvals are as vouched for, not as written by a client.
	Requester v1alpha1.Requester
	Approvals []v1alpha1.Approval

	// SubmittedAt is when the API server stored the action.
	SubmittedAt time.Time
	// Digest is the v1alpha1 specDigest of the request.
	Digest string
}

// Read checks and decodes an action, with the requester and the approvals that
// somebody vouches for. It fails with an *InvalidError for an action that is
// over a limit or cannot be decoded; the Request is then still returned with
// its names, so that the denial can be written.
func Read(action *v1alpha1.AgentAction, requester v1alpha1.Requester, approvals []v1alpha1.Approval) (*Request, error) {
	spec := &action.Spec
	req := &Request{
		Namespace:   action.Namespace,
		Name:        action.Name,
		UID:         string(action.UID),
		Labels:      action.Labels,
		Annotations: action.Annotations,
		Agent:       string(spec.AgentRef.Name),
		ActionType:  match.Fold(spec.ActionType),
		Description: spec.Description,
		Parameters:  map[string]any{},
		Context:     map[string]any{},
		// Until all of it has been read.
		ResourceUnknown: true,
		Exception:       spec.ExceptionRequest,
		Cancelled:       spec.Cancelled,
		Requester:       requester,
		Approvals:       approvals,
		SubmittedAt:     action.CreationTimestamp.UTC(),
	}
	var err error
	if req.Parameters, err = decodeObject("spec.parameters", spec.Parameters); err != nil {
		return req, err
	}
	if req.Context, err = decodeObject("spec.context", spec.Context); err != nil {
		return req, err
	}
	if req.Digest, err = Digest(spec); err != nil {
		return req, err
	}
	req.ResourceUnknown = false
	req.readResources(spec.Resource)
	req.readClaims()
	return req, nil
}

// Digest is the v1alpha1 specDigest: over what was asked, not over who asked or
// what became of it. It fails with an *InvalidError.
func Digest(spec *v1alpha1.AgentActionSpec) (string, error) {
	digest, err := canonical.Digest(map[string]any{
		"agentRef":         spec.AgentRef,
		"actionType":       spec.ActionType,
		"description":      spec.Description,
		"resource":         spec.Resource,
		"parameters":       spec.Parameters,
		"context":          spec.Context,
		"exceptionRequest": spec.ExceptionRequest,
	})
	if err != nil {
		return "", invalid("spec", "cannot be written as canonical JSON: "+err.Error(), "use valid UTF-8 text only")
	}
	return digest, nil
}
