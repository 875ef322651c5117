// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"fmt"
	"strings"
)

// MarkBranch is Mark for the text of a line in a tree: what draws trees is escaped,
// too, so that no text can grow a branch where it is wrapped.
func MarkBranch(text string) string {
	text = Mark(text)
	if !strings.ContainsFunc(text, isBox) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if isBox(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isBox says whether a character is of the Unicode block Box Drawing.
func isBox(r rune) bool { return r >= 0x2500 && r <= 0x257F }
