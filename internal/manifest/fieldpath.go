// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// find returns where a field is written: the node of its key, of an item in a
// list the item itself. The path is as the API server's messages and
// field.Path have it: spec.conditions[0].expression, labels[a.b/c] or
// labels.a.b/c. Where the field is not written it returns its nearest ancestor
// that is, at last root. Aliases and merge keys are followed to where they lead.
func find(root *yaml.Node, path string) *yaml.Node {
	at, value := root, root
	for path != "" {
		value = target(value)
		var next, written *yaml.Node
		switch {
		case value != nil && value.Kind == yaml.MappingNode:
			written, next, path = findKey(value, strings.TrimPrefix(path, "."), map[*yaml.Node]bool{})
		case value != nil && value.Kind == yaml.SequenceNode:
			next, path = findItem(value, path)
			written = next
		}
		if next == nil {
			return at
		}
		at, value = written, next
	}
	return at
}

// target is what an alias stands for, every other node itself.
func target(node *yaml.Node) *yaml.Node {
	for range 2 { // the target of an alias is never an alias
		if node == nil || node.Kind != yaml.AliasNode {
			return node
		}
		node = node.Alias
	}
	return nil
}

// findKey returns key and value of the longest key that the path begins with,
// and the rest of the path: first among the keys that are written in the
// mapping itself, then among those it merges.
func findKey(mapping *yaml.Node, path string, visited map[*yaml.Node]bool) (key, value *yaml.Node, rest string) {
	if mapping == nil || mapping.Kind != yaml.MappingNode || visited[mapping] {
		return nil, nil, ""
	}
	visited[mapping] = true
	longest := -1
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		name := mapping.Content[i]
		if name.Kind != yaml.ScalarNode || len(name.Value) <= longest {
			continue
		}
		if after, ok := afterKey(path, name.Value); ok {
			key, value, rest, longest = name, mapping.Content[i+1], after, len(name.Value)
		}
	}
	if key != nil {
		return key, value, rest
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if !isMerge(mapping.Content[i]) {
			continue
		}
		merged := []*yaml.Node{target(mapping.Content[i+1])}
		if merged[0] != nil && merged[0].Kind == yaml.SequenceNode {
			merged = merged[0].Content
		}
		for _, source := range merged {
			if key, value, rest = findKey(target(source), path, visited); key != nil {
				return key, value, rest
			}
		}
	}
	return nil, nil, ""
}

func isMerge(key *yaml.Node) bool { return key.Kind == yaml.ScalarNode && key.Tag == "!!merge" }

// afterKey returns what follows when the path begins with this key, written
// plainly or in brackets.
func afterKey(path, key string) (rest string, ok bool) {
	if rest, ok = strings.CutPrefix(path, "["+key+"]"); ok {
		return rest, true
	}
	rest, ok = strings.CutPrefix(path, key)
	if !ok || key == "" {
		return "", false
	}
	return rest, rest == "" || rest[0] == '.' || rest[0] == '['
}

// findItem returns the item that a path such as [0].name begins with.
func findItem(sequence *yaml.Node, path string) (item *yaml.Node, rest string) {
	inside, rest, ok := strings.Cut(strings.TrimPrefix(path, "."), "]")
	number, bracketed := strings.CutPrefix(inside, "[")
	index, err := strconv.ParseUint(number, 10, 31)
	if !ok || !bracketed || err != nil || index >= uint64(len(sequence.Content)) {
		return nil, ""
	}
	return sequence.Content[index], rest
}
