// SPDX-License-Identifier: Apache-2.0

package decision

import (
	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/risk"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// Snapshot is all policy at one moment, compiled. It is never changed once it
// has been handed out.
type Snapshot struct {
	// Model scores risk. Required.
	Model *risk.Model
	// Namespaces by name. One that is missing has no policy of its own.
	Namespaces map[string]*Namespace
}

// Namespace is the policy of one namespace.
type Namespace struct {
	// Rules of the namespace; nil is none.
	Rules *rules.Index
	// Workflows of the namespace; nil is none.
	Workflows *approval.Set
	// Agents by name.
	Agents map[string]*Agent
	// Object is the namespace itself as rules see it; nil until it is known.
	Object *rules.NamespaceObject
}

var emptyNamespace = &Namespace{}

// Namespace returns the policy of a namespace, never nil.
func (s *Snapshot) Namespace(name string) *Namespace {
	if ns := s.Namespaces[name]; ns != nil {
		return ns
	}
	return emptyNamespace
}

// Agent returns the agent of that namespace and name, or nil.
func (s *Snapshot) Agent(namespace, name string) *Agent {
	return s.Namespace(namespace).Agents[name]
}

// workflow finds what a reference from that namespace means: the namespace's
// own workflow, otherwise the global one, otherwise one that stands for the
// missing one.
func (s *Snapshot) workflow(namespace, name string) *approval.Workflow {
	for _, ns := range []string{namespace, v1alpha1.GlobalNamespace} {
		if w := s.Namespace(ns).Workflows.Get(name); w != nil {
			return w
		}
	}
	return approval.Missing(approval.Key{Namespace: namespace, Name: name})
}
