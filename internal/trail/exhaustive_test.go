// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// firstBad returns the index of the first bad line; -1 for a fault without a place,
// and fails the test when there is none.
func firstBad(t *testing.T, text []byte, options VerifyOptions) int {
	t.Helper()
	report, err := Verify(t.Context(), linesOf(text), options)
	if err != nil {
		t.Fatal(err)
	}
	fault := report.First()
	if fault == nil {
		return nothing
	}
	return fault.Line - 1
}

// nothing was found.
const nothing = -2

func TestSmallTrailIsSound(t *testing.T) {
	t.Parallel()
	s := newSmall()
	if n := len(s.lines); n < 38 || n > 60 {
		t.Errorf("%d lines", n)
	}
	report, err := Verify(t.Context(), linesOf(text(s.lines[:s.rotated]), text(s.lines[s.rotated:])), s.options())
	if err != nil || !report.Sound() {
		t.Fatalf("%v, %+v", err, report.Faults)
	}
	if report.Unfinished != 1 || report.Lines != int64(len(s.lines)) || report.Records != report.Lines-1 || len(report.Chains) != 2 || len(report.Notes) > 0 {
		t.Errorf("%+v", report)
	}
	a, b := report.Chains[0], report.Chains[1]
	if a.End != EndAnchored || a.Anchored != a.Last || a.Signed == 0 || a.Unconfirmed != 2 || a.Lost != 2 || a.Replica != "pod-1" || a.Checkpoints != 2 || a.Records != a.Last {
		t.Errorf("%+v", a)
	}
	if b.End != EndAnchored || b.Signed != b.Last-2 || b.To != fmt.Sprintf("file1:%d", len(s.lines)-s.rotated) || b.Until.Before(a.Until) {
		t.Errorf("%+v", b)
	}
}

// byteChanged is lines with another byte in one of them, at its end the newline.
func byteChanged(lines [][]byte, in, at int, b byte) [][]byte {
	line := append(bytes.Clone(lines[in]), '\n')
	line[at] = b
	out := slices.Clone(lines[:in])
	if at == len(line)-1 && in < len(lines)-1 {
		return append(append(out, append(line, lines[in+1]...)), lines[in+2:]...)
	}
	if at < len(line)-1 {
		line = line[:len(line)-1]
	}
	return append(append(out, bytes.Split(line, []byte("\n"))...), lines[in+1:]...)
}

func TestEveryByte(t *testing.T) {
	t.Parallel()
	s := newSmall()
	options := s.options()
	options.Keys = nil // no signature is needed to find them, and they take most of the time
	m := newMemo(s.lines, options)
	place, runs := 0, 0
	for in, line := range s.lines {
		for at := range len(line) + 1 {
			was := byte('\n')
			if at < len(line) {
				was = line[at]
			}
			values := []byte{was ^ 1, was ^ 0x20, was ^ 0x80, '\n'}
			place++
			if place%197 == 0 {
				values = values[:0]
				for b := range 256 {
					values = append(values, byte(b))
				}
			}
			for _, b := range values {
				if b == was || in == s.torn && was != '\n' && b != '\n' {
					continue // an unfinished line is no part of the trail, as Verify says
				}
				runs++
				last := in == len(s.lines)-1 && was == '\n'
				changed := byteChanged(s.lines, in, at, b)
				got, want := m.firstBad(changed, last), in
				if in == s.torn+1 && b == '\n' && at < len(line) && !bytes.Contains(line[:at], []byte(audit.EventStarted)) {
					want = s.torn // nothing is left directly behind it that explains the unfinished line
				}
				if got != want {
					t.Errorf("byte %d of line %d is %q instead of %q: first bad line %d", at, in, b, was, got)
				}
				if runs%1000 == 0 && !last && firstBad(t, text(changed), s.options()) != got {
					t.Errorf("byte %d of line %d is %q instead of %q: Verify says something else", at, in, b, was)
				}
			}
		}
	}
	t.Logf("%d bytes, %d changes, all found at their line", place, runs)
}

func TestEveryLineRemoved(t *testing.T) {
	t.Parallel()
	s := newSmall()
	for i := range s.lines {
		want := i // the line that has taken its place
		switch {
		case i == s.torn-1: // the end of the first chain
			want = i - 1
		case i == s.torn+1: // the unfinished line is not explained any more
			want = i - 1
		case i == len(s.lines)-1: // the last one that there is
			want = i - 1
		}
		if got := firstBad(t, text(without(s.lines, i)), s.options()); got != want {
			t.Errorf("without line %d: first bad line %d, want %d", i, got, want)
		}
	}
}

func TestEveryTwoLinesSwapped(t *testing.T) {
	t.Parallel()
	s := newSmall()
	for i := range s.lines {
		for j := i + 1; j < len(s.lines); j++ {
			want := i
			if i == s.torn+1 { // the unfinished line before is not explained any more
				want = i - 1
			}
			if got := firstBad(t, text(swapped(s.lines, i, j)), s.options()); got != want {
				t.Errorf("lines %d and %d swapped: first bad line %d, want %d", i, j, got, want)
			}
		}
	}
}

func TestEveryLineRepeatedEverywhere(t *testing.T) {
	t.Parallel()
	s := newSmall()
	for i := range s.lines {
		for before := range len(s.lines) + 1 {
			want := before
			switch {
			case i == s.torn && (before == i || before == i+1): // which of both is one too many?
				want = i
			case before == i: // the second one is
				want = i + 1
			case before == s.torn+1: // the unfinished line is not explained any more
				want = s.torn
			}
			if got := firstBad(t, text(repeated(s.lines, i, before)), s.options()); got != want {
				t.Errorf("line %d once more before line %d: first bad line %d, want %d", i, before, got, want)
			}
		}
	}
}

func TestEveryTailCut(t *testing.T) {
	t.Parallel()
	s := newSmall()
	options := s.options()
	options.Keys = nil
	m := newMemo(s.lines, options)
	check := func(kept [][]byte, cut bool, want int) {
		t.Helper()
		if got := m.firstBad(kept, cut); got != want {
			t.Errorf("cut behind line %d, in the middle of the next: %t; first bad line %d, want %d", len(kept), cut, got, want)
		}
	}
	for i, line := range s.lines {
		want := i - 1 // the last one that there is
		if i == s.torn {
			want = -1 // the first chain is complete, and the other one has no place
		}
		check(s.lines[:i], false, want)
		for end := 1; end <= len(line); end++ {
			want := i
			if i == s.torn+1 && !bytes.Contains(line[:end], []byte(audit.EventStarted)) {
				want = i - 1 // nothing is left that explains the unfinished line
			}
			check(append(slices.Clone(s.lines[:i]), line[:end]), true, want)
		}
		if i%7 == 0 {
			if got := firstBad(t, append(text(s.lines[:i]), line[:len(line)/2]...), s.options()); got != i {
				t.Errorf("cut in the middle of line %d: first bad line %d", i, got)
			}
		}
	}
}
