// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/manifest"
	"github.com/ow-kai/ascend-operator/internal/risk"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// world is what the cases of a suite are decided in: the policy, and on top of it
// what the suite gives.
type world struct {
	base      *compiled
	snapshot  *decision.Snapshot
	given     map[key]bool // rules of the suite itself, which are not the policy's
	workflows []key
	// ownAgents says that there are agents in the policy or the suite. Where
	// there are none, each namespace has the default ones.
	ownAgents bool
}

// newWorld puts the objects that a suite gives on top of a policy. The policy's
// compiled rules are shared, so this is cheap.
func newWorld(base *compiled) *world {
	w := &world{
		base:      base,
		given:     map[key]bool{},
		workflows: workflowKeys(base.set),
		snapshot:  &decision.Snapshot{Model: base.snapshot.Model, Namespaces: maps.Clone(base.snapshot.Namespaces)},
	}
	if w.snapshot.Namespaces == nil {
		w.snapshot.Namespaces = map[string]*decision.Namespace{}
	}
	for _, namespace := range base.snapshot.Namespaces {
		w.ownAgents = w.ownAgents || len(namespace.Agents) > 0
	}
	return w
}

// namespace returns a namespace that may be changed.
func (w *world) namespace(name string) *decision.Namespace {
	next := *w.snapshot.Namespace(name)
	next.Agents = maps.Clone(next.Agents)
	if next.Agents == nil {
		next.Agents = map[string]*decision.Agent{}
	}
	w.snapshot.Namespaces[name] = &next
	return &next
}

// add puts an object into the world. Agents, namespaces and the risk model take
// the place of the policy's; a rule or workflow must not, for then the policy's
// would not be tested.
func (w *world) add(object runtime.Object, at func(path string) manifest.Position) []manifest.Problem {
	switch o := object.(type) {
	case *v1alpha1.Agent:
		w.ownAgents = true
		w.namespace(o.Namespace).Agents[o.Name] = decision.NewAgent(o)
	case *metav1.PartialObjectMetadata:
		w.namespace(o.Name).Object = &rules.NamespaceObject{Name: o.Name, Labels: o.Labels, Annotations: o.Annotations}
	case *v1alpha1.RiskModel:
		return w.addModel(o, at)
	case *v1alpha1.SmartRule:
		return w.addRule(o, at)
	case *v1alpha1.ApprovalWorkflow:
		return w.addWorkflow(o, at)
	default:
		return []manifest.Problem{problemAt(at("kind"), "kind", "it has no effect on decisions; give Agents, Namespaces, SmartRules, ApprovalWorkflows or a RiskModel")}
	}
	return nil
}

func (w *world) addModel(o *v1alpha1.RiskModel, at func(path string) manifest.Position) []manifest.Problem {
	if o.Name != v1alpha1.DefaultRiskModelName {
		return []manifest.Problem{problemAt(at("metadata.name"), "metadata.name", "it has no effect: only the RiskModel named %q is used", v1alpha1.DefaultRiskModelName)}
	}
	model, err := risk.Compile(&o.Spec)
	w.snapshot.Model = model
	return compileProblems(err, at)
}

func (w *world) addRule(o *v1alpha1.SmartRule, at func(path string) manifest.Position) []manifest.Problem {
	if _, taken := w.snapshot.Namespace(o.Namespace).Rules.Get(rules.Key{Namespace: o.Namespace, Name: o.Name}); taken {
		return []manifest.Problem{alreadyThere("SmartRule", o.Namespace, o.Name, at)}
	}
	rule := w.base.store.Compile(o)
	namespace := w.namespace(o.Namespace)
	namespace.Rules = namespace.Rules.With([]*rules.Rule{rule}, nil)
	w.given[key{o.Namespace, o.Name}] = true
	return compileProblems(rule.Err(), at)
}

func (w *world) addWorkflow(o *v1alpha1.ApprovalWorkflow, at func(path string) manifest.Position) []manifest.Problem {
	namespace := w.namespace(o.Namespace)
	if namespace.Workflows.Get(o.Name) != nil {
		return []manifest.Problem{alreadyThere("ApprovalWorkflow", o.Namespace, o.Name, at)}
	}
	workflow := approval.Compile(o)
	namespace.Workflows = namespace.Workflows.With([]*approval.Workflow{workflow}, nil)
	w.workflows = append(w.workflows, key{o.Namespace, o.Name})
	return compileProblems(workflow.Err(), at)
}

// alreadyThere says that something given has the name of what is to be tested.
func alreadyThere(kind, namespace, name string, at func(path string) manifest.Position) manifest.Problem {
	return problemAt(at("metadata.name"), "metadata.name", "the policy has %s %s/%s already, which would then not be tested; give this another name", kind, namespace, name)
}

// defaultAgents are those of a world in which nobody has given any: one for each
// environment, named after it.
var defaultAgents = []v1alpha1.Environment{
	v1alpha1.EnvironmentProduction, v1alpha1.EnvironmentStaging, v1alpha1.EnvironmentDevelopment,
	v1alpha1.EnvironmentTest, v1alpha1.EnvironmentSandbox,
}

// DefaultAgent is the agent of a case that names none, where there are only the
// default agents.
const DefaultAgent = string(v1alpha1.EnvironmentSandbox)

// settle makes a namespace fit for actions: the Namespace itself, with the label
// that each has, and the default agents, where neither has been given.
func (w *world) settle(namespace string) {
	if w.snapshot.Namespace(namespace).Object == nil {
		w.namespace(namespace).Object = &rules.NamespaceObject{
			Name: namespace, Labels: map[string]string{corev1.LabelMetadataName: namespace},
		}
	}
	if w.ownAgents || len(w.snapshot.Namespace(namespace).Agents) > 0 {
		return
	}
	ns := w.namespace(namespace)
	for _, environment := range defaultAgents {
		ns.Agents[string(environment)] = decision.NewAgent(&v1alpha1.Agent{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: string(environment)},
			Spec: v1alpha1.AgentSpec{
				Type:        v1alpha1.AgentTypeAutonomous,
				Environment: environment,
				State:       v1alpha1.AgentActive,
				Subjects:    []v1alpha1.Subject{{Kind: v1alpha1.SubjectServiceAccount, Name: "agent"}},
			},
		})
	}
}
