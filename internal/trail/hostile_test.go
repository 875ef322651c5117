// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// made reads text of a function, piece by piece, so that the test itself holds little.
type made struct {
	pieces, next int
	piece        func(i int) []byte
	left         []byte
}

func (m *made) Read(into []byte) (int, error) {
	if len(m.left) == 0 {
		if m.next == m.pieces {
			return 0, io.EOF
		}
		m.left = m.piece(m.next)
		m.next++
	}
	n := copy(into, m.left)
	m.left = m.left[n:]
	return n, nil
}

func begun(chain, replica string) []byte {
	s := newScribe(chain)
	s.write(audit.Record{Event: audit.EventStarted, Journal: &audit.Journal{Replica: replica, Previous: &audit.Head{Chain: replica, Sequence: 1, Hash: "sha256:1"}}})
	return append(s.lines[0], '\n')
}

// Lines that somebody has made to fill the memory, such as in a small compressed file:
// what is known of the trail in the end is little.
func TestHostileTrailTakesLittleMemory(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	lots := bytes.Repeat([]byte("y"), MaxLine-1)
	for name, c := range map[string]struct {
		lines int
		line  func(i int) []byte
	}{
		"many chains":          {1000, func(i int) []byte { return begun(fmt.Sprint("c", i), "pod") }},
		"long names of chains": {20, func(i int) []byte { return begun(fmt.Sprint("c", i, long), "pod") }},
		"long names of others": {20, func(i int) []byte { return begun(fmt.Sprint("c", i), long) }},
		"long lines":           {30, func(int) []byte { return append(lots, '\n') }},
	} {
		for _, options := range []VerifyOptions{{Partial: true}, {Partial: true, Collected: true}} {
			t.Run(fmt.Sprintf("%s, collected %t", name, options.Collected), func(t *testing.T) {
				before := heap()
				lines := Lines("hostile", &made{pieces: c.lines, piece: c.line})
				v := newVerifier(options)
				for f, err := range examined(t.Context(), lines) {
					if err != nil {
						t.Fatal(err)
					}
					v.next(f)
				}
				v.finish()
				if grown := heap() - before; grown > 8<<20 {
					t.Errorf("%d lines, and %d KiB are held", c.lines, grown>>10)
				}
				runtime.KeepAlive(v)
			})
		}
	}
}

func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
