// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func page(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUpdatedPagePassesTheCheck(t *testing.T) {
	path := page(t, "# Title\n\n"+beginMarker+"\nold\n"+endMarker+"\n\nthe end\n")
	if err := checkPage(path, "new\n"); err == nil {
		t.Fatal("a page that shows something else passed the check")
	}
	if changed, err := updatePage(path, "new\n"); err != nil || !changed {
		t.Fatalf("updatePage: %v, %v", changed, err)
	}
	if err := checkPage(path, "new\n"); err != nil {
		t.Error(err)
	}
	if changed, err := updatePage(path, "new\n"); err != nil || changed {
		t.Errorf("updating twice: %v, %v, want no change", changed, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := "# Title\n\n" + beginMarker + "\n\n```text\nnew\n```\n\n" + endMarker + "\n\nthe end\n"
	if string(text) != want {
		t.Errorf("the page is\n%s\nwant\n%s", text, want)
	}
}

func TestCheckSaysWhatDiffersAndWhatToDo(t *testing.T) {
	path := page(t, beginMarker+block("one\ntwo\nthree\n")+endMarker)
	err := checkPage(path, "one\n2\nthree\n")
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{"\n- two\n", "\n+ 2\n", "\n  one\n", "make demo-readme"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not hold %q:\n%v", part, err)
		}
	}
}

func TestPageNeedsItsMarkersInOrder(t *testing.T) {
	for name, text := range map[string]string{
		"none":        "# Title\n",
		"one":         beginMarker + "\n",
		"twice":       beginMarker + endMarker + beginMarker + endMarker,
		"wrong order": endMarker + beginMarker,
	} {
		t.Run(name, func(t *testing.T) {
			path := page(t, text)
			if err := checkPage(path, "x"); err == nil || !strings.Contains(err.Error(), "demo-readme") {
				t.Errorf("checkPage: %v, want what to do", err)
			}
			if _, err := updatePage(path, "x"); err == nil {
				t.Error("updatePage wrote into a page without markers")
			}
		})
	}
}

func TestDiff(t *testing.T) {
	for name, c := range map[string]struct{ before, after, want string }{
		"same":    {"a\nb", "a\nb", ""},
		"added":   {"a\nc", "a\nb\nc", "  a\n+ b\n  c"},
		"removed": {"a\nb\nc", "a\nc", "  a\n- b\n  c"},
		"changed": {"a\nb\nc", "a\nB\nc", "  a\n- b\n+ B\n  c"},
		"far apart": {
			"1\na\na\na\na\n2", "x\na\na\na\na\ny",
			"- 1\n+ x\n  a\n  ...\n  a\n- 2\n+ y",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := diff(c.before, c.after); got != c.want {
				t.Errorf("diff:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}
