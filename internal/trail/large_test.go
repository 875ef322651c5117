// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// large is a log of that many lines, in five chains one after the other, of which the
// last one is anchored.
type large struct {
	lines   [][]byte
	last    int // the index of the first line of the last chain
	options VerifyOptions
}

func newLarge(lines int) *large {
	s := newScribe("00000000-0000-4000-8000-000000000000")
	s.start(nil, 0)
	l := &large{}
	for i, chains := 0, 1; len(s.lines) < lines-1; i++ {
		if len(s.lines) >= lines*chains/5 {
			l.last = len(s.lines)
			s = s.next(fmt.Sprintf("00000000-0000-4000-8000-%012d", chains), 0)
			chains++
		}
		if len(s.lines)%100 == 0 {
			s.checkpoint()
		}
		s.decide(i)
	}
	l.lines = s.lines
	l.options = VerifyOptions{Anchors: []audit.Checkpoint{*s.sign(theKey)}}
	return l
}

var tenThousand = sync.OnceValue(func() *large { return newLarge(10_000) })

// cutAt is the first bad line when only so many lines are left.
func (l *large) cutAt(lines int) int {
	if lines <= l.last {
		return -1 // the last chain is missing, and has no place
	}
	return lines - 1
}

// change is one way to change a log, with the first bad line there then is.
type change struct {
	lines [][]byte
	cut   bool // the last one is not finished
	want  int
	what  string
}

// sorts are the ways to change a log, each by chance at a line.
var sorts = map[string]func(l *large, random *rand.Rand, i int) change{
	"byte": func(l *large, random *rand.Rand, i int) change {
		at, b := random.IntN(len(l.lines[i])), byte(random.IntN(256))
		if b == l.lines[i][at] {
			b ^= 0x10
		}
		return change{byteChanged(l.lines, i, at, b), false, i, fmt.Sprintf("byte %d of line %d is %q", at, i, b)}
	},
	"removed": func(l *large, _ *rand.Rand, i int) change {
		want := i
		if i == len(l.lines)-1 {
			want = l.cutAt(i)
		}
		return change{without(l.lines, i), false, want, fmt.Sprintf("without line %d", i)}
	},
	"range removed": func(l *large, random *rand.Rand, i int) change {
		j, want := i+1+random.IntN(len(l.lines)-i), i
		if j == len(l.lines) {
			want = l.cutAt(i)
		}
		return change{slices.Delete(slices.Clone(l.lines), i, j), false, want, fmt.Sprintf("without lines %d to %d", i, j-1)}
	},
	"swapped": func(l *large, random *rand.Rand, i int) change {
		j := random.IntN(len(l.lines))
		if random.IntN(4) == 0 || j == i {
			j = (i + 1) % len(l.lines)
		}
		return change{swapped(l.lines, i, j), false, min(i, j), fmt.Sprintf("lines %d and %d swapped", i, j)}
	},
	"repeated": func(l *large, random *rand.Rand, i int) change {
		before := random.IntN(len(l.lines) + 1)
		want := before
		if before == i {
			want = i + 1
		}
		return change{repeated(l.lines, i, before), false, want, fmt.Sprintf("line %d once more before %d", i, before)}
	},
	"cut at a line's end": func(l *large, _ *rand.Rand, i int) change {
		return change{l.lines[:i], false, l.cutAt(i), fmt.Sprintf("cut before line %d", i)}
	},
	"cut within a line": func(l *large, random *rand.Rand, i int) change {
		line := l.lines[i]
		end := 1 + random.IntN(len(line))
		return change{append(slices.Clone(l.lines[:i]), line[:end]), true, i, fmt.Sprintf("cut in line %d", i)}
	},
}

// 2,000 changes of each sort by chance, the same ones each time.
func TestTenThousandLinesChangedByChance(t *testing.T) {
	t.Parallel()
	l := tenThousand()
	for name, sort := range sorts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMemo(l.lines, l.options)
			if got := m.firstBad(l.lines, false); got != nothing {
				t.Fatalf("unchanged: first bad line %d", got)
			}
			random := rand.New(rand.NewPCG(5, 5))
			for n := range 2000 {
				c := sort(l, random, random.IntN(len(l.lines)))
				if got := m.firstBad(c.lines, c.cut); got != c.want {
					t.Errorf("%s: first bad line %d, want %d", c.what, got, c.want)
				}
				if n%500 != 0 {
					continue
				}
				whole := text(c.lines)
				if c.cut {
					whole = whole[:len(whole)-1]
				}
				if got := firstBad(t, whole, l.options); got != c.want {
					t.Errorf("%s: Verify says %d, want %d", c.what, got, c.want)
				}
			}
		})
	}
}

// Every 97th line, changed in every way.
func TestEvery97thLineOfTenThousand(t *testing.T) {
	t.Parallel()
	l := tenThousand()
	m := newMemo(l.lines, l.options)
	random := rand.New(rand.NewPCG(9, 7))
	for i := 0; i < len(l.lines); i += 97 {
		for name, sort := range sorts {
			c := sort(l, random, i)
			if got := m.firstBad(c.lines, c.cut); got != c.want {
				t.Errorf("%s: %s: first bad line %d, want %d", name, c.what, got, c.want)
			}
		}
	}
}

// Whatever the lines are, Verify does not panic, and finds the same twice.
func FuzzVerify(f *testing.F) {
	s := newSmall()
	f.Add(text(s.lines), uint8(0))
	f.Add(text(s.lines[s.rotated:]), uint8(7))
	f.Add(text(slices.Concat(s.lines[s.torn:], s.lines[:3])), uint8(2))
	f.Add([]byte("{\"sequence\":1,\"chain\":\"a\",\"event\":\"audit.started\",\"hash\":\"x\",\"journal\":{\"previous\":null}}\n\n[]\n{}"), uint8(3))
	f.Fuzz(func(t *testing.T, text []byte, flags uint8) {
		options := s.options()
		options.Partial, options.Collected, options.RequireProof = flags&1 > 0, flags&2 > 0, flags&4 > 0
		a, err := Verify(t.Context(), Lines("fuzz", bytes.NewReader(text)), options)
		if err != nil {
			return
		}
		b, err := Verify(t.Context(), Lines("fuzz", bytes.NewReader(text)), options)
		if err != nil || a.FaultsTotal != b.FaultsTotal || a.Records != b.Records || a.FaultsTotal > 0 && *a.First() != *b.First() {
			t.Errorf("%v: %+v and %+v", err, a, b)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	l := newLarge(100_000)
	whole := text(l.lines)
	options := l.options
	options.Keys = []ed25519.PublicKey{public(theKey)}
	b.SetBytes(int64(len(whole)))
	b.ReportAllocs()
	for b.Loop() {
		report, err := Verify(context.Background(), Lines("bench", bytes.NewReader(whole)), options)
		if err != nil || !report.Sound() {
			b.Fatal(err, report.First())
		}
	}
	b.ReportMetric(float64(len(l.lines))*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
