// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ow-kai/ascend-operator/internal/approval"
)

// maxQuoted is how much of a name a finding quotes, in characters.
const maxQuoted = 256

// quoted is what somebody wrote, in quotes and without anything that cannot be
// seen, so that no name can pass for another or write to a terminal.
func quoted(text string) string {
	if utf8.RuneCountInString(text) > maxQuoted {
		text = string([]rune(text)[:maxQuoted-1]) + "…"
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.QuoteToASCII(text)
	}
	return strconv.Quote(text)
}

// crowd warns of a name that stands for more people than one might expect.
func (f *findings) crowd(path, name, may string) {
	if who := approval.Crowd(name); who != "" {
		f.add(Crowd, path, "%s stands for %s, who %s", quoted(name), who, may)
	}
}
