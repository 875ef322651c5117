// SPDX-License-Identifier: Apache-2.0

// Package terminal is what may be shown to people: text of others made safe, times
// as people read them, trees, tables and colours.
package terminal

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Safe makes text that somebody else wrote fit for a terminal: what it
// shows is what it says. Escaped visibly, as \n, \x1b or \u202e, are control
// characters and with them every ANSI escape, line and paragraph separators,
// spaces other than the ASCII one, bidirectional controls, zero-width and
// other invisible characters, and bytes that are not UTF-8. The result is one
// line without tabs. Letters of all scripts stay; look-alikes are not marked.
func Safe(text string) string {
	if isPlain(text) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case isVisible(r):
			b.WriteRune(r)
		default:
			b.WriteString(escapeRune(r))
		}
		i += size
	}
	return b.String()
}

// isPlain says whether text is visible ASCII, as it nearly always is.
func isPlain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// brailleBlank is drawn as nothing, though Unicode calls it a symbol.
const brailleBlank = '\u2800'

// isVisible says whether a character is drawn, and leaves the order of what is
// drawn alone. strconv.IsPrint excludes categories C and Z but for the ASCII
// space; the tables are what Unicode ignores in display and yet calls letters or marks.
func isVisible(r rune) bool {
	return strconv.IsPrint(r) && r != brailleBlank &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

func escapeRune(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < utf8.RuneSelf:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xFFFF:
		return fmt.Sprintf(`\u%04x`, r)
	default:
		return fmt.Sprintf(`\U%08x`, r)
	}
}
