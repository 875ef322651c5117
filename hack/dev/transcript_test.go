// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatDiffersFromRunToRunIsStable(t *testing.T) {
	for text, want := range map[string]string{
		"at 2031-12-01T23:59:59.123456Z":           "at 2026-01-31T09:30:00Z",
		"at 2031-12-01T23:59:59+01:00":             "at 2026-01-31T09:30:00Z",
		"2031-12-01 23:59:59 UTC, 12 min ago":      "2026-01-31 09:30:00 UTC, just now",
		"until then, 59 min 58 s left":             "until then, some time left",
		"until then, 1 h left":                     "until then, some time left",
		"sha256:" + strings.Repeat("0a", 32):       "sha256:...",
		"https://127.0.0.1:23456/x":                "https://127.0.0.1:6443/x",
		"uid 01234567-89ab-cdef-0123-456789abcdef": "uid 00000000-0000-0000-0000-000000000000",
		"score 5.3, 4 h timeout, 150 rows":         "score 5.3, 4 h timeout, 150 rows",
	} {
		if got := stable(text); got != want {
			t.Errorf("stable(%q) = %q, want %q", text, got, want)
		}
		if again := stable(want); again != want {
			t.Errorf("stable(%q) = %q: it has to stay", want, again)
		}
	}
}

// tellTo makes a narrator that prints nothing and keeps everything.
func tellTo(script *transcript) *narrator {
	return &narrator{out: &bytes.Buffer{}, color: true, listen: script.add}
}

func TestPageBreaksLinesAfterTheyAreStable(t *testing.T) {
	filler := strings.Repeat("word ", 16)
	var early, late transcript
	tellTo(&early).printed(filler + "just now: done\n")
	tellTo(&late).printed(filler + "12 min ago: done\n")
	if early.page() != late.page() {
		t.Errorf("two runs give two pages:\n%s\n%s", early.page(), late.page())
	}
}

func TestTreesGoOnWhereLinesBreak(t *testing.T) {
	var script transcript
	tellTo(&script).printed("a\n├─ b\n│  └─ " + strings.Repeat("word ", 24) + "end\n└─ c\n")
	want := "   a\n   ├─ b\n   │  └─ " + strings.TrimSpace(strings.Repeat("word ", 18)) +
		"\n   │       " + strings.Repeat("word ", 6) + "end\n   └─ c\n"
	if got := script.text(); got != want {
		t.Errorf("printed:\n%s\nwant:\n%s", got, want)
	}
}

func TestRecordingHasColorsTheTextHasNone(t *testing.T) {
	var script transcript
	n := tellTo(&script)
	n.title(1, "Chapter")
	n.typed("kubectl get agents")
	dir := t.TempDir()
	cast, text := filepath.Join(dir, "demo.cast"), filepath.Join(dir, "demo.txt")
	for _, path := range []string{cast, text} {
		if err := script.save(path); err != nil {
			t.Fatal(err)
		}
	}
	plain, err := os.ReadFile(text)
	if err != nil {
		t.Fatal(err)
	}
	if string(plain) != "\n1. Chapter\n\n   $ kubectl get agents\n" {
		t.Errorf("text is %q", plain)
	}
	recorded, err := os.ReadFile(cast)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(recorded)), "\n")
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
	if len(lines) != 3 || !strings.Contains(lines[1], `\u001b[1m1. Chapter`) {
		t.Errorf("recording is\n%s", recorded)
	}
}
