// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"os"
	"strings"
	"testing"
)

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for _, pair := range pairs {
			if key, value, _ := strings.Cut(pair, "="); key == name {
				return value
			}
		}
		return ""
	}
}

// pseudoTerminal opens a terminal of the kernel.
func pseudoTerminal(t *testing.T) *os.File {
	t.Helper()
	file, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatalf("open a terminal: %v", err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}

func TestNewStyle(t *testing.T) {
	tty := pseudoTerminal(t)
	pipe, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	for _, tc := range []struct {
		colour Colour
		out    *os.File
		env    []string
		want   bool
	}{
		{ColourAuto, tty, nil, true},
		{ColourAuto, pipe, nil, false},
		{ColourAuto, tty, []string{"NO_COLOR=0"}, false},
		{ColourAuto, tty, []string{"NO_COLOR="}, true},
		{ColourAuto, tty, []string{"TERM=dumb"}, false},
		{ColourAuto, tty, []string{"TERM=xterm"}, true},
		{ColourAuto, pipe, []string{"CLICOLOR_FORCE=1"}, true},
		{ColourAuto, pipe, []string{"CLICOLOR_FORCE=0"}, false},
		{ColourAuto, pipe, []string{"CLICOLOR_FORCE=1", "NO_COLOR=1"}, false},
		{ColourAlways, pipe, []string{"NO_COLOR=1", "TERM=dumb"}, true},
		{ColourNever, tty, []string{"CLICOLOR_FORCE=1"}, false},
	} {
		if got := NewStyle(tc.colour, tc.out, environment(tc.env...)); got.colours != tc.want {
			t.Errorf("%s on %s with %v: colours %v", tc.colour, tc.out.Name(), tc.env, got.colours)
		}
	}
	if (NewStyle(ColourAuto, &strings.Builder{}, environment()) != Style{}) {
		t.Error("a buffer has colours")
	}
}

func TestParseColour(t *testing.T) {
	for text, want := range map[string]Colour{"": ColourAuto, "auto": ColourAuto, "always": ColourAlways, "never": ColourNever} {
		if got, err := ParseColour(text); got != want || err != nil {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := ParseColour("red\x1b"); err == nil || err.Error() != `--color is "red\x1b"; it can be auto, always or never` {
		t.Errorf("got %v", err)
	}
}

func TestPaint(t *testing.T) {
	on := Style{colours: true}
	for role := Good; role <= Marked; role++ {
		if got := on.Paint(role, "x"); !strings.HasPrefix(got, "\x1b[") || !strings.HasSuffix(got, "x\x1b[0m") {
			t.Errorf("role %d: %q", role, got)
		}
		if got := (Style{}).Paint(role, "x"); got != "x" {
			t.Errorf("role %d without colours: %q", role, got)
		}
	}
	if on.Paint(Plain, "x") != "x" || on.Paint(Good, "") != "" {
		t.Error("what needs no colour has one")
	}
}

func TestWidth(t *testing.T) {
	tty := pseudoTerminal(t)
	if got := Width(tty, environment()); got != usualWidth { // the size of a new one is 0
		t.Errorf("a terminal that does not tell: %d", got)
	}
	if got := Width(tty, environment("COLUMNS=123")); got != 123 {
		t.Errorf("COLUMNS: %d", got)
	}
	if got := Width(tty, environment("COLUMNS=-1")); got != usualWidth {
		t.Errorf("COLUMNS=-1: %d", got)
	}
	if got := Width(&strings.Builder{}, environment("COLUMNS=123")); got != 0 {
		t.Errorf("a buffer: %d", got)
	}
}

func TestColumns(t *testing.T) {
	for text, want := range map[string]int{"": 0, "abc": 3, "Grüße": 5, "日本": 4, "e\u0301": 1, "한": 2, "\u1112\u1161\u11ab": 2, "🙂": 2, "ｶﾅ": 2, "ＡＢ": 4, "…": 1} {
		if got := Columns(text); got != want {
			t.Errorf("%q: %d columns, want %d", text, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tc := range []struct {
		text    string
		columns int
		want    string
	}{
		{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"abc", 1, "…"}, {"abc", 0, ""}, {"日本語", 6, "日本語"}, {"日本語", 5, "日本…"}, {"日本語", 4, "日…"},
		{"e\u0301e\u0301e\u0301", 2, "e\u0301…"},
	} {
		if got := Cut(tc.text, tc.columns); got != tc.want {
			t.Errorf("%q in %d columns: %q, want %q", tc.text, tc.columns, got, tc.want)
		}
	}
}
