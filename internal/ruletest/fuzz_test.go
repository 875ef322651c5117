// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/manifest"
)

// Whatever a test file holds: it is read or refused, never both, what is wrong
// stands in the file, and what has been read can fail.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(content))
	}
	f.Add("apiVersion: " + APIVersion + "\nkind: RuleTest\ncases: &a [*a]\n")
	f.Add("apiVersion: " + APIVersion + "\nkind: RuleTest\nx: &x {<<: *x}\n<<: {cases: [{expect: {<<: [{rule: a}]}}]}\n")
	f.Fuzz(func(t *testing.T, content string) {
		set, _, err := manifest.Load([]string{manifest.Stdin}, manifest.Options{Stdin: strings.NewReader(content)})
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(content, "\n") + 1
		for _, document := range set.Tests {
			suite, problems := Read(document)
			if (suite == nil) == (len(problems) == 0) {
				t.Fatalf("a suite: %t, and %d problems", suite != nil, len(problems))
			}
			for _, problem := range problems {
				if problem.Line < 1 || problem.Line > lines || problem.Column < 1 {
					t.Errorf("%s is not within the %d lines", problem, lines)
				}
			}
			if suite == nil {
				continue
			}
			if suite.Cases() == 0 || suite.Name == "" {
				t.Errorf("a suite %q with %d cases was read", suite.Name, suite.Cases())
			}
			for _, c := range suite.cases {
				if c.name == "" || !c.want.said || len(suite.moments(c)) == 0 {
					t.Errorf("a case was read that cannot fail: %+v", c)
				}
			}
		}
	})
}
