// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"iter"
	"maps"
	"slices"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
)

// The levels of the tree: at each, a rule is filed under one pattern of its
// matcher, and an action is looked up by its names.
const (
	levelAction = iota
	levelAgent
	levelResource
	levels
)

// maxPaths bounds how many places of the tree one rule is filed in. Levels
// that would go beyond are filed under "any".
const maxPaths = 256

// anchor is where a level files a rule.
type anchor struct {
	kind anchorKind
	text string
}

type anchorKind int

const (
	anyName     anchorKind = iota
	exactName              // the name is text
	namedPrefix            // the name begins with text, which is not empty
)

// anchorOf is the narrowest anchor of a glob.
func anchorOf(g match.Glob) anchor {
	switch {
	case g.Exact():
		return anchor{exactName, g.String()}
	case g.Prefix() != "":
		return anchor{namedPrefix, g.Prefix()}
	default:
		return anchor{}
	}
}

// paths yields the places of the tree a rule is filed in, each once. A
// disabled rule is filed nowhere.
func (r *Rule) paths() iter.Seq[[levels]anchor] {
	return func(yield func([levels]anchor) bool) {
		if r.mode == v1alpha1.RuleDisabled {
			return
		}
		anchors, count := [levels][]anchor{}, 1
		for level, globs := range [levels]match.Globs{r.match.actionTypes, r.match.agent.Names(), r.match.resources} {
			anchors[level] = anchorsOf(globs, maxPaths/count)
			count *= len(anchors[level])
		}
		for _, action := range anchors[levelAction] {
			for _, agent := range anchors[levelAgent] {
				for _, resource := range anchors[levelResource] {
					if !yield([levels]anchor{action, agent, resource}) {
						return
					}
				}
			}
		}
	}
}

// anchorsOf are the distinct anchors of the globs, or "any" where one of them
// begins with a wildcard or there are more than limit.
func anchorsOf(globs match.Globs, limit int) []anchor {
	var anchors []anchor
	for _, g := range globs {
		a := anchorOf(g)
		if a.kind == anyName {
			return []anchor{{}}
		}
		if !slices.Contains(anchors, a) {
			anchors = append(anchors, a)
		}
	}
	if len(anchors) == 0 || len(anchors) > limit {
		return []anchor{{}}
	}
	return anchors
}

// edition marks the nodes that one call of With has made and may still change.
// It has a size, so that every edition has an address of its own.
type edition struct{ _ byte }

// node is a place in the tree. Nodes of the last level hold rules, the others
// hold nodes of the next level. Nodes are never changed once their edition is over.
type node struct {
	edition  *edition
	exact    map[string]*node
	prefixes map[string]*node
	lengths  []int // of the keys of prefixes, sorted, each once; some may be out of date
	any      *node
	rules    []*Rule
}

// own returns the node itself when this edition made it, otherwise a copy.
func (n *node) own(edit *edition) *node {
	if n == nil {
		return &node{edition: edit}
	}
	if n.edition == edit {
		return n
	}
	return &node{
		edition:  edit,
		exact:    maps.Clone(n.exact),
		prefixes: maps.Clone(n.prefixes),
		lengths:  slices.Clone(n.lengths),
		any:      n.any,
		rules:    slices.Clone(n.rules),
	}
}

// insert returns the node with the rule filed under the path.
func (n *node) insert(edit *edition, path []anchor, rule *Rule) *node {
	n = n.own(edit)
	if len(path) == 0 {
		n.rules = append(n.rules, rule)
		return n
	}
	a, rest := path[0], path[1:]
	switch a.kind {
	case exactName:
		if n.exact == nil {
			n.exact = map[string]*node{}
		}
		n.exact[a.text] = n.exact[a.text].insert(edit, rest, rule)
	case namedPrefix:
		if n.prefixes == nil {
			n.prefixes = map[string]*node{}
		}
		n.prefixes[a.text] = n.prefixes[a.text].insert(edit, rest, rule)
		if at, known := slices.BinarySearch(n.lengths, len(a.text)); !known {
			n.lengths = slices.Insert(n.lengths, at, len(a.text))
		}
	case anyName:
		n.any = n.any.insert(edit, rest, rule)
	}
	return n
}

// remove returns the node without the rule under the path; nil when nothing is left.
func (n *node) remove(edit *edition, path []anchor, rule *Rule) *node {
	n = n.own(edit)
	if len(path) == 0 {
		n.rules = slices.DeleteFunc(n.rules, func(r *Rule) bool { return r == rule })
	} else {
		a, rest := path[0], path[1:]
		switch a.kind {
		case exactName:
			prune(n.exact, a.text, n.exact[a.text].remove(edit, rest, rule))
		case namedPrefix:
			prune(n.prefixes, a.text, n.prefixes[a.text].remove(edit, rest, rule))
		case anyName:
			n.any = n.any.remove(edit, rest, rule)
		}
	}
	if len(n.rules) == 0 && len(n.exact) == 0 && len(n.prefixes) == 0 && n.any == nil {
		return nil
	}
	return n
}

func prune(children map[string]*node, key string, child *node) {
	if child == nil {
		delete(children, key)
		return
	}
	children[key] = child
}

// find appends the rules under every node the facts lead to.
func (n *node) find(facts *match.Facts, level int, found []*Rule) []*Rule {
	if n == nil {
		return found
	}
	if level == levels {
		return append(found, n.rules...)
	}
	found = n.any.find(facts, level+1, found)
	switch level {
	case levelAction:
		return n.findName(facts, level, facts.ActionType, found)
	case levelAgent:
		return n.findName(facts, level, facts.Agent, found)
	default:
		return n.findResources(facts, level, found)
	}
}

func (n *node) findName(facts *match.Facts, level int, name string, found []*Rule) []*Rule {
	found = n.exact[name].find(facts, level+1, found)
	for _, length := range n.lengths {
		if length > len(name) {
			break
		}
		found = n.prefixes[name[:length]].find(facts, level+1, found)
	}
	return found
}

// findResources looks at every rule where resources that are not named cannot
// be excluded.
func (n *node) findResources(facts *match.Facts, level int, found []*Rule) []*Rule {
	if !facts.ResourceUnknown {
		for _, name := range facts.Resources {
			found = n.findName(facts, level, name, found)
		}
		return found
	}
	for _, children := range []map[string]*node{n.exact, n.prefixes} {
		for _, child := range children {
			found = child.find(facts, level+1, found)
		}
	}
	return found
}
