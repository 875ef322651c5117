// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// ErrNoAnswer is what Confirm fails with where nobody can be asked.
var ErrNoAnswer = errors.New("there is no terminal to ask on")

// maxAnswer is as much of an answer as is read, in bytes; a longer one is a no.
const maxAnswer = 64

// Interactive says whether somebody sits at a terminal who can be asked: what
// is read from has to be one. An In that has an IsTerminal method is asked.
func (s *Session) Interactive() bool {
	if told, tells := s.In.(interface{ IsTerminal() bool }); tells {
		return told.IsTerminal()
	}
	return terminal.IsTerminal(s.In)
}

// Confirm asks a question on the terminal, which is put on stderr as it is, and
// takes y or yes, in any case, for a yes. Everything else is a no: another
// answer, none, and the end of the input. It fails with ErrNoAnswer where there
// is no terminal, and with ctx's error when that ends first, as by Ctrl-C.
func (s *Session) Confirm(ctx context.Context, question string) (bool, error) {
	if !s.Interactive() {
		return false, ErrNoAnswer
	}
	fmt.Fprint(s.ErrOut, s.hung(question+" [y/N]"), " ")
	type reply struct {
		text  string
		ended bool
	}
	answered := make(chan reply, 1)
	go func() { // reading from a terminal cannot be interrupted
		text, ended := readAnswer(s.In)
		answered <- reply{text, ended}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(s.ErrOut)
		return false, ctx.Err()
	case answer := <-answered:
		if answer.ended {
			fmt.Fprintln(s.ErrOut) // what is printed next begins on a line of its own
		}
		switch strings.ToLower(strings.TrimSpace(answer.text)) {
		case "y", "yes":
			return !answer.ended, nil
		default:
			return false, nil
		}
	}
}

// readAnswer reads one line, byte by byte, so that the next question finds the
// next line. Ended says that the input was over before the line was.
func readAnswer(in io.Reader) (text string, ended bool) {
	var line []byte
	one := make([]byte, 1)
	for {
		n, err := in.Read(one)
		if n > 0 {
			if one[0] == '\n' {
				return string(line), false
			}
			if len(line) < maxAnswer {
				line = append(line, one[0])
			}
		}
		if err != nil {
			return string(line), true
		}
	}
}
