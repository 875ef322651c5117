// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"k8s.io/apiserver/pkg/authentication/serviceaccount"
)

// maxShown is how much of a name a message quotes, in characters.
const maxShown = 256

// shown is a name for a message: as it is where every character can be seen,
// otherwise quoted with escapes, so that no name can pass for another or write
// to a terminal.
func shown(name string) string {
	name = atMost(name, maxShown)
	plain := utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
	if plain && name != "" {
		return name
	}
	return strconv.QuoteToASCII(name)
}

// atMost cuts a text to a number of characters.
func atMost(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit-1]) + "…"
}

// shellWord quotes a word for a POSIX shell, where it needs it.
func shellWord(word string) string {
	const harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+,="
	if word != "" && strings.Trim(word, harmless) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(shown(word), "'", `'\''`) + "'"
}

// subjectEntry is the entry of an agent's subjects that names a user.
func subjectEntry(username string) string {
	if namespace, name, err := serviceaccount.SplitUsername(username); err == nil {
		return "{kind: ServiceAccount, namespace: " + namespace + ", name: " + name + "}"
	}
	return "{kind: User, name: " + strconv.Quote(shown(username)) + "}"
}
