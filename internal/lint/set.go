// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// Found is a finding and what it is of.
type Found struct {
	Finding
	// Object is one of those that were given; nil where the finding is of a
	// namespace and of no object in it.
	Object metav1.Object
	// Namespace of the object; empty for what is of the cluster. Where Object is
	// nil, v1alpha1.GlobalNamespace stands for all that have no workflows of
	// their own.
	Namespace string
}

// Set returns what is to be said of objects: what admission refuses as Error,
// what it warns of as Warning, and what shows where all policy is looked at
// together. Of two rules of which one shadows the other, only the one that is
// shadowed has a finding; of two workflows that overlap, the one that comes first.
//
// World.Snapshot has to hold the objects, and counts as all there is: what is
// missing from it does not exist. Only where a namespace has no agents in it
// does it count as one whose agents are not known. Objects are pointers to
// v1alpha1 kinds of policy; all others are passed over.
//
// Findings are in the order of the objects; those of namespaces come last, by
// name.
func Set(world *World, objects []metav1.Object) []Found {
	s := newSurvey(world)
	var out []Found
	for _, object := range objects {
		for _, finding := range s.object(object) {
			out = append(out, Found{Finding: finding, Object: object, Namespace: object.GetNamespace()})
		}
	}
	return append(out, s.gaps()...)
}

// object is all that is to be said of one object.
func (s *survey) object(object metav1.Object) []Finding {
	switch o := object.(type) {
	case *v1alpha1.SmartRule:
		rule, found := s.Snapshot.Namespace(o.Namespace).Rules.Get(rules.Key{Namespace: o.Namespace, Name: o.Name})
		if !found {
			return notCompiled()
		}
		return s.smartRule(rule)
	case *v1alpha1.ApprovalWorkflow:
		workflow := s.Snapshot.Namespace(o.Namespace).Workflows.Get(o.Name)
		if workflow == nil {
			return notCompiled()
		}
		return s.approvalWorkflow(workflow)
	case *v1alpha1.Agent:
		f, errs := s.Agent(o)
		found := findings(f)
		s.elsewhere(&found, "spec.workflowRef", o.Namespace, o.Spec.WorkflowRef)
		return either(found, errs)
	case *v1alpha1.RiskModel:
		return either(RiskModel(o))
	case *v1alpha1.WebhookSubscription:
		return either(s.WebhookSubscription(o))
	default:
		return nil
	}
}

// either is what is refused, otherwise what is warned of.
func either(found []Finding, errs field.ErrorList) []Finding {
	if len(errs) > 0 {
		return Refusals(errs)
	}
	return found
}

func notCompiled() []Finding {
	return []Finding{{
		Code: NotCompiled, Severity: Error, Path: "metadata.name",
		Message: "it is not part of the policy that is looked at, so nothing can be said of it",
	}}
}

// smartRule is all that is to be said of a rule.
func (s *survey) smartRule(rule *rules.Rule) []Finding {
	if errs := fieldErrors(rule.Err()); len(errs) > 0 {
		return Refusals(errs)
	}
	if rule.Mode() == v1alpha1.RuleDisabled {
		return nil
	}
	var f findings
	s.rule(&f, rule)
	s.contradiction(&f, rule)
	for _, r := range referencesOf(rule) {
		s.elsewhere(&f, r.path, rule.Key().Namespace, r.ref)
	}
	if f.hopeless() {
		return f // what else it does not do is of no interest
	}
	before := len(f)
	s.shadowed(&f, rule)
	for _, check := range []func(*findings, *rules.Rule){s.repeated, s.allowsInVain, s.ruleWithoutAgent} {
		if len(f) == before {
			check(&f, rule)
		}
	}
	return f
}

// hopeless says whether a rule was found that no action can match.
func (f *findings) hopeless() bool {
	return slices.ContainsFunc(*f, func(one Finding) bool {
		return one.Code == Ended || one.Code == NeverTrue || one.Code == NeverMatches
	})
}

// approvalWorkflow is all that is to be said of a workflow.
func (s *survey) approvalWorkflow(workflow *approval.Workflow) []Finding {
	found, errs := s.ApprovalWorkflow(workflow)
	if len(errs) > 0 {
		return Refusals(errs)
	}
	f := findings(slices.DeleteFunc(found, func(one Finding) bool { return one.Code == Overlap && s.toldOverlap(workflow) }))
	s.unused(&f, workflow)
	if workflow.Spec().Selector == nil || workflow.NeverChosen() != "" {
		return f
	}
	before := len(f)
	for _, check := range []func(*findings, *approval.Workflow){s.eclipsed, s.workflowWithoutAgent, s.replaced} {
		if len(f) == before {
			check(&f, workflow)
		}
	}
	return f
}

// toldOverlap says whether the other of two workflows that overlap has a
// finding that says so, and notes that this one will have.
func (s *survey) toldOverlap(workflow *approval.Workflow) bool {
	other := workflow.Overlapping(s.Snapshot.Namespace(workflow.Key().Namespace).Workflows)
	pair := [...]approval.Key{workflow.Key(), other.Key()}
	if pair[1].Compare(pair[0]) < 0 {
		pair[0], pair[1] = pair[1], pair[0]
	}
	told := s.overlaps[pair]
	s.overlaps[pair] = true
	return told
}
