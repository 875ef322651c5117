// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"slices"
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func sorted(scopes []Scope) []Scope {
	return slices.SortedFunc(slices.Values(scopes), func(a, b Scope) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Agent, b.Agent))
	})
}

func TestManyEditsAreOneLook(t *testing.T) {
	t.Parallel()
	store, _ := counting(t)
	for g := range int64(1000) {
		store.SetAgent(agent("default", "a", "1", g+1, v1alpha1.AgentActive))
	}
	if scopes := store.Changes().Take(); len(scopes) != 1 {
		t.Errorf("a thousand edits of one agent are %d scopes", len(scopes))
	}
	if scopes := store.Changes().Take(); len(scopes) != 0 {
		t.Errorf("taken, and still there: %v", scopes)
	}
	select {
	case <-store.Changes().Signal():
	default:
		t.Error("there was no signal")
	}
	select {
	case <-store.Changes().Signal():
		t.Error("a thousand edits gave more than one signal")
	default:
	}
}

func TestTheScopeOfAChange(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		edit func(*Store)
		want []Scope
	}{
		"rule of a namespace":     {func(s *Store) { s.SetRule(rule("a", "r", "1", 1, "")) }, []Scope{{"a", ""}}},
		"global rule":             {func(s *Store) { s.SetRule(rule(v1alpha1.GlobalNamespace, "r", "1", 1, "")) }, []Scope{Everywhere}},
		"workflow of a namespace": {func(s *Store) { s.SetWorkflow(workflow("a", "w", "1", 1)) }, []Scope{{"a", ""}}},
		"global workflow":         {func(s *Store) { s.SetWorkflow(workflow(v1alpha1.GlobalNamespace, "w", "1", 1)) }, []Scope{Everywhere}},
		"agent":                   {func(s *Store) { s.SetAgent(agent("a", "x", "1", 1, v1alpha1.AgentActive)) }, []Scope{{"a", "x"}}},
		"namespace":               {func(s *Store) { s.SetNamespace(namespace("a", nil)) }, []Scope{{"a", ""}}},
		"two agents": {func(s *Store) {
			s.SetAgent(agent("a", "x", "1", 1, v1alpha1.AgentActive))
			s.SetAgent(agent("a", "y", "2", 1, v1alpha1.AgentActive))
		}, []Scope{{"a", "x"}, {"a", "y"}}},
		"an agent and its namespace": {func(s *Store) {
			s.SetAgent(agent("a", "x", "1", 1, v1alpha1.AgentActive))
			s.SetNamespace(namespace("a", nil))
		}, []Scope{{"a", ""}}},
		"anything beside a global one": {func(s *Store) {
			s.SetAgent(agent("a", "x", "1", 1, v1alpha1.AgentActive))
			s.SetRule(rule(v1alpha1.GlobalNamespace, "r", "1", 1, ""))
		}, []Scope{Everywhere}},
		"a removal": {func(s *Store) {
			s.SetRule(rule("a", "r", "1", 1, ""))
			s.Changes().Take()
			s.RemoveRule(rule("a", "r", "1", 1, ""))
		}, []Scope{{"a", ""}}},
		"nothing new": {func(s *Store) {
			s.SetRule(rule("a", "r", "1", 1, ""))
			s.Changes().Take()
			s.SetRule(rule("a", "r", "1", 1, ""))
			s.RemoveRule(rule("a", "r", "another", 1, ""))
		}, []Scope{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, _ := counting(t)
			test.edit(store)
			if got := sorted(store.Changes().Take()); !slices.Equal(got, test.want) {
				t.Errorf("scopes %v, want %v", got, test.want)
			}
		})
	}
}

func TestScopesGivenBackAreTakenAgain(t *testing.T) {
	t.Parallel()
	changes := newChanges()
	changes.add(Scope{"a", "x"})
	<-changes.Signal()
	changes.GiveBack(changes.Take())
	select {
	case <-changes.Signal():
	default:
		t.Error("there was no signal")
	}
	if got := changes.Take(); !slices.Equal(got, []Scope{{"a", "x"}}) {
		t.Errorf("scopes %v", got)
	}
}
