// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// activation holds the values of the variables of one decision. Each is made
// when an expression first reads it.
type activation struct {
	in         *Input
	assessment *risk.Assessment // the one that risk shows

	values map[string]any
}

var _ cel.Activation = (*activation)(nil)

// Parent implements cel.Activation.
func (a *activation) Parent() cel.Activation { return nil }

// ResolveName returns the value of a variable. It implements cel.Activation.
func (a *activation) ResolveName(name string) (any, bool) {
	value, known := a.values[name]
	if known {
		return value, true
	}
	switch name {
	case varAction:
		value = a.action()
	case varAgent:
		value = a.agent()
	case varRisk:
		value = a.risk()
	case varRequester:
		value = a.requester()
	case varNamespace:
		value = a.namespace()
	case varNow:
		value = types.Timestamp{Time: a.in.Request.SubmittedAt}
	default:
		return nil, false
	}
	if a.values == nil {
		a.values = make(map[string]any, len(variables))
	}
	a.values[name] = value
	return value, true
}

// assess makes risk show another assessment.
func (a *activation) assess(assessment *risk.Assessment) {
	if a.assessment != assessment {
		a.assessment = assessment
		delete(a.values, varRisk)
	}
}

func (a *activation) action() map[string]any {
	req := a.in.Request
	return map[string]any{
		"namespace":          req.Namespace,
		"name":               req.Name,
		"uid":                req.UID,
		"labels":             notNil(req.Labels),
		"annotations":        notNil(req.Annotations),
		"agent":              req.Agent,
		"actionType":         req.ActionType,
		"description":        req.Description,
		"resource":           req.Resource,
		"resources":          texts(req.Resources),
		"parameters":         object(req.Parameters),
		"context":            object(req.Context),
		"dataClassification": classification(a.in.Assessment),
		"submittedAt":        types.Timestamp{Time: req.SubmittedAt},
	}
}

func (a *activation) agent() map[string]any {
	agent := a.in.Agent
	if agent == nil {
		agent = &v1alpha1.Agent{}
	}
	return map[string]any{
		"namespace":   agent.Namespace,
		"name":        agent.Name,
		"labels":      notNil(agent.Labels),
		"annotations": notNil(agent.Annotations),
		"displayName": agent.Spec.DisplayName,
		"type":        string(agent.Spec.Type),
		"environment": string(agent.Spec.Environment),
		"owner":       agent.Spec.Owner,
		"state":       string(agent.Spec.State),
	}
}

func (a *activation) risk() map[string]any {
	return map[string]any{
		"score":           float64(a.assessment.Score) / 10,
		"level":           string(a.assessment.Score.Level()),
		"vector":          a.assessment.Vector,
		"baseScore":       float64(a.assessment.Base) / 10,
		"classifications": texts(a.assessment.Classifications),
		"environments":    texts(a.assessment.Environments),
		"offHours":        a.assessment.OffHours,
	}
}

func (a *activation) requester() map[string]any {
	requester := a.in.Request.Requester
	return map[string]any{
		"username": requester.Username,
		"uid":      requester.UID,
		"groups":   texts(requester.Groups),
	}
}

func (a *activation) namespace() map[string]any {
	object := a.in.Namespace
	if object == nil {
		object = &NamespaceObject{Name: a.in.Request.Namespace}
	}
	return map[string]any{
		"metadata": map[string]any{
			"name":        object.Name,
			"labels":      notNil(object.Labels),
			"annotations": notNil(object.Annotations),
		},
	}
}

// classification is the data classification that was scored; empty when it is
// not known. Source: the factor of that name, see risk.Assessment.
func classification(assessment *risk.Assessment) string {
	if assessment.ClassificationUnknown {
		return ""
	}
	for _, factor := range assessment.Factors {
		if factor.Name == factorClassification {
			return factor.Value
		}
	}
	return ""
}

// factorClassification is the name of the factor for the data classification.
const factorClassification = "data-classification"

func notNil(set map[string]string) map[string]string {
	if set == nil {
		return map[string]string{}
	}
	return set
}

func object(value map[string]any) map[string]any {
	if value == nil {
		return map[string]any{}
	}
	return value
}

func texts[S ~string](words []S) []string {
	out := make([]string, len(words))
	for i, word := range words {
		out[i] = string(word)
	}
	return out
}
