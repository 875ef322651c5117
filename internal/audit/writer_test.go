// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// TestAWriterBreaksNoLine lets a write end after each number of bytes: what was
// written in part is completed first, once, and what counts as kept is.
func TestAWriterBreaksNoLine(t *testing.T) {
	t.Parallel()
	lines := [][]byte{[]byte("one"), []byte(""), []byte("three")}
	all := "one\n\nthree\n"
	for first := range len(all) {
		for second := range len(all) {
			out := &disk{full: true, fits: first}
			w := audit.NewWriter("test", out)
			kept := 0
			rest := lines
			for _, fits := range []int{first, second} {
				out.fits = fits
				err := w.Write(t.Context(), rest)
				if err == nil {
					t.Fatal("a write that failed is no failure")
				}
				if partial, is := errors.AsType[*audit.PartialError](err); is {
					kept += partial.Lines
					rest = rest[partial.Lines:]
				}
				if !errors.Is(err, errFull) {
					t.Fatalf("got %v", err)
				}
			}
			out.full = false
			if err := w.Write(t.Context(), rest); err != nil {
				t.Fatal(err)
			}
			if got := out.String(); got != all {
				t.Fatalf("after %d and %d bytes: %q with %d lines kept, want %q", first, second, got, kept, all)
			}
		}
	}
}

func TestAWriterThatLiesIsNotBelieved(t *testing.T) {
	t.Parallel()
	for _, n := range []int{-5, 1000} {
		w := audit.NewWriter("test", liar(n))
		if err := w.Write(t.Context(), [][]byte{[]byte("one")}); err == nil || !strings.Contains(err.Error(), "space") {
			t.Errorf("%d: got %v", n, err)
		}
	}
}

// liar claims to have written that many bytes, and fails.
type liar int

func (l liar) Write([]byte) (int, error) { return int(l), errFull }
