// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// A string is shown so that it can be taken for nothing else.
func TestWord(t *testing.T) {
	for text, want := range map[string]string{
		"customers":                "customers",
		"Ann of Green Gables":      "Ann of Green Gables",
		"2019-01-02":               `"2019-01-02"`,
		"7":                        `"7"`,
		"true":                     `"true"`,
		"No":                       `"No"`,
		"":                         `""`,
		" x":                       `" x"`,
		"x ":                       `"x "`,
		"a: b":                     `"a: b"`,
		"key:":                     `"key:"`,
		"- x":                      `"- x"`,
		"a #b":                     `"a #b"`,
		`say "hi"`:                 `"say \"hi\""`,
		`C:\new`:                   `"C:\\new"`,
		"… (5 more lines; x)":      `"… (5 more lines; x)"`,
		"\u0441ustomers":           `"[U+0441]ustomers"`,
		"\u0441\u0430\u043b\u043e": `"` + "\u0441\u0430\u043b\u043e" + `"`,
		"a\x1b[2Jb":                `"a[U+001B][2Jb"`,
	} {
		if got := word(text); got != want {
			t.Errorf("%q is shown as %s, want %s", text, got, want)
		}
	}
}

func TestBounded(t *testing.T) {
	for _, tc := range []struct {
		text string
		most int
		want string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "abc… (1 more characters)"},
		{"äöüß", 4, "äöüß"},
		{"äöüß", 2, "äö… (2 more characters)"},
		{"abcd", 0, "abcd"},
	} {
		if got := bounded(tc.text, tc.most); got != tc.want {
			t.Errorf("%s in %d characters is %s, want %s", tc.text, tc.most, got, tc.want)
		}
	}
	if got := cutWord("7777", 3); got != `"777"… (1 more characters)` {
		t.Errorf("got %s", got)
	}
}

// Whatever is in the parameters, each line is fit for a terminal, what a string
// holds stands on its line, and no two values look the same.
func FuzzOutline(f *testing.F) {
	for _, seed := range []string{"x", "a\nb", "a\n", "\n", "true", "\u202e", "\x1b[8m", "k: v", "| x", "\u0441at", "a\r\nb"} {
		f.Add(seed, "x")
	}
	f.Fuzz(func(t *testing.T, text, other string) {
		data, err := json.Marshal(map[string]any{"a": text, text: []any{text}})
		if err != nil {
			return
		}
		value, err := decodeJSON(&runtime.RawExtension{Raw: data})
		if err != nil {
			t.Fatal(err)
		}
		for _, full := range []bool{true, false} {
			for _, line := range outlined(value, full) {
				if line != terminal.Safe(line) || line != terminal.Mark(line) && !marks.MatchString(line) {
					t.Errorf("not fit for a terminal: %q", line)
				}
			}
		}
		if short := short(&runtime.RawExtension{Raw: data}, 50); short != terminal.Safe(short) || len([]rune(short)) > 80 {
			t.Errorf("not fit for a line: %q", short)
		}
		one := strings.Join(outlined(map[string]any{"a": text}, true), "\n")
		two := strings.Join(outlined(map[string]any{"a": other}, true), "\n")
		if text != other && one == two && !lookAlike(text, other) {
			t.Errorf("%q and %q are both shown as\n%s", text, other, one)
		}
	})
}

// lookAlike says whether two strings differ in nothing that is shown apart: bytes
// that are not UTF-8, which JSON does not have, and the two ways to end a line.
func lookAlike(a, b string) bool {
	plain := func(s string) string {
		return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\r\n", "\n")
	}
	return plain(a) == plain(b)
}
