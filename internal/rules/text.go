// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The lengths, in characters, to which texts are cut. Source: the schema of
// v1alpha1 (SmartRuleSpec.DisplayName and .Reason, MatchedRule.Note).
const (
	maxTitle  = 128
	maxReason = 1024
	maxNote   = 512
)

// ellipsis ends a text that was cut.
const ellipsis = '…'

// oneLine makes text fit to be shown anywhere: characters that control a
// terminal, break a line, turn the direction of writing or cannot be seen are
// written as \u escapes, and what is longer than limit characters is cut.
func oneLine(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit && strings.IndexFunc(text, hidden) < 0 && utf8.ValidString(text) {
		return text
	}
	var out strings.Builder
	length := 0
	for i := 0; i < len(text); {
		r, width := utf8.DecodeRuneInString(text[i:])
		piece := text[i : i+width]
		if hidden(r) || (r == utf8.RuneError && width == 1) {
			piece = escape(r, piece)
		}
		i += width
		length += utf8.RuneCountInString(piece)
		if length > limit-1 && (length > limit || i < len(text)) {
			out.WriteRune(ellipsis)
			break
		}
		out.WriteString(piece)
	}
	return out.String()
}

// hidden says whether a character does something else than to be seen.
func hidden(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u2800', '\u3164', '\uffa0': // letters and symbols that are blank
		return true
	}
	return !unicode.IsPrint(r)
}

func escape(r rune, bytes string) string {
	switch {
	case r == utf8.RuneError:
		return fmt.Sprintf(`\x%02x`, bytes[0])
	case r == '\n':
		return `\n`
	case r == '\t':
		return `\t`
	case r == '\r':
		return `\r`
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	default:
		return fmt.Sprintf(`\U%08x`, r)
	}
}
