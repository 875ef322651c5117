// SPDX-License-Identifier: Apache-2.0

package session

import (
	"io"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// The values of --color.
const (
	ColorAuto   = string(terminal.ColourAuto)
	ColorAlways = string(terminal.ColourAlways)
	ColorNever  = string(terminal.ColourNever)
)

// Screen is what is known of where stdout goes.
type Screen struct {
	// Terminal: a person looks on.
	Terminal bool
	// Width in columns; 0 where nothing is to be wrapped, as in a pipe.
	Width int
}

// look finds out about stdout.
func look(out io.Writer) Screen {
	return Screen{Terminal: terminal.IsTerminal(out), Width: terminal.Width(out, os.Getenv)}
}

// Style paints what is printed to stdout, where --color and the environment
// want it.
func (s *Session) Style() terminal.Style { return terminal.NewStyle(s.Color, s.Out, os.Getenv) }

// Table returns a table that fits the screen.
func (s *Session) Table(columns ...terminal.Column) *terminal.Table {
	return terminal.NewTable(s.Screen.Width, s.Style(), columns...)
}

// ListTable returns a table of objects: with NAMESPACE before the columns where
// several are looked in, and with more behind them under -o wide. Then it does
// not heed the screen, for who asks for more wants to see it whole.
func (s *Session) ListTable(namespaces, wide bool, columns, more []terminal.Column) *terminal.Table {
	if namespaces {
		columns = append([]terminal.Column{{Header: "NAMESPACE"}}, columns...)
	}
	if !wide {
		return s.Table(columns...)
	}
	return terminal.NewTable(0, s.Style(), slices.Concat(columns, more)...)
}

// AddFlags adds the flags that every command has, but for those of the connection.
func (s *Session) AddFlags(flags *pflag.FlagSet) {
	flags.Var((*colourFlag)(&s.Color), "color", "colours: auto (on a terminal, unless NO_COLOR is set), always or never")
	flags.IntVarP(&s.Verbosity, "v", "v", 0, "tell more on stderr: 1 what is asked of the server, 6 every request")
}

// colourFlag is the flag --color.
type colourFlag terminal.Colour

func (c *colourFlag) String() string { return string(*c) }
func (c *colourFlag) Type() string   { return "string" }

// Set implements pflag.Value.
func (c *colourFlag) Set(text string) error {
	colour, err := terminal.ParseColour(text)
	if err == nil {
		*c = colourFlag(colour)
	}
	return err
}
