// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"fmt"
	"io"

	"golang.org/x/term"
)

// Role is what a piece of text means to its reader.
type Role int

// The roles.
const (
	// Plain text has no style.
	Plain Role = iota
	// Good news: approved, active, passed.
	Good
	// Bad news: denied, failed, refused.
	Bad
	// Waiting for somebody, or near its deadline.
	Waiting
	// Faint text is there for those who look for it.
	Faint
	// Strong text is what to read first.
	Strong
	// Marked text must not be overlooked: a suspicious character.
	Marked
)

// sequences of each role. Source: ECMA-48, Select Graphic Rendition; only the
// eight colours that every terminal lets its owner choose.
var sequences = map[Role]string{
	Good: "\x1b[32m", Bad: "\x1b[31m", Waiting: "\x1b[33m", Faint: "\x1b[2m", Strong: "\x1b[1m", Marked: "\x1b[7;31m",
}

const plainSequence = "\x1b[0m"

// Style paints text by its role. The zero Style leaves it as it is. No colour
// carries a meaning that the text does not.
type Style struct{ colours bool }

// Colour is when to use colours.
type Colour string

// The values of --color.
const (
	ColourAuto   Colour = "auto"
	ColourAlways Colour = "always"
	ColourNever  Colour = "never"
)

// ParseColour reads the value of --color.
func ParseColour(text string) (Colour, error) {
	switch c := Colour(text); c {
	case ColourAuto, ColourAlways, ColourNever:
		return c, nil
	case "":
		return ColourAuto, nil
	default:
		return "", fmt.Errorf(`--color is "%s"; it can be auto, always or never`, Safe(text))
	}
}

// NewStyle decides about colours for a stream. always and never decide by
// themselves. With auto there are none where the environment has NO_COLOR, with
// any value but the empty one (no-color.org); otherwise there are where it has
// CLICOLOR_FORCE, with any value but 0 (bixense.com/clicolors); otherwise where
// the stream is a terminal, unless TERM is dumb.
func NewStyle(colour Colour, out io.Writer, env func(string) string) Style {
	force := env("CLICOLOR_FORCE")
	switch {
	case colour == ColourAlways:
		return Style{colours: true}
	case colour == ColourNever || env("NO_COLOR") != "":
		return Style{}
	case force != "" && force != "0":
		return Style{colours: true}
	default:
		return Style{colours: env("TERM") != "dumb" && IsTerminal(out)}
	}
}

// Paint is the text in a role. It has been made safe for a terminal by the caller.
func (s Style) Paint(role Role, text string) string {
	if !s.colours || sequences[role] == "" || text == "" {
		return text
	}
	return sequences[role] + text + plainSequence
}

// IsTerminal says whether a stream is a terminal.
func IsTerminal(out any) bool {
	fd, isFile := descriptor(out)
	return isFile && term.IsTerminal(fd)
}

func descriptor(out any) (fd int, isFile bool) {
	file, isFile := out.(interface{ Fd() uintptr })
	if !isFile {
		return 0, false
	}
	return int(file.Fd()), true
}
