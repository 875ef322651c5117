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
	out    io.Writer
	color  bool
	listen func(painted string)
}

// newNarrator tells on a file, in color where that is a terminal and nobody
// objects.
func newNarrator(out *os.File, listen func(painted string)) *narrator {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &narrator{out: out, color: terminal && os.Getenv("NO_COLOR") == "", listen: listen}
}

func (n *narrator) tell(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	n.listen(text)
	if !n.color {
		text = unpaint(text)
	}
	fmt.Fprint(n.out, text)
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

// printed shows what a command printed.
func (n *narrator) printed(text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \n")
		if line == "" {
			n.tell("\n")
			continue
		}
		n.tell("   %s\n", line)
	}
}

// wrap breaks a text into lines of at most width columns, each after indent.
// Words that are longer than that stay whole.
func wrap(indent, text string) string {
	var lines []string
	line := indent
	for word := range strings.FieldsSeq(text) {
		sep := " "
		if line == indent {
			sep = ""
		}
		if sep == " " && utf8.RuneCountInString(line+sep+word) > width {
			lines = append(lines, line)
			line, sep = indent, ""
		}
		line += sep + word
	}
	return strings.Join(append(lines, line), "\n")
}
