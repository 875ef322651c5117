// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"fmt"
	"strings"
	"testing"
)

// Line and column of a mistake are those of the character that makes it one.
func TestSyntaxPositions(t *testing.T) {
	for _, c := range []struct{ title, text, at, words string }{
		{"a tab", "a:\n\tb: 1\n", "2:1", "indent by spaces"},
		{"a colon in text", "a: 1\nb: c: d\n", "2:5", "quotes"},
		{"a colon after letters of two bytes", "é: ü: d\n", "1:5", "quotes"},
		{"an open quote", "a: 1\nb: 'c\nd: 1\n", "2:4", "never closed"},
		{"an open bracket", "a: 1\nb: [c,\nd: 1\n", "", "bracket"},
		{"less indentation than the key before", "a:\n    b: 1\n  c: 2\n", "3:3", "indentation"},
		{"a key without a colon", "a: 1\nb\nc: 2\n", "", "colon"},
		{"an at sign", "a: @b\n", "1:4", "quotes"},
		{"an unknown anchor", "a: 1\nb: *c\n", "2:5", "define it"},
		{"a wrong escape", "a: \"b\\d\"\n", "1:6", "backslash"},
		{"in the second document", "a: 1\n---\nb: c: d\n", "3:5", "quotes"},
		{"on the line of the dashes", "a: 1\n--- {b: 1}\n", "2:1", "next line"},
		{"after the end", "a: 1\n...\nb: 1\n", "3:1", "begin it with ---"},
		{"JSON", "{\"a\": 1,\n \"b\" 2}", "2:6", "no JSON"},
		{"JSON that ends too early", "{\"a\": 1,\n \"b\": ", "2:7", "no JSON"},
		{"after good JSON", "{\"a\": 1}\n{\"b\": tru}", "2:10", "no JSON"},
	} {
		t.Run(c.title, func(t *testing.T) {
			file := "x.yaml"
			if strings.Contains(c.title, "JSON") {
				file = "x.json"
			}
			_, problems := documents(file, []byte(c.text), 10)
			if len(problems) != 1 {
				t.Fatalf("got %d problems, want 1: %v", len(problems), problems)
			}
			p := problems[0]
			if at := fmt.Sprintf("%d:%d", p.Line, p.Column); c.at != "" && at != c.at {
				t.Errorf("at %s, want %s: %s", at, c.at, p)
			}
			if !strings.Contains(p.Message, c.words) {
				t.Errorf("%s: it does not say %q", p, c.words)
			}
		})
	}
}

// Where it would take too long to find the character, the line is told that the
// library names.
func TestSyntaxPositionInALongText(t *testing.T) {
	text := strings.Repeat("a: [b, c, d, e, f, g]\n", 1<<15) + "b: c: d\n"
	_, problems := documents("x.yaml", []byte(text), 10)
	if len(problems) != 1 || problems[0].Line < 1<<15 || problems[0].Line > 1<<15+1 || problems[0].Column != 1 {
		t.Errorf("got %v", problems)
	}
}

func TestClosest(t *testing.T) {
	fields := []string{"effect", "expression", "match", "mode", "notAfter", "notBefore", "reason"}
	for word, want := range map[string]string{
		"efect": "effect", "Effect": "effect", "mach": "match", "macth": "match", "notafter": "notAfter", "expresion": "expression",
		"colour": "", "x": "", "": "", strings.Repeat("effect", 50): "",
	} {
		if got := closest(word, fields); got != want {
			t.Errorf("closest to %q is %q, want %q", word, got, want)
		}
	}
}

func TestIsRemote(t *testing.T) {
	for text, want := range map[string]bool{
		"../base": false, "base.yaml": false, "./github.com": false, "name=files/x.yaml": false, "git.example.com/x/y": false,
		"https://example.com/x.yaml": true, "HTTP://example.com/x": true, "http:x": true, "github.com/a/b": true, "git::github.com/a/b": true,
		"git@example.com:a/b": true, "ssh://example.com/a": true, "file:///etc": true, "name=https://example.com/x": true, "org-1@github.com:a/b": true,
	} {
		if got := isRemote(text); got != want {
			t.Errorf("isRemote(%q) = %t", text, got)
		}
	}
}
