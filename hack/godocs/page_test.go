// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func render(t *testing.T, folder string) (string, error) {
	t.Helper()
	p, err := load(token.NewFileSet(), folder)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	err = p.page(&text)
	return text.String(), err
}

// testdata/page.md is the page about testdata/ask.
func TestPage(t *testing.T) {
	got, err := render(t, filepath.Join("testdata", "ask"))
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "page.md")
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("- %s, + the page (UPDATE=1 writes it):\n%s", golden, diff)
	}
}

// What says nothing of itself is named.
func TestMissing(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "x.go"), []byte("// Package x is.\npackage x\n\nfunc Silent() {}\n\ntype Quiet struct{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := render(t, folder); err == nil || !strings.Contains(err.Error(), "Silent, Quiet") {
		t.Errorf("it says %v", err)
	}
}
