// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bench.json")
	var out strings.Builder
	err := run(strings.NewReader(`goos: linux
pkg: example.com/x/decision
BenchmarkDecide/rules=10-2   300	 71735 ns/op	 10.00 rules/op	 19939 B/op	 427 allocs/op
PASS
`), &out, file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"decision", "Decide/rules=10 ", "71.7", "427", " 10"} {
		if !strings.Contains(strings.ReplaceAll(out.String(), "   \n", "\n"), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), `"ns/op": 71735`) {
		t.Errorf("%s %v", text, err)
	}
}

func TestRunRefusesNothing(t *testing.T) {
	err := run(strings.NewReader("PASS\n"), &strings.Builder{}, filepath.Join(t.TempDir(), "bench.json"))
	if err == nil || !strings.Contains(err.Error(), "no benchmark") {
		t.Errorf("got %v", err)
	}
}
