// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/policy"
)

// Key names an object.
type Key struct{ Kind, Namespace, Name string }

// String is "SmartRule team-a/no-deletes", or without a namespace
// "RiskModel default".
func (k Key) String() string {
	if k.Namespace == "" {
		return k.Kind + " " + k.Name
	}
	return k.Kind + " " + k.Namespace + "/" + k.Name
}

// Object is an object and where it is written.
type Object struct {
	// Document is what is written. Of a kustomization it is the document that
	// the object was made of; in a cluster there is none but its Position.
	*Document
	// Object is one of *v1alpha1.SmartRule, ApprovalWorkflow, RiskModel, Agent,
	// WebhookSubscription and AgentAction, or a *metav1.PartialObjectMetadata
	// that is a Namespace. Defaults are applied, and it has kind and apiVersion.
	Object client.Object
	// Valid says that the API server would take it, as far as the CRDs say.
	Valid bool
}

// Kind of the object.
func (o *Object) Kind() string { return o.Object.GetObjectKind().GroupVersionKind().Kind }

// Key of the object. The name is empty where the API server makes it up.
func (o *Object) Key() Key {
	return Key{Kind: o.Kind(), Namespace: o.Object.GetNamespace(), Name: o.Object.GetName()}
}

// Set is what was read.
type Set struct {
	// Objects in the order of the files, also those that are not valid, as far
	// as they fit their type. No key is there twice.
	Objects []*Object
	// Tests are the documents of kind RuleTest.
	Tests []*Document
	// Foreign counts the documents that were passed over, for they are neither
	// policy nor tests.
	Foreign int
	// Unread are the kinds that the user may not read in the cluster.
	Unread []string
}

// Rules in the order of the files.
func (s *Set) Rules() []*v1alpha1.SmartRule { return of[*v1alpha1.SmartRule](s) }

// Workflows in the order of the files.
func (s *Set) Workflows() []*v1alpha1.ApprovalWorkflow { return of[*v1alpha1.ApprovalWorkflow](s) }

// RiskModels in the order of the files; the one named default has effect.
func (s *Set) RiskModels() []*v1alpha1.RiskModel { return of[*v1alpha1.RiskModel](s) }

// Agents in the order of the files.
func (s *Set) Agents() []*v1alpha1.Agent { return of[*v1alpha1.Agent](s) }

// Subscriptions in the order of the files.
func (s *Set) Subscriptions() []*v1alpha1.WebhookSubscription {
	return of[*v1alpha1.WebhookSubscription](s)
}

// Actions in the order of the files.
func (s *Set) Actions() []*v1alpha1.AgentAction { return of[*v1alpha1.AgentAction](s) }

// Namespaces in the order of the files.
func (s *Set) Namespaces() []*metav1.PartialObjectMetadata {
	return of[*metav1.PartialObjectMetadata](s)
}

func of[T client.Object](s *Set) []T {
	var found []T
	for _, o := range s.Objects {
		if object, ok := o.Object.(T); ok {
			found = append(found, object)
		}
	}
	return found
}

// Find returns the object of this name, or nil.
func (s *Set) Find(key Key) *Object {
	for _, o := range s.Objects {
		if o.Key() == key {
			return o
		}
	}
	return nil
}

// Of returns where an object of the set was read, or nil for one that is not
// out of it.
func (s *Set) Of(object client.Object) *Object {
	for _, o := range s.Objects {
		if o.Object == object {
			return o
		}
	}
	return nil
}

// Store compiles the policy. What is not valid is left out, for no cluster
// would have it; AgentActions and WebhookSubscriptions have no part in it.
// Generations that are 0 become 1.
func (s *Set) Store() (*policy.Store, error) {
	store, err := policy.NewStore()
	if err != nil {
		return nil, err
	}
	for _, o := range s.Objects {
		if !o.Valid {
			continue
		}
		if o.Object.GetGeneration() == 0 {
			o.Object.SetGeneration(1)
		}
		switch object := o.Object.(type) {
		case *v1alpha1.SmartRule:
			store.SetRule(object)
		case *v1alpha1.ApprovalWorkflow:
			store.SetWorkflow(object)
		case *v1alpha1.RiskModel:
			store.SetModel(object)
		case *v1alpha1.Agent:
			store.SetAgent(object)
		case *metav1.PartialObjectMetadata:
			store.SetNamespace(object)
		}
	}
	return store, nil
}

// Over returns top, with the objects of base of each kind that top has none of.
// Tests are those of top.
func Over(top, base *Set) *Set {
	kinds := map[string]bool{}
	for _, o := range top.Objects {
		kinds[o.Kind()] = true
	}
	return top.with(base, func(o *Object) bool { return !kinds[o.Kind()] })
}

// Overlay returns base with the objects of top in it: each takes the place of
// the one of its kind, namespace and name. Those of top come first. Tests are
// those of top.
func Overlay(top, base *Set) *Set {
	keys := map[Key]bool{}
	for _, o := range top.Objects {
		keys[o.Key()] = true
	}
	return top.with(base, func(o *Object) bool { return !keys[o.Key()] })
}

func (s *Set) with(base *Set, take func(*Object) bool) *Set {
	merged := *s
	merged.Unread = slices.Concat(s.Unread, base.Unread)
	merged.Objects = append([]*Object(nil), s.Objects...)
	for _, o := range base.Objects {
		if take(o) {
			merged.Objects = append(merged.Objects, o)
		}
	}
	return &merged
}
