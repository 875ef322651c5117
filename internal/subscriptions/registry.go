// SPDX-License-Identifier: Apache-2.0

// Package subscriptions knows who wants to hear of what, for whoever writes
// down what has happened: decisions wait for no request to find that out.
package subscriptions

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Registry has the subscriptions of every namespace. Its methods may be called
// at any time by anybody; looking allocates nothing where nobody wants to hear.
type Registry struct {
	mu         sync.Mutex // of writers
	namespaces atomic.Pointer[map[string][]subscription]
}

// subscription is what of a WebhookSubscription says whether an event is for it.
type subscription struct {
	name   v1alpha1.ObjectName
	agent  string // empty: all of the namespace
	events string // joined, so that two compare
	wants  map[v1alpha1.EventType]bool
	gone   bool
}

func (s *subscription) wantsOf(agent string, event v1alpha1.EventType) bool {
	return !s.gone && (s.agent == "" || s.agent == agent) && s.wants[event]
}

func (s *subscription) same(other *subscription) bool {
	return s.agent == other.agent && s.gone == other.gone && s.events == other.events
}

// Gone says whether the subscription's receiver has answered that it is gone,
// so that nothing is sent until the spec changes.
func Gone(object *v1alpha1.WebhookSubscription) bool {
	ready := apimeta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Reason == v1alpha1.ReasonReceiverGone && ready.ObservedGeneration == object.Generation
}

// Set adds or replaces a subscription.
func (r *Registry) Set(object *v1alpha1.WebhookSubscription) {
	s := subscription{name: v1alpha1.ObjectName(object.Name), gone: Gone(object), wants: make(map[v1alpha1.EventType]bool, len(object.Spec.Events))}
	if ref := object.Spec.AgentRef; ref != nil {
		s.agent = string(ref.Name)
	}
	for _, event := range slices.Sorted(slices.Values(object.Spec.Events)) {
		s.wants[event] = true
		s.events += string(event) + " "
	}
	r.change(object.Namespace, func(in []subscription) []subscription {
		at, found := find(in, s.name)
		if !found {
			return slices.Insert(slices.Clone(in), at, s)
		}
		if in[at].same(&s) { // most changes are of status
			return in
		}
		out := slices.Clone(in)
		out[at] = s
		return out
	})
}

// Remove drops a subscription.
func (r *Registry) Remove(object *v1alpha1.WebhookSubscription) {
	r.change(object.Namespace, func(in []subscription) []subscription {
		at, found := find(in, v1alpha1.ObjectName(object.Name))
		if !found {
			return in
		}
		return slices.Delete(slices.Clone(in), at, at+1)
	})
}

func find(in []subscription, name v1alpha1.ObjectName) (int, bool) {
	return slices.BinarySearchFunc(in, name, func(s subscription, name v1alpha1.ObjectName) int { return cmp.Compare(s.name, name) })
}

// change replaces the subscriptions of a namespace, sorted by name.
func (r *Registry) change(namespace string, by func([]subscription) []subscription) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.in(namespace)
	after := by(before)
	if len(before) == len(after) && (len(after) == 0 || &before[0] == &after[0]) {
		return // what is handed back unchanged is the same slice
	}
	all := map[string][]subscription{}
	if current := r.namespaces.Load(); current != nil {
		all = maps.Clone(*current)
	}
	if len(after) == 0 {
		delete(all, namespace)
	} else {
		all[namespace] = after
	}
	r.namespaces.Store(&all)
}

func (r *Registry) in(namespace string) []subscription {
	all := r.namespaces.Load()
	if all == nil {
		return nil
	}
	return (*all)[namespace]
}

// Matching are the subscriptions of the namespace that want to hear of an event
// of that agent or its actions, sorted, v1alpha1.MaxSubscriptions at most.
func (r *Registry) Matching(namespace, agent string, event v1alpha1.EventType) []v1alpha1.ObjectName {
	var found []v1alpha1.ObjectName
	in := r.in(namespace)
	for i := range in {
		if in[i].wantsOf(agent, event) && len(found) < v1alpha1.MaxSubscriptions {
			found = append(found, in[i].name)
		}
	}
	return found
}

// Any says whether Matching would find one.
func (r *Registry) Any(namespace, agent string, event v1alpha1.EventType) bool {
	in := r.in(namespace)
	return slices.ContainsFunc(in, func(s subscription) bool { return s.wantsOf(agent, event) })
}

// Count is how many subscriptions the namespace has.
func (r *Registry) Count(namespace string) int { return len(r.in(namespace)) }
