// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"iter"
	"maps"
	"slices"

	"github.com/ow-kai/ascend-operator/internal/match"
)

// Index finds the rules that can cover an action, at a cost that grows with
// their number and not with the number of all rules. It is immutable and safe
// for concurrent use. The nil Index is empty.
type Index struct {
	rules map[Key]*Rule
	root  *node
}

// NewIndex makes an index of the rules. Of two rules with the same key the
// later one counts.
func NewIndex(rules []*Rule) *Index { return (*Index)(nil).With(rules, nil) }

// With returns an index without the deleted rules and with the upserted ones,
// which replace rules of the same key; a key in both is upserted. The cost is
// that of the buckets that are touched and of one copy of the map of keys.
func (ix *Index) With(upserts []*Rule, deletes []Key) *Index {
	next := &Index{rules: map[Key]*Rule{}, root: &node{}}
	if ix != nil {
		next.rules, next.root = maps.Clone(ix.rules), ix.root
	}
	edit := &edition{}
	for _, key := range deletes {
		next.remove(edit, key)
	}
	for _, rule := range upserts {
		next.remove(edit, rule.key)
		next.rules[rule.key] = rule
		for path := range rule.paths() {
			next.root = next.root.insert(edit, path[:], rule)
		}
	}
	return next
}

func (ix *Index) remove(edit *edition, key Key) {
	rule, found := ix.rules[key]
	if !found {
		return
	}
	delete(ix.rules, key)
	for path := range rule.paths() {
		ix.root = ix.root.remove(edit, path[:], rule)
		if ix.root == nil {
			ix.root = &node{}
		}
	}
}

// Len is the number of rules.
func (ix *Index) Len() int {
	if ix == nil {
		return 0
	}
	return len(ix.rules)
}

// Get returns the rule of that key.
func (ix *Index) Get(key Key) (*Rule, bool) {
	if ix == nil {
		return nil, false
	}
	rule, found := ix.rules[key]
	return rule, found
}

// Rules yields all rules, disabled ones too, in the order of Compare.
func (ix *Index) Rules() iter.Seq[*Rule] {
	if ix == nil {
		return func(func(*Rule) bool) {}
	}
	return slices.Values(slices.SortedFunc(maps.Values(ix.rules), Compare))
}

// candidates appends every rule that may cover an action of these facts, in no
// order, some more than once.
func (ix *Index) candidates(facts *match.Facts, found []*Rule) []*Rule {
	if ix == nil {
		return found
	}
	return ix.root.find(facts, 0, found)
}
