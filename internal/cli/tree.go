// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
)

// node is a line with what explains it below.
type node struct {
	text     string
	children []*node
}

// add puts a line below the node and returns it. The arguments have been made
// safe for a terminal by the caller.
func (n *node) add(format string, args ...any) *node {
	child := &node{text: fmt.Sprintf(format, args...)}
	n.children = append(n.children, child)
	return child
}

// writeTo writes the tree, the node's own line at the margin.
func (n *node) writeTo(out io.Writer) {
	fmt.Fprintln(out, n.text)
	n.writeChildren(out, "")
}

func (n *node) writeChildren(out io.Writer, indent string) {
	for i, child := range n.children {
		branch, below := "├─ ", "│  "
		if i == len(n.children)-1 {
			branch, below = "└─ ", "   "
		}
		fmt.Fprintf(out, "%s%s%s\n", indent, branch, child.text)
		child.writeChildren(out, indent+below)
	}
}
