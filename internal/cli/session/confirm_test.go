// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// keyboard is an input at which somebody sits.
type keyboard struct{ io.Reader }

func (keyboard) IsTerminal() bool { return true }

func asking(in io.Reader) (*Session, *bytes.Buffer) {
	errOut := &bytes.Buffer{}
	return New(genericiooptions.IOStreams{In: in, Out: io.Discard, ErrOut: errOut}), errOut
}

func TestConfirm(t *testing.T) {
	for name, tc := range map[string]struct {
		typed string
		want  bool
	}{
		"y":                {"y\n", true},
		"yes":              {" YES \r\n", true},
		"no":               {"n\n", false},
		"nothing":          {"\n", false},
		"something else":   {"yesterday\n", false},
		"end of input":     {"", false},
		"y without return": {"y", false},
		"too long":         {"y" + strings.Repeat(" ", 2*maxAnswer) + "es\n", true}, // what is beyond is not read
		"too long a no":    {strings.Repeat("y", 10000) + "\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			s, errOut := asking(keyboard{strings.NewReader(tc.typed)})
			got, err := s.Confirm(t.Context(), "Sure?")
			if err != nil || got != tc.want {
				t.Errorf("got %t, %v, want %t", got, err, tc.want)
			}
			if !strings.HasPrefix(errOut.String(), "Sure? [y/N] ") {
				t.Errorf("asked %q", errOut)
			}
		})
	}
}

// The second question reads the second line.
func TestConfirmTwice(t *testing.T) {
	s, _ := asking(keyboard{strings.NewReader("y\nn\ny\n")})
	for i, want := range []bool{true, false, true, false} {
		if got, err := s.Confirm(t.Context(), "Sure?"); err != nil || got != want {
			t.Errorf("answer %d is %t, %v, want %t", i, got, err, want)
		}
	}
}

func TestConfirmWithoutTerminal(t *testing.T) {
	s, errOut := asking(strings.NewReader("y\n"))
	if got, err := s.Confirm(t.Context(), "Sure?"); got || !errors.Is(err, ErrNoAnswer) || errOut.Len() > 0 {
		t.Errorf("got %t, %v and asked %q, want ErrNoAnswer and no question", got, err, errOut)
	}
}

// Ctrl-C ends the question, though nothing is typed.
func TestConfirmInterrupted(t *testing.T) {
	in, hold := io.Pipe()
	defer hold.Close()
	s, _ := asking(keyboard{in})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if got, err := s.Confirm(ctx, "Sure?"); got || !errors.Is(err, context.Canceled) {
		t.Errorf("got %t, %v, want the context's error", got, err)
	}
}
