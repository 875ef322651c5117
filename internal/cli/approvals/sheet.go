// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

const (
	// labelWidth is the column at which the values of a sheet begin.
	labelWidth = 15
	// leastWidth of a terminal; what is narrower is not wrapped.
	leastWidth = 40
	// goesOn begins each line that only goes on with the one above: without it
	// whoever chooses the text could make it look like a line of the page.
	goesOn = "↳ "
)

// sheet is a page for people: sections with lines. What does not fit into the
// width is wrapped, and goes on below where it began, behind a sign, so that no
// text of others ever stands at the margin, or looks like a line of its own.
type sheet struct {
	width int // 0: nothing is wrapped
	style terminal.Style
	lines []string
}

// marks are those of terminal.Mark, as they stand in text.
var marks = regexp.MustCompile(`\[(U\+|0x)[0-9A-F]+( (U\+|0x)[0-9A-F]+)*\]`)

// section begins a part of the page.
func (s *sheet) section(title string) {
	s.lines = append(s.lines, "", s.style.Paint(terminal.Strong, title))
}

// field adds a labelled line.
func (s *sheet) field(label, text string) {
	s.add(fmt.Sprintf("  %-*s", labelWidth-2, label), text, terminal.Plain)
}

// digest adds a digest, which is never broken: people copy it.
func (s *sheet) digest(label, text, digest string) {
	if before := fmt.Sprintf("  %-*s", labelWidth-2, label); text == "" && (s.width < leastWidth || len(before)+len(digest) <= s.width) {
		s.lines = append(s.lines, before+digest)
		return
	}
	s.field(label, text)
	s.lines = append(s.lines, "    "+digest)
}

// text adds a line that is indented by so many spaces.
func (s *sheet) text(indent int, text string) {
	s.add(strings.Repeat(" ", indent), text, terminal.Plain)
}

// alarm adds a line that must not be overlooked.
func (s *sheet) alarm(text string) { s.add("! ", text, terminal.Bad) }

// add puts text behind what is before it, on as many lines as it takes. Both
// have been made safe for a terminal by the caller.
func (s *sheet) add(before, text string, role terminal.Role) {
	wraps := s.width >= leastWidth
	switch lead := len(text) - len(strings.TrimLeft(text, " ")); {
	case wraps && len(before)+lead > s.width-leastWidth/2: // the terminal would put it at its margin
		text = fmt.Sprintf("(%d spaces) %s", lead, text[lead:])
	case lead > 0: // the indent of an outline
		before, text = before+text[:lead], text[lead:]
	}
	indent, width := strings.Repeat(" ", len(before))+goesOn, 0
	if wraps {
		width = s.width - len(before)
	}
	for i, line := range terminal.Wrap(text, width, strings.Repeat(" ", terminal.Columns(goesOn))) {
		if i > 0 {
			before, line = indent, strings.TrimPrefix(line, strings.Repeat(" ", terminal.Columns(goesOn)))
		}
		s.lines = append(s.lines, strings.TrimRight(before+s.painted(line, role), " "))
	}
}

// painted is a line in a role, but for the marks in it, which have their own.
func (s *sheet) painted(line string, role terminal.Role) string {
	var b strings.Builder
	from := 0
	for _, at := range marks.FindAllStringIndex(line, -1) {
		b.WriteString(s.style.Paint(role, line[from:at[0]]))
		b.WriteString(s.style.Paint(terminal.Marked, line[at[0]:at[1]]))
		from = at[1]
	}
	b.WriteString(s.style.Paint(role, line[from:]))
	return b.String()
}

// list adds lines below the section, at most so many and how many more there
// are; 0: all.
func (s *sheet) list(indent int, lines []string, most int, hint string) {
	shown := lines
	if most > 0 && len(lines) > most {
		shown = lines[:most]
	}
	for _, line := range shown {
		s.text(indent, line)
	}
	if more := len(lines) - len(shown); more > 0 {
		s.text(indent, fmt.Sprintf("… (%d more lines; %s)", more, hint))
	}
}

func (s *sheet) write(out io.Writer) error {
	_, err := io.WriteString(out, strings.Join(s.lines, "\n")+"\n")
	return err
}
