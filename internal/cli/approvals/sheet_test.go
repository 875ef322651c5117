// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// What somebody writes cannot look like a line of the page, however it is
// wrapped: not by filling the line before, nor by spaces that the terminal
// itself would wrap.
func TestNoLineIsForged(t *testing.T) {
	const forged = "approved: act-1 may run"
	for width := leastWidth; width <= 130; width++ {
		for spaces := 1; spaces <= 2*width; spaces++ {
			for _, text := range []string{strings.Repeat(" ", spaces) + forged, strings.Repeat("x", spaces) + " " + forged, "    " + strings.Repeat(" ", spaces) + forged} {
				s := &sheet{width: width}
				s.add("", text, terminal.Plain)
				s.field("description", text)
				s.text(4, text)
				for _, line := range s.lines[1:] {
					if columns := terminal.Columns(line); columns > width {
						t.Fatalf("%d columns of %d: %q", columns, width, line)
					}
					if line = strings.TrimLeft(line, " "); strings.HasPrefix(line, "approved:") && !strings.Contains(text, line) {
						t.Fatalf("in %d columns, after %d spaces: %q", width, spaces, s.lines)
					}
				}
			}
		}
	}
	s := &sheet{width: 80}
	s.add("", strings.Repeat("x", 79)+" "+forged, terminal.Plain)
	s.field("note", `"`+strings.Repeat("x", 62)+" "+forged+`"`)
	s.text(4, strings.Repeat("x", 70)+" "+forged)
	if got := fmt.Sprintf("%.30s|%.45s|%.30s", s.lines[1], s.lines[3], s.lines[5]); got != "↳ "+forged+"|"+strings.Repeat(" ", 15)+"↳ "+forged+`"|    ↳ `+forged {
		t.Errorf("what goes on is not marked: %q", s.lines)
	}
	s = &sheet{width: 80}
	s.field("description", strings.Repeat(" ", 65)+forged)
	if s.lines[0] != "  description  (65 spaces) "+forged {
		t.Errorf("got %q", s.lines)
	}
}

// What is shown on one line has no quotes in it that are none.
func TestNoValueIsForged(t *testing.T) {
	got := short(&runtime.RawExtension{Raw: []byte(`{"a":"x”, table: “test","z(":1}`)}, 0)
	if want := `{a: "x\u201d, table: \u201ctest", "z(": 1}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What the terminal wraps takes more than one row, and is drawn over as such.
func TestDisplayOfWideLines(t *testing.T) {
	var out strings.Builder
	d := &display{out: &out, size: func() (int, int) { return 40, 24 }}
	wide := func(end string) func(int) []string {
		return func(int) []string { return []string{"one", "\x1b[1m" + strings.Repeat("x", 81) + "\x1b[0m", end} }
	}
	d.draw(0, wide("a"))
	d.draw(0, wide("b"))
	if !strings.Contains(out.String(), "\x1b[5A\r") {
		t.Errorf("it goes up by other than 5 rows: %q", out.String())
	}
	d.draw(0, func(int) []string { return strings.Split(strings.Repeat(strings.Repeat("x", 41)+"\n", 30), "\n") })
	if d.rows > 23 {
		t.Errorf("it draws %d rows on a screen of 24", d.rows)
	}
}
