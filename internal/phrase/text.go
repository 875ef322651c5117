// SPDX-License-Identifier: Apache-2.0

// Package phrase puts policy in words: what a SmartRule or an ApprovalWorkflow
// says, for readers who do not know CEL. What it cannot say well it quotes.
package phrase

import (
	"fmt"
	"strings"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// Text is a line with what explains it below. Lines are fit for a terminal,
// and characters in them that do not show what they are have marks: see
// terminal.Mark.
type Text struct {
	Line  string
	Below []*Text
}

// add puts a line below and returns it. Its arguments are safe.
func (t *Text) add(format string, args ...any) *Text {
	child := &Text{Line: fmt.Sprintf(format, args...)}
	t.Below = append(t.Below, child)
	return child
}

// Node is the text as a tree to write.
func (t *Text) Node() *terminal.Node {
	node := terminal.NewNode(t.Line)
	t.addTo(node)
	return node
}

func (t *Text) addTo(node *terminal.Node) {
	for _, child := range t.Below {
		child.addTo(node.Add("%s", child.Line))
	}
}

// String is the text as a tree of lines.
func (t *Text) String() string {
	var out strings.Builder
	t.Node().Write(&out)
	return out.String()
}

// inline is the text in one line: what is below stands in parentheses.
func (t *Text) inline() string {
	if len(t.Below) == 0 {
		return t.Line
	}
	parts := make([]string, len(t.Below))
	for i, child := range t.Below {
		parts[i] = child.inline()
	}
	return t.Line + " (" + strings.Join(parts, "; ") + ")"
}

// prefixed is the text with words before its first line.
func (t *Text) prefixed(words string) *Text { return &Text{Line: words + t.Line, Below: t.Below} }

// quoted is text of somebody else in quotes. Quotes and backslashes in it are
// escaped, so that nobody can write a text that reads as if it ended before.
func quoted(text string) string { return `"` + terminal.Mark(escapes.Replace(text)) + `"` }

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// code is text of somebody else as it was written, in one line.
func code(text string) string {
	var words []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			words = append(words, line)
		}
	}
	return "`" + terminal.Mark(strings.Join(words, " ")) + "`"
}

// list joins words: a, b or c.
func list[S ~string](words []S, last string) string {
	texts := make([]string, len(words))
	for i, word := range words {
		texts[i] = terminal.Mark(string(word))
	}
	return joined(texts, last)
}

// joined joins texts that are safe: a, b or c.
func joined(texts []string, last string) string {
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	return strings.Join(texts[:len(texts)-1], ", ") + " " + last + " " + texts[len(texts)-1]
}

// count is a number with its noun: 1 person, 2 people.
func count(n int32, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
