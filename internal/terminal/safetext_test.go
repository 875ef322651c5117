// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestSafeText(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"plain":              {"Read customers, 100 %", "Read customers, 100 %"},
		"empty":              {"", ""},
		"letters":            {"Grüße, 中文, ελληνικά, नमस्ते 🙂", "Grüße, 中文, ελληνικά, नमस्ते 🙂"},
		"newline":            {"ok\nAPPROVED\r\n", `ok\nAPPROVED\r\n`},
		"tab":                {"a\tb", `a\tb`},
		"ansi colour":        {"\x1b[32mAPPROVED\x1b[0m", `\x1b[32mAPPROVED\x1b[0m`},
		"ansi title":         {"\x1b]0;title\x07", `\x1b]0;title\x07`},
		"backspace, delete":  {"no\b\byes\x7f", `no\x08\x08yes\x7f`},
		"nul":                {"a\x00b", `a\x00b`},
		"C1 CSI":             {"\u009b32m", `\u009b32m`},
		"next line":          {"a\u0085b", `a\u0085b`},
		"line separator":     {"a\u2028b\u2029c", `a\u2028b\u2029c`},
		"bidi override":      {"user\u202egnp.exe\u202c", `user\u202egnp.exe\u202c`},
		"bidi isolate":       {"\u2066x\u2069\u200f\u061c", `\u2066x\u2069\u200f\u061c`},
		"zero width":         {"cus\u200btom\u200cers\u200d\u2060\ufeff", `cus\u200btom\u200cers\u200d\u2060\ufeff`},
		"soft hyphen":        {"a\u00adb", `a\u00adb`},
		"no-break space":     {"a\u00a0b", `a\u00a0b`},
		"hangul filler":      {"a\u3164b\u115f", `a\u3164b\u115f`},
		"braille blank":      {"a\u2800b", `a\u2800b`},
		"variation selector": {"a\ufe0fb\U000e0100", `a\ufe0fb\U000e0100`},
		"grapheme joiner":    {"a\u034fb", `a\u034fb`},
		"tag characters":     {"a\U000e0041", `a\U000e0041`},
		"private use":        {"\ue000", `\ue000`},
		"not UTF-8":          {"a\xff\xc3(", `a\xff\xc3(`},
		"half a character":   {"a\xe2\x80", `a\xe2\x80`},
		"replacement":        {"a\ufffd", "a\ufffd"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Safe(tc.in); got != tc.want {
				t.Errorf("safeText(%q) = %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}

func FuzzSafeText(f *testing.F) {
	for _, seed := range []string{"", "plain", "\x1b[31m", "a\u202eb", "\xff", "\u2028", "日本"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		safe := Safe(text)
		if !utf8.ValidString(safe) {
			t.Fatalf("%q is not UTF-8", safe)
		}
		if i := strings.IndexFunc(safe, func(r rune) bool {
			return r != ' ' && (unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r))
		}); i >= 0 {
			t.Fatalf("%q still has an unsafe character at %d", safe, i)
		}
		if Safe(safe) != safe {
			t.Fatalf("%q is changed again", safe)
		}
	})
}
