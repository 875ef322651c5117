// SPDX-License-Identifier: Apache-2.0

// Package e2e plays what a newcomer plays, from the outside: real programs, a
// real control plane, nothing shared with the tests of the parts.
package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestDemo is `make demo`: it exits 0 only if every decision of the tutorial,
// applied from config/samples by kubectl, is as the design's table of fixed
// points says, with its score, level and rule. That the README shows this
// output is for `make verify`.
func TestDemo(t *testing.T) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("the control plane is not built; run make test")
	}
	run(t, "make", "build")
	story := run(t, "go", "run", "./hack/dev", "demo")
	if !strings.Contains(story, "Every decision as expected") {
		t.Errorf("the demo ended without its verdict:\n%s", story)
	}
}

// run runs a command in the checkout and returns its standard output. What it
// writes to standard error is shown when it fails.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir = "../.."
	var problems strings.Builder
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s\n%s", name, strings.Join(args, " "), err, out, problems.String())
	}
	return string(out)
}
