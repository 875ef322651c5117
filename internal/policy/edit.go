// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"maps"
	"slices"

	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// edit gathers what changed in one namespace since the last snapshot. A nil
// value stands for a removed object.
type edit struct {
	rules     map[rules.Key]*rules.Rule
	workflows map[approval.Key]*approval.Workflow
	agents    map[string]*decision.Agent
	object    *namespaceEdit
}

// namespaceEdit is what became of the namespace itself; nil is removed.
type namespaceEdit struct{ object *rules.NamespaceObject }

// put sets a key of a map that need not be there yet, and returns the map.
func put[K comparable, V any](m map[K]V, key K, value V) map[K]V {
	if m == nil {
		m = map[K]V{}
	}
	m[key] = value
	return m
}

func (e *edit) setRule(r *rules.Rule)            { e.rules = put(e.rules, r.Key(), r) }
func (e *edit) removeRule(key rules.Key)         { e.rules = put(e.rules, key, nil) }
func (e *edit) setWorkflow(w *approval.Workflow) { e.workflows = put(e.workflows, w.Key(), w) }
func (e *edit) removeWorkflow(key approval.Key)  { e.workflows = put(e.workflows, key, nil) }
func (e *edit) setAgent(a *decision.Agent)       { e.agents = put(e.agents, a.Object().Name, a) }
func (e *edit) removeAgent(name string)          { e.agents = put(e.agents, name, nil) }

// apply returns the namespace with the edits made, nil when nothing is left in
// it; the old one stays as it is.
func (e *edit) apply(old *decision.Namespace) *decision.Namespace {
	next := *old
	if upserts, deletes := split(e.rules); len(upserts)+len(deletes) > 0 {
		next.Rules = old.Rules.With(upserts, deletes)
	}
	if upserts, deletes := split(e.workflows); len(upserts)+len(deletes) > 0 {
		next.Workflows = old.Workflows.With(upserts, deletes)
	}
	if len(e.agents) > 0 {
		next.Agents = maps.Clone(old.Agents)
		if next.Agents == nil {
			next.Agents = map[string]*decision.Agent{}
		}
		for name, agent := range e.agents {
			if agent == nil {
				delete(next.Agents, name)
			} else {
				next.Agents[name] = agent
			}
		}
	}
	if e.object != nil {
		next.Object = e.object.object
	}
	if next.Object == nil && next.Rules.Len() == 0 && next.Workflows.Len() == 0 && len(next.Agents) == 0 {
		return nil
	}
	return &next
}

// split parts the values to set from the keys to remove.
func split[K comparable, V any](edits map[K]*V) (upserts []*V, deletes []K) {
	for key, value := range edits {
		if value == nil {
			deletes = append(deletes, key)
		} else {
			upserts = append(upserts, value)
		}
	}
	return slices.Clip(upserts), slices.Clip(deletes)
}
