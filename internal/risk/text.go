// SPDX-License-Identifier: Apache-2.0

package risk

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// maxText is the schema's limit of a factor's value and note.
	maxText = 512
	// maxQuoted is how many characters of somebody else's text are repeated.
	maxQuoted = 64
	// cutMark stands for what was cut off.
	cutMark = "..."
)

// cut cuts text to what the schema takes, at a character.
func cut(s string) string { return cutTo(s, maxText) }

func cutTo(s string, limit int) string {
	if len(s) <= limit || utf8.RuneCountInString(s) <= limit {
		return s
	}
	kept := 0
	for i := range s {
		if kept == limit-len(cutMark) {
			return s[:i] + cutMark
		}
		kept++
	}
	return s
}

// quote cuts and escapes what somebody else wrote, so that it cannot break a
// line, a terminal or a limit, nor look like something else.
func quote(s string) string { return strconv.QuoteToASCII(cutTo(s, maxQuoted)) }

// cutWord is quote without the quotes, for a word that needs none.
func cutWord(s string) string {
	if s == "" {
		return unknown
	}
	quoted := quote(s)
	return strings.TrimSuffix(strings.TrimPrefix(quoted, `"`), `"`)
}
