// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// SetAgent takes over an Agent. Its status has no effect on decisions, and a
// change of it changes nothing here.
func (s *Store) SetAgent(object *v1alpha1.Agent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.agent(object.Namespace, object.Name); known != nil && sameAgent(known.Object(), object) {
		return
	}
	s.edit(object.Namespace).setAgent(decision.NewAgent(object))
	s.changes.add(ofAgent(object.Namespace, object.Name))
}

// RemoveAgent forgets the agent, unless another object has taken its name.
func (s *Store) RemoveAgent(object *v1alpha1.Agent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.agent(object.Namespace, object.Name)
	if known == nil || known.Object().UID != object.UID {
		return
	}
	s.edit(object.Namespace).removeAgent(object.Name)
	s.changes.add(ofAgent(object.Namespace, object.Name))
}

// agent is the newest the store has, folded into a snapshot or not. The lock
// must be held.
func (s *Store) agent(namespace, name string) *decision.Agent {
	if e := s.edits[namespace]; e != nil {
		if agent, edited := e.agents[name]; edited {
			return agent
		}
	}
	return s.current.Load().Agent(namespace, name)
}

// sameAgent says whether object is no news: as old as known or older, with the
// labels and annotations that rules and workflows may read.
func sameAgent(known, object *v1alpha1.Agent) bool {
	return !versionOf(object).newer(versionOf(known)) && sameMarks(known, object)
}

// sameMarks compares labels and annotations, which have no generation.
func sameMarks(a, b metav1.Object) bool {
	return maps.Equal(a.GetLabels(), b.GetLabels()) && maps.Equal(a.GetAnnotations(), b.GetAnnotations())
}

// SetNamespace takes over the labels and annotations that rules may read.
func (s *Store) SetNamespace(object *metav1.PartialObjectMetadata) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.namespace(object.Name); known != nil &&
		maps.Equal(known.Labels, object.Labels) && maps.Equal(known.Annotations, object.Annotations) {
		return
	}
	s.edit(object.Name).object = &namespaceEdit{&rules.NamespaceObject{
		Name: object.Name, Labels: object.Labels, Annotations: object.Annotations,
	}}
	s.changes.add(inNamespace(object.Name))
}

// RemoveNamespace forgets the namespace itself. The policy in it goes object
// by object, and with the last of them everything known about it.
func (s *Store) RemoveNamespace(object *metav1.PartialObjectMetadata) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.namespace(object.Name) != nil {
		s.edit(object.Name).object = &namespaceEdit{}
	}
}

// namespace is the newest the store has. The lock must be held.
func (s *Store) namespace(name string) *rules.NamespaceObject {
	if e := s.edits[name]; e != nil && e.object != nil {
		return e.object.object
	}
	return s.current.Load().Namespace(name).Object
}
