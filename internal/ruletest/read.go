// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ow-kai/ascend-operator/internal/manifest"
)

// spot is a value of a test file: as it is written, as kubectl would read it,
// and where. The zero spot is nothing.
type spot struct {
	node  *yaml.Node
	value any
	path  string
}

// reader reads the parts of a document strictly, and gathers what is wrong.
type reader struct {
	file     string
	problems []manifest.Problem
}

// at is where a node stands.
func (r *reader) at(n *yaml.Node) manifest.Position {
	return manifest.Position{File: r.file, Line: n.Line, Column: n.Column}
}

// wrong notes that something about a spot is wrong.
func (r *reader) wrong(s spot, format string, args ...any) {
	r.problems = append(r.problems, manifest.Problem{
		Position: r.at(s.node), Path: s.path, Message: fmt.Sprintf(format, args...),
	})
}

// resolve is the node that an alias stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// fields are the fields that a mapping may have, each with what reads it.
type fields map[string]func(spot)

// object reads a mapping field by field, in the order in which they are written.
// A field that it may not have is a problem; one that it has twice has been one
// before. It says whether the spot is a mapping at all.
func (r *reader) object(s spot, known fields) bool {
	node := resolve(s.node)
	if node.Kind != yaml.MappingNode {
		r.wrong(s, "it is %s; it must be an object", kindOf(node))
		return false
	}
	seen := map[string]bool{}
	r.pairs(s, node, known, seen)
	return true
}

// pairs reads the fields of a mapping that have not been seen yet. What is merged
// into it (<<) comes last, so that what is written in the mapping itself wins.
func (r *reader) pairs(s spot, node *yaml.Node, known fields, seen map[string]bool) {
	values, _ := s.value.(map[string]any)
	own := map[string]bool{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		keyNode, value := node.Content[i], node.Content[i+1]
		if keyNode.Tag == "!!merge" {
			merged = append(merged, mergedInto(value)...)
			continue
		}
		word := resolve(keyNode).Value
		at := spot{node: keyNode, path: join(s.path, word)}
		read, isKnown := known[word]
		switch {
		case own[word], seen[word]: // merged, and written in the mapping itself
		case !isKnown:
			r.wrong(at, "there is no such field%s", hint(word, sortedKeys(known)))
		default:
			read(spot{node: value, value: values[word], path: at.path})
		}
		own[word] = true
	}
	for word := range own {
		seen[word] = true
	}
	for _, m := range merged {
		r.pairs(s, m, known, seen)
	}
}

// mergedInto are the mappings that a merge key names.
func mergedInto(value *yaml.Node) []*yaml.Node {
	value = resolve(value)
	if value.Kind == yaml.MappingNode {
		return []*yaml.Node{value}
	}
	var out []*yaml.Node
	for _, item := range value.Content {
		if item = resolve(item); item.Kind == yaml.MappingNode {
			out = append(out, item)
		}
	}
	return out
}

// list reads the items of a sequence, of which there must be one at least.
func (r *reader) list(s spot, read func(spot)) {
	node := resolve(s.node)
	if node.Kind != yaml.SequenceNode {
		r.wrong(s, "it is %s; it must be a list", kindOf(node))
		return
	}
	if len(node.Content) == 0 {
		r.wrong(s, "it is an empty list, which says nothing; leave it out")
	}
	r.items(s, node, read)
}

func (r *reader) items(s spot, node *yaml.Node, read func(spot)) {
	values, _ := s.value.([]any)
	for i, item := range node.Content {
		child := spot{node: item, path: fmt.Sprintf("%s[%d]", s.path, i)}
		if i < len(values) {
			child.value = values[i]
		}
		read(child)
	}
}

// oneOrMany reads a list, or what stands alone as a list of one.
func (r *reader) oneOrMany(s spot, read func(spot)) {
	if resolve(s.node).Kind == yaml.SequenceNode {
		r.list(s, read)
		return
	}
	read(s)
}

// text reads a word or sentence; numbers are read as they are written.
func (r *reader) text(s spot) string {
	node := resolve(s.node)
	switch {
	case node.Kind != yaml.ScalarNode || node.Tag == "!!null":
		r.wrong(s, "it is %s; it must be text", kindOf(node))
		return ""
	case strings.TrimSpace(node.Value) == "":
		r.wrong(s, "it is empty; leave it out where it may be anything")
		return ""
	}
	return node.Value
}

// placed reads text and where it stands.
func (r *reader) placed(s spot) text { return text{r.text(s), r.at(s.node), s.path} }

// word reads one of several words.
func (r *reader) word(s spot, words ...string) string {
	got := r.text(s)
	if got == "" || slices.Contains(words, got) {
		return got
	}
	r.wrong(s, "it is %q; it must be %s", got, alternatives(words))
	return ""
}

// alternatives lists words, of which one is to be taken.
func alternatives(words []string) string {
	last := len(words) - 1
	if last <= 0 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// truth reads true or false.
func (r *reader) truth(s spot) bool {
	value, isBool := s.value.(bool)
	if !isBool {
		r.wrong(s, "it is %s; it must be true or false", kindOf(resolve(s.node)))
	}
	return value
}

// kindOf says what a node is, to people.
func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "an object"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "empty"
	case n.Tag == "!!bool", n.Tag == "!!int", n.Tag == "!!float":
		return n.Value
	default:
		return "text"
	}
}

func join(path, field string) string {
	if path == "" {
		return field
	}
	return path + "." + field
}
