// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"bytes"
	"strings"
	"testing"
)

func tree() *Node {
	top := NewNode("a rule with a title that is much too long for this")
	one := top.Add("  5.4  the first branch, which says a lot about nothing in particular")
	one.Add("what explains it, in so many words that they need several lines")
	one.Add("short")
	top.Add("the last branch says as much as the others, and ends")
	return top
}

func TestTreeWithin(t *testing.T) {
	var b bytes.Buffer
	tree().WriteWithin(&b, 40)
	want := strings.TrimPrefix(`
a rule with a title that is much too
│  long for this
├─   5.4  the first branch, which
│  │  says a lot about nothing in
│  │  particular
│  ├─ what explains it, in so many
│  │    words that they need several
│  │    lines
│  └─ short
└─ the last branch says as much as the
     others, and ends
`, "\n")
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Without a width, a node is a line.
func TestTree(t *testing.T) {
	var b bytes.Buffer
	tree().Write(&b)
	if lines := strings.Count(b.String(), "\n"); lines != 5 {
		t.Errorf("got %d lines:\n%s", lines, b.String())
	}
}
