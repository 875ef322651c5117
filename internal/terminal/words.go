// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"fmt"
	"strings"
)

// Count is a number with its noun: "1 rule", "2 rules".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// ShellQuote is text as one word that a POSIX shell reads back byte for byte.
// Source: POSIX, "Single-Quotes".
func ShellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// ShellWord is a name as a word of a command to be shown and copied: Safe, and in
// quotes where a shell would read more than a name in it.
func ShellWord(name string) string {
	const harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:@/"
	if name != "" && name[0] != '-' && strings.Trim(name, harmless) == "" {
		return name
	}
	return ShellQuote(Safe(name))
}
