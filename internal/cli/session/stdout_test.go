// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// full is a disk.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestUnwritten(t *testing.T) {
	s := New(genericiooptions.IOStreams{Out: full{}, ErrOut: &bytes.Buffer{}})
	if err := s.Unwritten(); err != nil {
		t.Errorf("before anything was printed: %v", err)
	}
	s.Out.Write([]byte("approved")) //nolint:errcheck // as most who print
	if err := s.Unwritten(); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("got %v", err)
	}
	s = New(genericiooptions.IOStreams{Out: os.Stdout, ErrOut: os.Stderr})
	if file, is := s.Out.(interface{ Fd() uintptr }); !is || file.Fd() != os.Stdout.Fd() {
		t.Error("it is no longer known to be a file")
	}
}

// A message of others does not begin a line where the terminal wraps it.
func TestHang(t *testing.T) {
	text := "error: recorded, but act-1 was denied: " + strings.Repeat("x", 41) + " approved: act-1 may run\n  kubectl " + strings.Repeat("y", 90)
	lines := strings.Split(hang(text, 80), "\n")
	if len(lines) != 3 || lines[1] != "  approved: act-1 may run" || lines[2] != "  kubectl "+strings.Repeat("y", 90) {
		t.Errorf("got %q", lines)
	}
	if got := hang(text, 0); got != text {
		t.Errorf("in a pipe: %q", got)
	}
}
