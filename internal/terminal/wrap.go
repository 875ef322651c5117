// SPDX-License-Identifier: Apache-2.0

package terminal

import "strings"

// Wrap makes text Safe and breaks it into lines of at most width columns: at
// spaces, which are dropped there, beside wide characters, and within a word
// only where it does not fit into a line of its own. Each line but the first
// begins with the indent; one that is not ASCII, or leaves less than half of the
// width or than two columns, is left out. A single character wider than the width has a line of its
// own. Where width is 0 or less there is one line.
func Wrap(text string, width int, indent string) []string {
	text = Safe(text)
	if width <= 0 || Columns(text) <= width {
		return []string{text}
	}
	if !isPlain(indent) || 2*len(indent) > width || width-len(indent) < 2 {
		indent = ""
	}
	w := wrapper{width: width, indent: indent}
	for text != "" {
		var spaces, piece string
		spaces, piece, text = nextPiece(text)
		w.add(spaces, piece)
	}
	return append(w.lines, w.line.String())
}

// nextPiece takes spaces and what follows them and cannot be broken: a word, or
// a wide character with its marks.
func nextPiece(text string) (spaces, piece, rest string) {
	word := strings.TrimLeft(text, " ")
	spaces = text[:len(text)-len(word)]
	for i, r := range word {
		switch {
		case r == ' ':
			return spaces, word[:i], word[i:]
		case i == 0 || columnsOf(r) == 0:
		case columnsOf(r) == 2 || columnsOf(firstRune(word)) == 2:
			return spaces, word[:i], word[i:]
		}
	}
	return spaces, word, ""
}

func firstRune(text string) rune {
	for _, r := range text {
		return r
	}
	return 0
}

type wrapper struct {
	width  int
	indent string
	lines  []string
	line   strings.Builder
	used   int
}

func (w *wrapper) add(spaces, piece string) {
	if piece == "" {
		return
	}
	if w.used+len(spaces)+Columns(piece) <= w.width {
		w.put(spaces + piece)
		return
	}
	if w.used > 0 {
		w.breakLine()
	}
	for piece != "" {
		head := fitting(piece, w.width-w.used)
		w.put(head)
		if piece = piece[len(head):]; piece != "" {
			w.breakLine()
		}
	}
}

func (w *wrapper) put(text string) {
	w.line.WriteString(text)
	w.used += Columns(text)
}

func (w *wrapper) breakLine() {
	w.lines = append(w.lines, w.line.String())
	w.line.Reset()
	w.line.WriteString(w.indent)
	w.used = len(w.indent)
}

// fitting is as much of a piece as fits into some columns, at least its first
// character and its marks.
func fitting(piece string, columns int) string {
	used := 0
	for i, r := range piece {
		used += columnsOf(r)
		if i > 0 && used > columns && columnsOf(r) > 0 {
			return piece[:i]
		}
	}
	return piece
}
