// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestWrap(t *testing.T) {
	for _, tc := range []struct {
		text   string
		width  int
		indent string
		want   string
	}{
		{"", 10, "", ""},
		{"one two three", 0, "  ", "one two three"},
		{"one two three", 13, "", "one two three"},
		{"one two three", 8, "", "one two|three"},
		{"one two three", 8, "  ", "one two|  three"},
		{"one  two   three", 8, "", "one  two|three"},
		{"  one two", 6, "", "  one|two"},
		{"one two   ", 7, "", "one two"},
		{"abcdefghij", 4, "", "abcd|efgh|ij"},
		{"a abcdefghij", 4, " ", "a| abc| def| ghi| j"},
		{"日本語テキスト", 5, "", "日本|語テ|キス|ト"},
		{"abc日本", 4, "", "abc|日本"},
		{"日", 1, "", "日"},
		{"日本", 1, "", "日|本"},
		{"a\nb c", 4, "", `a\nb|c`},
		{"one two", 4, "    ", "one|two"},
		{"e\u0301e\u0301e\u0301", 2, "", "e\u0301e\u0301|e\u0301"},
	} {
		if got := strings.Join(Wrap(tc.text, tc.width, tc.indent), "|"); got != tc.want {
			t.Errorf("%q in %d: %q, want %q", tc.text, tc.width, got, tc.want)
		}
	}
}

// No line is wider than the width but for one character, nothing is lost but
// spaces, and all is safe.
func FuzzWrap(f *testing.F) {
	f.Add("one two three", 8, "  ")
	f.Add("日本語 a\u0301\u0301 \u202e\x1b x", 3, " ")
	f.Add("  ", 1, "日")
	f.Fuzz(func(t *testing.T, text string, width int, indent string) {
		lines := Wrap(text, width, indent)
		var all strings.Builder
		for i, line := range lines {
			if i > 0 && isPlain(indent) {
				all.WriteString(strings.TrimPrefix(line, indent))
			} else {
				all.WriteString(line)
			}
			bare := strings.TrimLeft(line, " ")
			if width > 0 && Columns(line) > width && spacing(bare) != 1 {
				t.Fatalf("%q in %d columns: line %q has %d", text, width, line, Columns(line))
			}
			if !utf8.ValidString(line) || strings.IndexFunc(line, unsafe) >= 0 {
				t.Fatalf("%q: unsafe line %q", text, line)
			}
		}
		kept := strings.ReplaceAll(strings.Join(lines, ""), " ", "")
		if want := strings.ReplaceAll(Safe(text), " ", ""); strings.Trim(indent, " ") == "" && kept != want {
			t.Fatalf("%q became %q", want, kept)
		}
	})
}

// spacing is the number of characters that take columns.
func spacing(text string) int {
	n := 0
	for _, r := range text {
		if columnsOf(r) > 0 {
			n++
		}
	}
	return n
}

var people = []Column{{Header: "NAME"}, {Header: "DESCRIPTION", Min: 12, Drop: 1}, {Header: "OWNER", Drop: 2}, {Header: "AGE"}}

func written(t *testing.T, width int, style Style, pages ...[][]Cell) string {
	t.Helper()
	table := NewTable(width, style, people...)
	var out strings.Builder
	for _, page := range pages {
		for _, row := range page {
			table.Row(row...)
		}
		if err := table.Flush(&out); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

func cells(texts ...string) []Cell {
	row := make([]Cell, len(texts))
	for i, text := range texts {
		row[i].Text = text
	}
	return row
}

func TestTable(t *testing.T) {
	page := [][]Cell{
		cells("act-1", "Read customer contact information", "data@example.com", "2 min ago"),
		cells("act-22", "日本語\x1b[31m", "", "5 d ago"),
	}
	for width, want := range map[int]string{
		0: `
NAME     DESCRIPTION                         OWNER              AGE
act-1    Read customer contact information   data@example.com   2 min ago
act-22   日本語\x1b[31m                                         5 d ago
`,
		60: `
NAME     DESCRIPTION            OWNER              AGE
act-1    Read customer conta…   data@example.com   2 min ago
act-22   日本語\x1b[31m                            5 d ago
`,
		50: `
NAME     DESCRIPTION                     AGE
act-1    Read customer contact inform…   2 min ago
act-22   日本語\x1b[31m                  5 d ago
`,
		25: `
NAME     AGE
act-1    2 min ago
act-22   5 d ago
`,
		5: `
NAME     AGE
act-1    2 min ago
act-22   5 d ago
`,
	} {
		got := "\n" + written(t, width, Style{}, page)
		for line := range strings.SplitSeq(got, "\n") {
			if width >= 25 && Columns(line) > width {
				t.Errorf("width %d: %q has %d columns", width, line, Columns(line))
			}
		}
		if got != want {
			t.Errorf("width %d:%s\nwant%s", width, got, want)
		}
	}
}

// Colours do not move columns.
func TestTableWithStyle(t *testing.T) {
	row := cells("act-1", "x", "o", "now")
	row[0].Role, row[1].Role = Good, Bad
	got := written(t, 0, Style{colours: true}, [][]Cell{row, cells("a")})
	want := "NAME    DESCRIPTION   OWNER   AGE\n\x1b[32mact-1\x1b[0m   \x1b[31mx\x1b[0m             o       now\na\n"
	if got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// Pages share one header and their columns, unless something wider comes.
func TestTablePages(t *testing.T) {
	got := written(t, 0, Style{}, [][]Cell{cells("act-1", "d", "o", "now")}, nil, [][]Cell{cells("a", "d", "o", "now", "too many")}, [][]Cell{cells("longer-name", "d", "o", "now")})
	want := `NAME    DESCRIPTION   OWNER   AGE
act-1   d             o       now
a       d             o       now
longer-name   d             o       now
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	narrow := written(t, 25, Style{}, [][]Cell{cells("act-1", "d", "o", "now")}, [][]Cell{cells("a", "d", "o", "now")})
	if narrow != "NAME    DESCRIPTION   AGE\nact-1   d             now\na       d             now\n" {
		t.Errorf("got\n%s", narrow)
	}
}

// Whatever is in a table, its lines are safe, as many as its rows, and at width 0 whole.
func TestTableProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(0, 100).Draw(t, "width")
		table := NewTable(width, Style{}, people...)
		rows := rapid.SliceOfN(rapid.SliceOfN(rapid.String(), 4, 4), 0, 5).Draw(t, "rows")
		for _, row := range rows {
			table.Row(cells(row...)...)
		}
		var out strings.Builder
		if err := table.Flush(&out); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != len(rows)+1 {
			t.Fatalf("%d lines for %d rows", len(lines), len(rows))
		}
		for i, line := range lines {
			if strings.IndexFunc(line, unsafe) >= 0 {
				t.Fatalf("unsafe: %q", line)
			}
			for _, cell := range rows[max(0, i-1):i] {
				for _, text := range cell {
					if width == 0 && !strings.Contains(line+strings.Repeat(" ", len(text)), Safe(text)) {
						t.Fatalf("%q is not in %q", text, line)
					}
				}
			}
		}
	})
}

func BenchmarkSuspicious(b *testing.B) {
	text := strings.Repeat("Прочитать раypal 日本語 plain text, ", 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		_ = Mark(text)
	}
}
