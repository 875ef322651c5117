// SPDX-License-Identifier: Apache-2.0

// Package policy turns the cluster's objects into one immutable, compiled
// snapshot of policy, and swaps it atomically when they change.
package policy

import (
	"maps"
	"sync"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/risk"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// version tells one state of an object's spec from another.
type version struct {
	uid        types.UID
	generation int64
}

func versionOf(object metav1.Object) version {
	return version{object.GetUID(), object.GetGeneration()}
}

// newer says whether v may take the place of old: another object of the same
// name, or a later generation of the same.
func (v version) newer(old version) bool {
	return v.uid != old.uid || v.generation > old.generation
}

// compiled is what became of one state of an object.
type compiled[T any] struct {
	version version
	value   T
}

// of says whether that was this object, of this generation or a later one.
func (c compiled[T]) of(object metav1.Object) bool {
	return c.version.uid == object.GetUID() && c.version.generation >= object.GetGeneration()
}

// Store holds policy. An object is compiled once a generation, by whoever
// brings it first; edits are gathered and folded into the next snapshot when
// somebody asks for one, so that many edits at once cost one fold. All methods
// may be called at once from many goroutines.
type Store struct {
	compile func(*v1alpha1.SmartRule) *rules.Rule
	changes *Changes

	current atomic.Pointer[decision.Snapshot]
	dirty   atomic.Bool

	mu        sync.Mutex
	rules     map[rules.Key]compiled[*rules.Rule]
	workflows map[approval.Key]compiled[*approval.Workflow]
	model     compiled[*ModelState]
	edits     map[string]*edit
}

// ModelState is a RiskModel as compiled.
type ModelState struct {
	// Model is always usable.
	Model *risk.Model
	// Err says which entries cannot be read; nil when all can.
	Err error
}

// NewStore returns a store without any policy, which scores by the built-in model.
func NewStore() (*Store, error) {
	compiler, err := rules.NewCompiler()
	if err != nil {
		return nil, err
	}
	s := &Store{
		compile:   compiler.Compile,
		changes:   newChanges(),
		rules:     map[rules.Key]compiled[*rules.Rule]{},
		workflows: map[approval.Key]compiled[*approval.Workflow]{},
		edits:     map[string]*edit{},
	}
	s.model.value = builtInModel()
	s.current.Store(&decision.Snapshot{Model: s.model.value.Model})
	return s, nil
}

func builtInModel() *ModelState {
	model, err := risk.Compile(nil)
	return &ModelState{Model: model, Err: err}
}

// Changes tells which decisions a change of policy may concern.
func (s *Store) Changes() *Changes { return s.changes }

// Snapshot returns all policy that has been set so far. It costs one atomic
// load unless something has changed since the last call.
func (s *Store) Snapshot() *decision.Snapshot {
	if !s.dirty.Load() {
		return s.current.Load()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	current := s.current.Load()
	if !s.dirty.Load() {
		return current
	}
	next := &decision.Snapshot{Model: s.model.value.Model, Namespaces: maps.Clone(current.Namespaces)}
	if next.Namespaces == nil {
		next.Namespaces = make(map[string]*decision.Namespace, len(s.edits))
	}
	for name, e := range s.edits {
		if namespace := e.apply(current.Namespace(name)); namespace != nil {
			next.Namespaces[name] = namespace
		} else {
			delete(next.Namespaces, name)
		}
	}
	clear(s.edits)
	s.current.Store(next)
	s.dirty.Store(false)
	return next
}

// SetRule compiles a rule unless this generation of it is known already.
func (s *Store) SetRule(object *v1alpha1.SmartRule) {
	key := rules.Key{Namespace: object.Namespace, Name: object.Name}
	v := versionOf(object)
	if known, ok := s.knownRule(key); ok && !v.newer(known.version) {
		return
	}
	rule := s.compile(object) // slow, so without the lock
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.rules[key]; ok && !v.newer(known.version) {
		return
	}
	s.rules[key] = compiled[*rules.Rule]{v, rule}
	s.edit(key.Namespace).setRule(rule)
	s.changes.add(inNamespace(key.Namespace))
}

func (s *Store) knownRule(key rules.Key) (compiled[*rules.Rule], bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.rules[key]
	return known, ok
}

// Rule returns what became of exactly this object, compiled from its generation
// or a later one; false while the store does not have it yet.
func (s *Store) Rule(object *v1alpha1.SmartRule) (*rules.Rule, bool) {
	known, ok := s.knownRule(rules.Key{Namespace: object.Namespace, Name: object.Name})
	return known.value, ok && known.of(object)
}

// RemoveRule forgets the rule, unless another object has taken its name.
func (s *Store) RemoveRule(object *v1alpha1.SmartRule) {
	key := rules.Key{Namespace: object.Namespace, Name: object.Name}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rules[key].version.uid != object.UID {
		return
	}
	delete(s.rules, key)
	s.edit(key.Namespace).removeRule(key)
	s.changes.add(inNamespace(key.Namespace))
}

// SetWorkflow compiles a workflow unless this generation of it is known already.
func (s *Store) SetWorkflow(object *v1alpha1.ApprovalWorkflow) {
	key := approval.Key{Namespace: object.Namespace, Name: object.Name}
	v := versionOf(object)
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.workflows[key]; ok && !v.newer(known.version) {
		return
	}
	workflow := approval.Compile(object)
	s.workflows[key] = compiled[*approval.Workflow]{v, workflow}
	s.edit(key.Namespace).setWorkflow(workflow)
	s.changes.add(inNamespace(key.Namespace))
}

// Workflow returns what became of exactly this object, compiled from its
// generation or a later one; false while the store does not have it yet.
func (s *Store) Workflow(object *v1alpha1.ApprovalWorkflow) (*approval.Workflow, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.workflows[approval.Key{Namespace: object.Namespace, Name: object.Name}]
	return known.value, ok && known.of(object)
}

// RemoveWorkflow forgets the workflow, unless another object has taken its name.
func (s *Store) RemoveWorkflow(object *v1alpha1.ApprovalWorkflow) {
	key := approval.Key{Namespace: object.Namespace, Name: object.Name}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.workflows[key].version.uid != object.UID {
		return
	}
	delete(s.workflows, key)
	s.edit(key.Namespace).removeWorkflow(key)
	s.changes.add(inNamespace(key.Namespace))
}

// SetModel compiles the RiskModel named "default" unless this generation of it
// is known already. Models of other names have no effect.
func (s *Store) SetModel(object *v1alpha1.RiskModel) {
	if object.Name != v1alpha1.DefaultRiskModelName {
		return
	}
	v := versionOf(object)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !v.newer(s.model.version) {
		return
	}
	model, err := risk.Compile(&object.Spec)
	s.model = compiled[*ModelState]{v, &ModelState{Model: model, Err: err}}
	s.dirty.Store(true)
	s.changes.add(Everywhere)
}

// Model returns what became of exactly this object, compiled from its
// generation or a later one; false while the store does not have it yet.
func (s *Store) Model(object *v1alpha1.RiskModel) (*ModelState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.model.value, s.model.of(object)
}

// RemoveModel goes back to the built-in model when the one named "default" goes.
func (s *Store) RemoveModel(object *v1alpha1.RiskModel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if object.Name != v1alpha1.DefaultRiskModelName || s.model.version.uid != object.UID {
		return
	}
	s.model = compiled[*ModelState]{value: builtInModel()}
	s.dirty.Store(true)
	s.changes.add(Everywhere)
}

// edit returns the edits of a namespace that wait for the next snapshot. The
// lock must be held.
func (s *Store) edit(namespace string) *edit {
	s.dirty.Store(true)
	e := s.edits[namespace]
	if e == nil {
		e = &edit{}
		s.edits[namespace] = e
	}
	return e
}
