// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"os/exec"
	"testing"
)

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 rules", 1: "1 rule", 2: "2 rules"} {
		if got := Count(n, "rule"); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

func TestShellWord(t *testing.T) {
	for name, want := range map[string]string{
		"act-1": "act-1", "ns/name": "ns/name", "system:serviceaccount:a:b": "system:serviceaccount:a:b", "a@example.com": "a@example.com",
		"": "''", "$(id)": "'$(id)'", "a b": "'a b'", "it's": `'it'\''s'`, "a;b": "'a;b'", "--yes": "'--yes'", "a\nb": `'a\nb'`, "\u202ea": `'\u202ea'`,
	} {
		if got := ShellWord(name); got != want {
			t.Errorf("%q is %s, want %s", name, got, want)
		}
	}
}

// A real shell reads back what was quoted.
func TestShellQuote(t *testing.T) {
	for _, text := range []string{"", "plain", "it's", "''", "$HOME `id` $(id) \\ \" ! *", "two\nlines", "\x1b[2J"} {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+ShellQuote(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("%q is read as %q: %v", text, out, err)
		}
	}
}
