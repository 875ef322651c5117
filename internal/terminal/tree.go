// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"fmt"
	"io"
)

// Node is a line with what explains it below.
type Node struct {
	text     string
	children []*Node
}

// NewNode returns the top of a tree. Its text has been made safe for a terminal by
// the caller.
func NewNode(text string) *Node { return &Node{text: text} }

// Append puts more text at the end of the node's own line, safe likewise.
func (n *Node) Append(text string) { n.text += text }

// Add puts a line below the node and returns it. The arguments have been made
// safe for a terminal by the caller.
func (n *Node) Add(format string, args ...any) *Node {
	child := &Node{text: fmt.Sprintf(format, args...)}
	n.children = append(n.children, child)
	return child
}

// Write writes the tree, the node's own line at the margin.
func (n *Node) Write(out io.Writer) {
	fmt.Fprintln(out, n.text)
	n.writeChildren(out, "")
}

func (n *Node) writeChildren(out io.Writer, indent string) {
	for i, child := range n.children {
		branch, below := "├─ ", "│  "
		if i == len(n.children)-1 {
			branch, below = "└─ ", "   "
		}
		fmt.Fprintf(out, "%s%s%s\n", indent, branch, child.text)
		child.writeChildren(out, indent+below)
	}
}
