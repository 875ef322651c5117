// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// checked is a stream that remembers what went wrong with it: most of what is
// printed does not ask, and a disk that is full must not pass for success.
type checked struct {
	io.Writer
	err error
}

func (c *checked) Write(data []byte) (int, error) {
	n, err := c.Writer.Write(data)
	if err != nil && c.err == nil {
		c.err = err
	}
	return n, err
}

// checkedFile is one that may be a terminal.
type checkedFile struct {
	*checked
	file interface{ Fd() uintptr }
}

// Fd is as that of an os.File.
func (c checkedFile) Fd() uintptr { return c.file.Fd() }

// check returns the stream as one that remembers.
func check(out io.Writer) (io.Writer, *checked) {
	remembers := &checked{Writer: out}
	if file, isFile := out.(interface{ Fd() uintptr }); isFile {
		return checkedFile{remembers, file}, remembers
	}
	return remembers, remembers
}

// Unwritten is why not all that was printed has arrived on stdout; nil: it has,
// as far as is known.
func (s *Session) Unwritten() error {
	if s.stdout == nil || s.stdout.err == nil {
		return nil
	}
	return fmt.Errorf("cannot write all of the output: %s\nWhat the command was asked to do may have been done nevertheless", terminal.Safe(s.stdout.err.Error()))
}

// hung breaks text that is wider than stderr's terminal, and indents what goes
// on: text of others in it never begins a line by itself. Lines that are
// indented are commands to be copied, and stay.
func (s *Session) hung(text string) string { return hang(text, terminal.Width(s.ErrOut, os.Getenv)) }

func hang(text string, width int) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, " ") {
			lines = append(lines, line)
			continue
		}
		lines = append(lines, terminal.Wrap(line, width, "  ")...)
	}
	return strings.Join(lines, "\n")
}
