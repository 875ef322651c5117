// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

func TestTallyLine(t *testing.T) {
	sum := &tally{}
	sum[decided], sum[refused] = 3, 1
	if got := sum.line("approved"); got != "3 approved, 1 refused" {
		t.Errorf("got %s", got)
	}
	sum = &tally{}
	sum[tried], sum[counted], sum[recorded] = 1, 2, 3
	if got := sum.line("denied"); got != "2 counted, more people have to agree, 3 recorded, 1 would be denied" {
		t.Errorf("got %s", got)
	}
}

func TestFit(t *testing.T) {
	lines := strings.Split("a b c d e f g h", " ")
	for _, tc := range []struct {
		most, end int
		want      string
	}{
		{8, 2, "a b c d e f g h"},
		{5, 2, "a b … g h"},
		{5, 0, "a b c d …"},
		{3, 9, "a … h"},
	} {
		var got []string
		for _, line := range fit(lines, tc.most, tc.end) {
			line, _, _ = strings.Cut(line, " ")
			got = append(got, line)
		}
		if text := strings.Join(got, " "); text != tc.want {
			t.Errorf("in %d lines, %d of the end: %s, want %s", tc.most, tc.end, text, tc.want)
		}
	}
}

// What changes is written over; when the window changes its size, all is drawn anew.
func TestDisplay(t *testing.T) {
	var out bytes.Buffer
	width := 80
	d := &display{out: &out, size: func() (int, int) { return width, 24 }}
	page := func(text string) func(int) []string {
		return func(int) []string { return strings.Split(text, "\n") }
	}
	d.draw(0, page("one\ntwo"))
	first := out.Len()
	d.draw(0, page("one\ntwo"))
	if out.Len() != first {
		t.Errorf("it is drawn again though nothing changed: %q", out.String()[first:])
	}
	d.draw(0, page("one"))
	if got := out.String()[first:]; !strings.Contains(got, "\x1b[2A\rone\x1b[K\n\x1b[J") || strings.Contains(got, eraseAll) {
		t.Errorf("it is not drawn in place: %q", got)
	}
	second := out.Len()
	width = 40
	d.draw(0, page("one"))
	if got := out.String()[second:]; !strings.Contains(got, eraseAll) {
		t.Errorf("after a change of size it is %q", got)
	}
}

// Marks keep their paint inside of what is painted otherwise.
func TestPainted(t *testing.T) {
	style := terminal.NewStyle(terminal.ColourAlways, nil, func(string) string { return "" })
	s := &sheet{style: style}
	s.alarm("a " + terminal.Mark("\u0441at") + " b")
	want := "! " + style.Paint(terminal.Bad, "a ") + style.Paint(terminal.Marked, "[U+0441]") + style.Paint(terminal.Bad, "at b")
	if s.lines[0] != want {
		t.Errorf("got %q, want %q", s.lines[0], want)
	}
}

func TestCompareDeadlines(t *testing.T) {
	now := time.Now()
	if compareDeadlines(now, now.Add(1)) >= 0 || compareDeadlines(now, time.Time{}) >= 0 || compareDeadlines(time.Time{}, now) <= 0 {
		t.Error("the nearest deadline comes first, none last")
	}
}
