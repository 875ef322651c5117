// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"sync"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Scope says which undecided actions a change of policy may concern.
type Scope struct {
	// Namespace of the actions; empty is every namespace.
	Namespace string
	// Agent of the actions; empty is every agent.
	Agent string
}

// Everywhere is the scope of a change that may concern every action.
var Everywhere = Scope{}

// inNamespace is the scope of a change of policy in a namespace. What changes
// in the global one concerns all.
func inNamespace(name string) Scope {
	if name == v1alpha1.GlobalNamespace {
		return Everywhere
	}
	return Scope{Namespace: name}
}

func ofAgent(namespace, name string) Scope { return Scope{Namespace: namespace, Agent: name} }

// Changes gathers scopes until somebody takes them, so that a thousand edits
// in a row cost one look at what waits.
type Changes struct {
	mu     sync.Mutex
	scopes map[Scope]struct{}
	signal chan struct{}
}

func newChanges() *Changes {
	return &Changes{scopes: map[Scope]struct{}{}, signal: make(chan struct{}, 1)}
}

func (c *Changes) add(scope Scope) { c.GiveBack([]Scope{scope}) }

// GiveBack puts scopes back that were taken and could not be looked at, so
// that somebody takes them again.
func (c *Changes) GiveBack(scopes []Scope) {
	c.mu.Lock()
	for _, scope := range scopes {
		c.scopes[scope] = struct{}{}
	}
	c.mu.Unlock()
	select {
	case c.signal <- struct{}{}:
	default: // somebody will come anyway
	}
}

// Signal receives a value after something has changed.
func (c *Changes) Signal() <-chan struct{} { return c.signal }

// Take returns the scopes gathered since the last call, in no order: Everywhere
// alone when that is among them, and no agent of a namespace that is there as a whole.
func (c *Changes) Take() []Scope {
	c.mu.Lock()
	defer c.mu.Unlock()
	scopes := make([]Scope, 0, len(c.scopes))
	_, everywhere := c.scopes[Everywhere]
	if everywhere {
		scopes = append(scopes, Everywhere)
	} else {
		for scope := range c.scopes {
			if _, whole := c.scopes[Scope{Namespace: scope.Namespace}]; !whole || scope.Agent == "" {
				scopes = append(scopes, scope)
			}
		}
	}
	clear(c.scopes)
	return scopes
}
