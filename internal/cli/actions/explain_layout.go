// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// marked is text in a tree: suspicious characters are marked, and what draws
// trees is escaped, so that no text can grow a branch where it is wrapped.
func marked(text string) string { return terminal.MarkBranch(text) }

// branches are what a tree draws before the text of a line, and what goes on
// below it where that text is wrapped.
var branches = strings.NewReplacer("├─ ", "│  ", "└─ ", "   ")

// writeTree writes a tree as wide as the screen: what is too long goes on below
// its own beginning. A word of its first line is painted.
func writeTree(s *session.Session, tree *terminal.Node, word string, role terminal.Role) {
	var drawn bytes.Buffer
	tree.Write(&drawn)
	first, rest, _ := strings.Cut(drawn.String(), "\n")
	name, after, _ := strings.Cut(first, ": "+word)
	fmt.Fprintln(s.Out, name+": "+s.Style().Paint(role, word)+after)
	out, width := s.Out, s.Screen.Width
	for line := range strings.Lines(rest) {
		line = strings.TrimSuffix(line, "\n")
		text := strings.TrimLeft(line, "│├└─ ")
		before := line[:len(line)-len(text)]
		if width <= 0 || terminal.Columns(line) <= width {
			fmt.Fprintln(out, line)
			continue
		}
		for i, part := range terminal.Wrap(text, max(width-terminal.Columns(before), 20), "") {
			if i == 1 {
				before = branches.Replace(before)
			}
			fmt.Fprintln(out, before+part)
		}
	}
}

// explainSuspicions warns of text that does not show what it is. The places are
// marked where they stand.
func explainSuspicions(root *terminal.Node, action *v1alpha1.AgentAction) {
	texts := []string{action.Spec.Description, action.Spec.Resource, action.Status.Message}
	if action.Spec.Parameters != nil {
		texts = append(texts, string(action.Spec.Parameters.Raw))
	}
	if request := action.Spec.ExceptionRequest; request != nil {
		texts = append(texts, request.Justification)
	}
	for i := range action.Spec.Approvals {
		texts = append(texts, action.Spec.Approvals[i].Comment)
	}
	var warnings []string
	for _, text := range texts {
		warnings = append(warnings, terminal.Warnings(text)...)
	}
	if len(warnings) == 0 {
		return
	}
	const most = 10
	n := root.Add("SUSPICIOUS: text in it does not show what it is; it is marked [U+…] where it stands")
	for i, warning := range warnings {
		if i == most {
			n.Add("and %d more; see ascend review %s", len(warnings)-most, terminal.Safe(action.Name))
			break
		}
		n.Add("%s", warning)
	}
}
