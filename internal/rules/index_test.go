// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func TestNilIndexIsEmpty(t *testing.T) {
	t.Parallel()
	var ix *Index
	if _, found := ix.Get(Key{"a", "b"}); found || ix.Len() != 0 || len(slices.Collect(ix.Rules())) != 0 {
		t.Error("the nil index is not empty")
	}
	_, got := evaluate(t, asked(t, bulkDelete), nil, nil)
	if len(got.Matched) != 0 || got.Evaluated != 0 {
		t.Errorf("got %+v, want nothing", got)
	}
	if next := ix.With([]*Rule{shared().Compile(rule("r"))}, []Key{{"a", "b"}}); next.Len() != 1 {
		t.Error("With on the nil index does not add")
	}
}

func TestIndexHoldsWhatWasPutLast(t *testing.T) {
	t.Parallel()
	old, changed := shared().Compile(rule("r")), shared().Compile(rule("r", priority(3)))
	ix := NewIndex([]*Rule{old, changed})
	if got, found := ix.Get(old.Key()); !found || got != changed || ix.Len() != 1 {
		t.Errorf("got %v, %d rules", got, ix.Len())
	}
	if got, _ := ix.With([]*Rule{old}, []Key{old.Key()}).Get(old.Key()); got != old {
		t.Error("a key that is deleted and upserted is not there")
	}
}

// How many rules are looked at depends on how many can match, not on how many
// there are.
func TestIndexLooksAtFewRules(t *testing.T) {
	t.Parallel()
	for kind, match := range ruleSets {
		want := canMatch
		if kind == "suffix-globs" {
			want = 300
		}
		_, got := evaluate(t, asked(t, bulkDelete), nil, NewIndex(ruleSet(300, match)))
		if got.Evaluated != want || len(got.Matched) != canMatch {
			t.Errorf("%s: looked at %d rules, want %d", kind, got.Evaluated, want)
		}
	}
}

// Patterns that would file one rule in very many places are filed in few.
func TestRuleWithManyPatternsIsFound(t *testing.T) {
	t.Parallel()
	var m v1alpha1.RuleMatch
	m.Agents = &v1alpha1.AgentMatch{}
	for i := range 64 {
		m.ActionTypes = append(m.ActionTypes, v1alpha1.Glob(fmt.Sprint("type_", i)))
		m.Agents.Names = append(m.Agents.Names, v1alpha1.Glob(fmt.Sprint("agent-", i)))
	}
	for i := range 255 {
		m.Resources = append(m.Resources, v1alpha1.Glob(fmt.Sprint("table_", i)))
	}
	m.ActionTypes, m.Agents.Names = append(m.ActionTypes, "database_delete"), append(m.Agents.Names, "tutorial")
	m.Resources = append(m.Resources, "users")
	r := shared().Compile(rule("r", covers(m)))
	places := 0
	for range r.paths() {
		places++
	}
	for range r.paths() {
		break // the sequence can be left
	}
	if places == 0 || places > maxPaths {
		t.Errorf("filed in %d places, the limit is %d", places, maxPaths)
	}
	if _, got := evaluate(t, asked(t, bulkDelete), nil, NewIndex([]*Rule{r})); len(got.Matched) != 1 {
		t.Error("not found")
	}
}

// One index and its programs serve many decisions at once, while others are made of it.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	ix := fixedRules()
	in := asked(t, bulkDelete)
	_, want := evaluate(t, in, ix, nil)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			changed := ix.With([]*Rule{shared().Compile(rule(fmt.Sprint("other-", i), when(holds)))}, nil)
			_, got := evaluate(t, in, ix, changed)
			if len(got.Matched) != len(want.Matched)+1 {
				t.Errorf("%d matched, want %d", len(got.Matched), len(want.Matched)+1)
			}
		})
	}
	group.Wait()
}
