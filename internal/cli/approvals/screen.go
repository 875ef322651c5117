// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// What a terminal understands. Source: ECMA-48; mode 2026 (synchronized output)
// and 25 (cursor) are DEC private modes, which a terminal that does not know
// them ignores.
const (
	beginFrame = "\x1b[?2026h\x1b[?25l"
	endFrame   = "\x1b[?2026l"
	showCursor = "\x1b[?25h"
	eraseLine  = "\x1b[K"
	eraseBelow = "\x1b[J"
	eraseAll   = "\x1b[2J\x1b[H"
)

// display draws a page on a terminal again and again in the same place: what
// changed is written over, so that nothing flickers. It needs no more lines than
// the terminal has.
type display struct {
	out  io.Writer
	size func() (width, height int)

	drawn         []string // the lines that are on the screen
	rows          int      // of the screen that they take
	width, height int      // of the screen when they were drawn
}

// newDisplay draws on the session's stdout.
func newDisplay(s *session.Session) *display {
	return &display{out: s.Out, size: func() (int, int) { return sizeOf(s) }}
}

// sizeOf is the size of the terminal now; what is not known is that of old terminals.
func sizeOf(s *session.Session) (width, height int) {
	width, height = s.Screen.Width, 24
	if now := terminal.Width(s.Out, os.Getenv); now > 0 {
		width = now
	}
	if file, isFile := s.Out.(interface{ Fd() uintptr }); isFile {
		if _, lines, err := term.GetSize(int(file.Fd())); err == nil && lines > 0 {
			height = lines
		}
	}
	return width, height
}

// draw shows the page in place of the one before. Of what does not fit, the
// beginning and so many lines of the end are shown, and what is between is told of.
func (d *display) draw(end int, page func(width int) []string) {
	width, height := d.size()
	lines := page(width)
	lines = fit(lines, max(height-1-(rowsOf(lines, width)-len(lines)), 3), end)
	same := width == d.width && height == d.height
	if same && strings.Join(lines, "\n") == strings.Join(d.drawn, "\n") {
		return
	}
	var frame strings.Builder
	frame.WriteString(beginFrame)
	switch {
	case d.drawn != nil && !same:
		frame.WriteString(eraseAll) // the terminal has moved lines around
	case len(d.drawn) > 0:
		fmt.Fprintf(&frame, "\x1b[%dA\r", d.rows)
	}
	for _, line := range lines {
		frame.WriteString(line + eraseLine + "\n")
	}
	frame.WriteString(eraseBelow + endFrame)
	fmt.Fprint(d.out, frame.String())
	d.drawn, d.rows, d.width, d.height = lines, rowsOf(lines, width), width, height
}

// paint is what Style puts into lines, which takes no columns.
var paint = regexp.MustCompile("\x1b\\[[0-9;]*m")

// rowsOf is how many rows of the screen lines take: one that is wider than the
// screen, such as a command to be copied, goes on in the next row.
func rowsOf(lines []string, width int) int {
	rows := 0
	for _, line := range lines {
		columns := terminal.Columns(paint.ReplaceAllString(line, ""))
		rows += max(1, (columns+width-1)/max(width, 1))
	}
	return rows
}

// fit leaves lines out so that there are but so many.
func fit(lines []string, most, end int) []string {
	if len(lines) <= most {
		return lines
	}
	end = max(min(end, most-2), 0)
	begin := most - 1 - end
	out := slices.Clone(lines[:begin])
	out = append(out, fmt.Sprintf("… %d more lines; make the window larger, or leave out -w", len(lines)-begin-end))
	return append(out, lines[len(lines)-end:]...)
}

// close gives the cursor back; what was drawn last stays.
func (d *display) close() { fmt.Fprint(d.out, showCursor) }
