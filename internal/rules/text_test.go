// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestOneLine(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text, want string
		limit      int
	}{
		"plain":                     {"Bulk delete: größer als 100 → Chef", "Bulk delete: größer als 100 → Chef", 100},
		"exactly as long":           {"abcde", "abcde", 5},
		"one too long":              {"abcdef", "abcd…", 5},
		"an escape that just fits":  {"ab\n", `ab\n`, 4},
		"an escape that is too big": {"abc\n", `abc…`, 4},
		"line breaks":               {"a\nb\rc\td", `a\nb\rc\td`, 100},
		"terminal":                  {"\x1b[2J\x07\x00\x7f", `\u001b[2J\u0007\u0000\u007f`, 100},
		"other line breaks":         {"a\u2028b\u2029c\u0085d", `a\u2028b\u2029c\u0085d`, 100},
		"direction of writing":      {"a\u202eb\u2066c\u200f", `a\u202eb\u2066c\u200f`, 100},
		"no width":                  {"a\u200bb\ufeffc\u00ad", `a\u200bb\ufeffc\u00ad`, 100},
		"blank letters":             {"a\u3164b\u2800c\u00a0", `a\u3164b\u2800c\u00a0`, 100},
		"tags beyond the plane":     {"a\U000e0041", `a\U000e0041`, 100},
		"no UTF-8":                  {"a\xffb\xc3", `a\xffb\xc3`, 100},
		"the replacement character": {"a\ufffdb", "a\ufffdb", 100},
		"empty":                     {"", "", 5},
	} {
		if got := oneLine(test.text, test.limit); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestOneLineIsFitToBeShown(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		text, limit := rapid.String().Draw(r, "text")+string(rapid.SliceOf(rapid.Byte()).Draw(r, "bytes")), rapid.IntRange(1, 60).Draw(r, "limit")
		got := oneLine(text, limit)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > limit || strings.IndexFunc(got, hidden) >= 0 {
			r.Fatalf("%q became %q", text, got)
		}
		if oneLine(got, limit) != got {
			r.Fatalf("%q is not stable", got)
		}
	})
}
