// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"fmt"
	"slices"
	"strings"
)

// Mark shows text to somebody who has to know what it says: Safe text in which
// each suspicious character is a mark with its number, [U+0440], and several in
// a row are one, [U+0440 U+0430]. A byte that is not UTF-8 is [0xFF]. The
// character itself is not in the output, so what is copied from it is no trap.
//
// A mark is always one: where the text itself holds "[U+" or "[0x", its bracket
// is marked, [U+005B]U+0440]. Line feeds, tabs and what an emoji is made of are
// escaped as Safe does.
func Mark(text string) string { return Style{}.Mark(text) }

// Mark is as the function, with the marks in the style's role Marked.
func (s Style) Mark(text string) string {
	return strings.Join(s.markLines(text, func(string) bool { return false }), "")
}

// MarkLines is Mark for text of several lines, such as YAML: it is split at
// its line feeds, which are gone, and the spaces that indent lines stay.
func MarkLines(text string) []string { return Style{}.MarkLines(text) }

// MarkLines is as the function, with the marks in the style's role Marked.
func (s Style) MarkLines(text string) []string {
	return s.markLines(strings.ReplaceAll(text, "\r\n", "\n"), func(character string) bool { return character == "\n" })
}

// markLines marks text and splits it at the characters that end a line.
func (s Style) markLines(text string, ends func(string) bool) []string {
	suspicions := suspectMarks(text)
	var lines []string
	var line strings.Builder
	from := 0
	plain := func(to int) {
		for _, character := range strings.SplitAfter(text[from:to], "") {
			if ends(character) {
				lines = append(lines, line.String())
				line.Reset()
				continue
			}
			line.WriteString(Safe(character))
		}
		from = to
	}
	for i := 0; i < len(suspicions); {
		plain(suspicions[i].Offset)
		var codes []string
		for ; i < len(suspicions) && suspicions[i].Offset == from; i++ {
			codes = append(codes, suspicions[i].Code())
			from += len(suspicions[i].Text)
		}
		line.WriteString(s.Paint(Marked, "["+strings.Join(codes, " ")+"]"))
	}
	plain(len(text))
	return append(lines, line.String())
}

// suspectMarks is Suspicious with the brackets of what reads like a mark.
func suspectMarks(text string) []Suspicion {
	found := Suspicious(text)
	n := len(found)
	for _, begin := range []string{"[U+", "[0x"} {
		for at := 0; ; at++ {
			next := strings.Index(text[at:], begin)
			if next < 0 {
				break
			}
			at += next
			found = append(found, Suspicion{Kind: LookAlike, Offset: at, Text: "[", Like: "["})
		}
	}
	if len(found) > n {
		slices.SortStableFunc(found, func(a, b Suspicion) int { return a.Offset - b.Offset })
	}
	return found
}

// maxNamed are the most characters that Warnings names in one line.
const maxNamed = 4

// maxWord is how many columns of a word are shown in a warning.
const maxWord = 80

// maxWarnings are the most lines of Warnings before the one that counts the rest.
const maxWarnings = 16

// Warnings says what is suspicious in a text, in one line for each kind and
// word, fit for a terminal; nil where nothing is.
func Warnings(text string) []string {
	var out []string
	found := Suspicious(text)
	for len(found) > 0 {
		if len(out) == maxWarnings {
			return append(out, fmt.Sprintf("and %d more suspicious characters", len(found)))
		}
		same, rest := alike(found)
		out = append(out, warning(same))
		found = rest
	}
	return out
}

// alike takes the suspicions that are of the kind and in the word of the first.
func alike(found []Suspicion) (same, rest []Suspicion) {
	for _, s := range found {
		if s.Kind == found[0].Kind && s.Word == found[0].Word {
			same = append(same, s)
		} else {
			rest = append(rest, s)
		}
	}
	return same, rest
}

func warning(same []Suspicion) string {
	var names []string
	for _, s := range same {
		name := s.Code() + " " + s.Name()
		if s.Kind == LookAlike {
			name += " for " + Safe(s.Like)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if more := len(names) - maxNamed; more > 0 {
		names = append(names[:maxNamed], fmt.Sprintf("and %d more", more))
	}
	list := strings.Join(names, ", ")
	if same[0].Word != "" {
		return Cut(Mark(same[0].Word), maxWord) + ` looks like "` + Cut(Safe(same[0].WordLike), maxWord) + `" and is not: ` + list
	}
	text := string(same[0].Kind)
	if len(same) > 1 {
		text = fmt.Sprintf("%d %ss", len(same), text)
		text = strings.Replace(text, "byte that is not UTF-8s", "bytes that are not UTF-8", 1)
	}
	return text + ": " + list
}
