// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// grown says what is wrong when aliases make the document much larger than it
// is written, or when one contains itself. It takes linear time.
func grown(root *yaml.Node) string {
	c := counter{sizes: map[*yaml.Node]int{}}
	size := c.size(root)
	switch {
	case c.endless != "":
		return fmt.Sprintf("the anchor %q contains itself; write out what it stands for", c.endless)
	case size-c.written > maxAliasGrowth:
		return fmt.Sprintf("aliases make it larger by more than %d values, which is the limit; write out what they stand for, in several documents", maxAliasGrowth)
	}
	return ""
}

// counter counts nodes, once as written and once with aliases resolved.
type counter struct {
	sizes   map[*yaml.Node]int // of anchors; 0 while it is counted
	written int
	endless string
}

// size with aliases resolved. It stops to grow past the limit.
func (c *counter) size(node *yaml.Node) int {
	if node.Kind == yaml.AliasNode {
		c.written++
		size, counted := c.sizes[node.Alias]
		if !counted || size == 0 {
			c.endless = node.Value
		}
		return max(size, 1)
	}
	if node.Anchor != "" {
		c.sizes[node] = 0
	}
	c.written++
	size := 1
	for _, child := range node.Content {
		size = min(size+c.size(child), maxFileSize+maxAliasGrowth+1)
	}
	if node.Anchor != "" {
		c.sizes[node] = size
	}
	return size
}

// duplicateKeys are the keys that are set twice in one mapping. The API server
// refuses them; kubectl would silently drop the first.
func duplicateKeys(document *Document) []Problem {
	var problems []Problem
	var walk func(node *yaml.Node, path string)
	walk = func(node *yaml.Node, path string) {
		switch node.Kind {
		case yaml.MappingNode:
			first := map[string]*yaml.Node{}
			for i := 0; i+1 < len(node.Content); i += 2 {
				key := node.Content[i]
				if key.Kind != yaml.ScalarNode || isMerge(key) {
					continue
				}
				name := join(path, key.Value)
				if before := first[key.Value]; before != nil {
					problems = append(problems, Problem{
						Position: Position{File: document.File, Line: key.Line, Column: key.Column}, Path: name,
						Message: "it is set twice, first in line " + strconv.Itoa(before.Line) + "; keep one",
					})
				} else {
					first[key.Value] = key
				}
				walk(node.Content[i+1], name)
			}
		case yaml.SequenceNode:
			for i, item := range node.Content {
				walk(item, path+"["+strconv.Itoa(i)+"]")
			}
		case yaml.DocumentNode, yaml.ScalarNode, yaml.AliasNode: // no keys, or those of elsewhere
		}
	}
	walk(document.Node, "")
	return problems
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
