// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"strconv"
	"unicode"

	"golang.org/x/term"
	"golang.org/x/text/width"
)

// usualWidth is that of a terminal which does not tell.
const usualWidth = 80

// Width is how many columns a stream has, and 0 where it is no terminal: then
// nothing is wrapped, cut or left out. COLUMNS in the environment, a positive
// number, goes before what the terminal says.
func Width(out any, env func(string) string) int {
	fd, isFile := descriptor(out)
	if !isFile || !term.IsTerminal(fd) {
		return 0
	}
	if columns, err := strconv.Atoi(env("COLUMNS")); err == nil && columns > 0 {
		return columns
	}
	if columns, _, err := term.GetSize(fd); err == nil && columns > 0 {
		return columns
	}
	return usualWidth
}

// Columns is how many columns of a terminal safe text takes. Source: Unicode
// Standard Annex #11, wide and full-width characters take two; combining marks
// and what conjoins with the letter before take none. Terminals that draw an
// emoji of several characters as one use fewer.
func Columns(text string) int {
	if isPlain(text) {
		return len(text)
	}
	sum := 0
	for _, r := range text {
		sum += columnsOf(r)
	}
	return sum
}

func columnsOf(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me) || (r >= 0x1160 && r <= 0x11FF): // and vowels and finals of Hangul
		return 0
	case r < 0x1100:
		return 1
	}
	if kind := width.LookupRune(r).Kind(); kind == width.EastAsianWide || kind == width.EastAsianFullwidth {
		return 2
	}
	return 1
}

// ellipsis stands for what was cut off.
const ellipsis = "…"

// Cut is the beginning of safe text that fits into some columns, with an
// ellipsis where something is missing. Below one column it is empty.
func Cut(text string, columns int) string {
	if Columns(text) <= columns {
		return text
	}
	if columns < 1 {
		return ""
	}
	used := 0
	for i, r := range text {
		if used += columnsOf(r); used > columns-1 {
			return text[:i] + ellipsis
		}
	}
	return text
}
