// SPDX-License-Identifier: Apache-2.0

package main

import (
	"regexp"
	"slices"
	"strings"
)

// markdown turns a help text into Markdown: paragraphs stay such, and what is
// indented, such as a table of words, is shown as it is.
func markdown(text string) string {
	var out []string
	for _, part := range paragraphs(text) {
		out = append(out, parts(strings.Split(part, "\n"))...)
	}
	return strings.Join(out, "\n\n")
}

// parts splits a paragraph where indented lines begin and end.
func parts(lines []string) []string {
	var out []string
	for len(lines) > 0 {
		indented := strings.HasPrefix(lines[0], " ")
		end := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, " ") != indented })
		if end < 0 {
			end = len(lines)
		}
		part := strings.Join(lines[:end], "\n")
		if indented {
			part = "```text\n" + unindent(part) + "\n```"
		} else {
			part = prose(part)
		}
		out = append(out, part)
		lines = lines[end:]
	}
	return out
}

// unindent takes off the blanks that all lines begin with.
func unindent(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	common := -1
	for _, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if indent := len(line) - len(strings.TrimLeft(line, " ")); common < 0 || indent < common {
			common = indent
		}
	}
	for i, line := range lines {
		lines[i] = strings.TrimRight(line[min(max(common, 0), len(line)):], " ")
	}
	return strings.Join(lines, "\n")
}

// special are the characters that Markdown would take for its own. Underscores
// are none within a word, which is where help texts have them.
var special = regexp.MustCompile(`[\\*<\[\]]`)

// mark would begin a heading, a list or a quotation. A hyphen stays: whoever
// writes one means a list.
var mark = regexp.MustCompile(`(?m)^(\d*)([#+>]|[.)] )`)

// prose is text that Markdown shows as it is. What is in backquotes stays.
func prose(text string) string {
	pieces := strings.Split(text, "`")
	if len(pieces)%2 == 0 { // a backquote without another
		return strings.ReplaceAll(special.ReplaceAllString(text, `\$0`), "`", "\\`")
	}
	for i := 0; i < len(pieces); i += 2 {
		pieces[i] = special.ReplaceAllString(pieces[i], `\$0`)
	}
	return mark.ReplaceAllString(strings.Join(pieces, "`"), `$1\$2`)
}

// cell is prose in a cell of a table: one line, without bars.
func cell(text string) string {
	return strings.ReplaceAll(prose(strings.Join(strings.Fields(text), " ")), "|", `\|`)
}
