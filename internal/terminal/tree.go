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
func (n *Node) Write(out io.Writer) { n.WriteWithin(out, 0) }

// leastWidth is how narrow the text of a deep branch may become.
const leastWidth = 24

// WriteWithin is Write for a terminal of that many columns: lines that are
// longer go on below, beside the branches. Where width is 0 none is broken.
func (n *Node) WriteWithin(out io.Writer, width int) {
	n.write(out, width, "", "")
}

// write writes the node behind first, and all that follows behind indent.
func (n *Node) write(out io.Writer, width int, first, indent string) {
	hanging := indent + "  "
	if len(n.children) > 0 {
		hanging = indent + "│  "
	}
	left := 0
	if width > 0 {
		left = max(width-Columns(hanging), leastWidth)
	}
	for i, line := range Wrap(n.text, left, "") {
		if i == 0 {
			fmt.Fprintln(out, first+line)
		} else {
			fmt.Fprintln(out, hanging+line)
		}
	}
	for i, child := range n.children {
		branch, below := "├─ ", "│  "
		if i == len(n.children)-1 {
			branch, below = "└─ ", "   "
		}
		child.write(out, width, indent+branch, indent+below)
	}
}
