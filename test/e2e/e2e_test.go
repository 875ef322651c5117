// SPDX-License-Identifier: Apache-2.0

// Package e2e plays what a newcomer plays, from the outside: real programs, a
// real control plane, nothing shared with the tests of the parts.
package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestEndToEnd(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "End to end")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	Expect(os.Getenv("KUBEBUILDER_ASSETS")).NotTo(BeEmpty(), "the control plane is not built; run make test")
	run(ctx, "make", "build")
	devProgram = filepath.Join(GinkgoT().TempDir(), "dev")
	run(ctx, "go", "build", "-o", devProgram, "./hack/dev")
}, NodeTimeout(20*time.Minute)) // on a machine that has built nothing yet

// devProgram is hack/dev, built.
var devProgram string

// `make demo` exits 0 only if every decision of the tutorial, applied from
// config/samples by kubectl, is as the design's table of fixed points says, with
// its score, level and rule. That the README shows this output is for `make verify`.
var _ = It("plays the demo, every decision as expected", func(ctx SpecContext) {
	Expect(run(ctx, devProgram, "demo")).To(ContainSubstring("Every decision as expected"))
}, SpecTimeout(10*time.Minute))

// run runs a command in the checkout and returns its standard output. What it
// writes to standard error is shown when it fails.
func run(ctx SpecContext, name string, args ...string) string {
	GinkgoHelper()
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = checkout
	var problems strings.Builder
	command.Stderr = &problems
	out, err := command.Output()
	Expect(err).NotTo(HaveOccurred(), "%s %s\n%s\n%s", name, strings.Join(args, " "), out, &problems)
	return string(out)
}
