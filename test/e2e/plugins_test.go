// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// scene is one command line and how it has to end. Scenes are played in order,
// each on what the ones before have left.
type scene struct {
	name string
	// as is who types it: admin, agent, or one of everybody.
	as      string
	command string
	stdin   string
	exit    int
	// out and errOut are parts of stdout and stderr, each of which has to be there.
	out, errOut []string
	// not are parts that must be in neither.
	not []string
}

// Real kubectl finds the plugins in PATH and runs them against a real cluster
// with the operator and admission.
var _ = Describe("The command line, as kubectl's plugins", Ordered, ContinueOnFailure, func() {
	var cluster *stack

	BeforeAll(func(ctx SpecContext) {
		cluster = startStack(ctx)
	}, NodeTimeout(stackStarts+time.Minute))

	for _, part := range script {
		Describe(part.title, func() {
			for _, s := range part.scenes {
				It(s.name, func(ctx SpecContext) {
					s.check(cluster.run(ctx, s.as, s.command, s.stdin))
				}, SpecTimeout(5*time.Minute))
			}
		})
	}
})

// check compares how a scene ended with how it has to.
func (s scene) check(got ending) {
	GinkgoHelper()
	told := "$ " + s.command + "   # as " + s.as + "\n" + got.out + "--- stderr\n" + got.errOut
	Expect(got.exit).To(Equal(s.exit), "exit code of %s", told)
	for _, part := range s.out {
		Expect(got.out).To(ContainSubstring(part), told)
	}
	for _, part := range s.errOut {
		Expect(got.errOut).To(ContainSubstring(part), told)
	}
	for _, part := range append(s.not, "goroutine ", "panic:") {
		Expect(strings.Contains(got.out, part) || strings.Contains(got.errOut, part)).To(BeFalse(), "%q is in %s", part, told)
	}
}
