// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

// width is how many columns the story has.
const width = 100

// style is an SGR parameter of a terminal.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	cyan   style = "36"
)

// paint wraps a text in a style.
func paint(s style, text string) string {
	if s == plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")

// unpaint takes all styles away.
func unpaint(text string) string { return ansi.ReplaceAllString(text, "") }

// narrator tells the story: to a terminal, and to whoever listens.
type narrator struct {
	out   io.Writer
	color bool
	// listen hears everything: as it is shown, in color, and as it is to stand
	// in a page, without what differs from run to run.
	listen func(painted, page string)
}

// newNarrator tells on a file, in color where that is a terminal and nobody
// objects.
func newNarrator(out *os.File, listen func(painted, page string)) *narrator {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &narrator{out: out, color: terminal && os.Getenv("NO_COLOR") == "", listen: listen}
}

func (n *narrator) tell(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	n.show(text, stable(unpaint(text)))
}

func (n *narrator) show(painted, page string) {
	n.listen(painted, page)
	if !n.color {
		painted = unpaint(painted)
	}
	fmt.Fprint(n.out, painted)
}

// title begins a chapter.
func (n *narrator) title(number int, text string) {
	n.tell("\n%s\n\n", paint(bold, fmt.Sprintf("%d. %s", number, text)))
}

// prose is text for a reader, wrapped.
func (n *narrator) prose(indent, text string) {
	n.tell("%s\n", wrap(indent, text))
}

// typed shows a command line as it was typed. One that is too long continues
// on a second line.
func (n *narrator) typed(line string) {
	lead, rest := "   $ ", line
	for _, option := range []string{" --as ", " | "} {
		if utf8.RuneCountInString(lead+line) <= width {
			break
		}
		if at := strings.LastIndex(line, option); at > 0 {
			rest = line[:at] + " \\\n       " + strings.TrimSpace(line[at:])
			break
		}
	}
	n.tell("%s\n", paint(cyan, lead+rest))
}

// printed shows what a command printed. Lines that are too long for the page
// are continued in the column in which their text begins, with the branches of
// a tree drawn on.
func (n *narrator) printed(text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \n")
		if line == "" {
			n.tell("\n")
			continue
		}
		words := strings.TrimLeft(line, branches)
		begin := "   " + strings.TrimSuffix(line, words)
		further := strings.NewReplacer("├", "│", "└", " ", "─", " ").Replace(begin) + "  "
		// What differs is taken out first, for where a line breaks depends on it.
		n.show(fold(begin, further, words)+"\n", fold(begin, further, stable(words))+"\n")
	}
}

// branches are the characters that a tree is drawn with.
const branches = " │├└─"

// wrap breaks a text into lines of at most width columns, each after indent.
// How many blanks are between words does not matter. Words that are longer
// than a line stay whole.
func wrap(indent, text string) string {
	return fold(indent, indent, strings.Join(strings.Fields(text), " "))
}

// fold breaks a text at single blanks into lines of at most width columns: the
// first after begin, the others after further. A text that fits stays as it is.
func fold(begin, further, text string) string {
	var out strings.Builder
	line := begin
	for i, word := range strings.Split(text, " ") {
		switch {
		case i == 0:
			line += word
		case utf8.RuneCountInString(line+" "+word) > width:
			out.WriteString(strings.TrimRight(line, " ") + "\n")
			line = further + word
		default:
			line += " " + word
		}
	}
	return out.String() + line
}
