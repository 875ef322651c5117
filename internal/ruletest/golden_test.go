// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// checkGolden compares text with a file of testdata.
func checkGolden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); when it is meant, write it with -update:\n%s", path, diff)
	}
}

// standing is a clock that stands still, so that nothing takes any time.
func standing() *clocktesting.FakePassiveClock {
	return clocktesting.NewFakePassiveClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
}

// play loads and runs what is at the paths.
func play(t *testing.T, o Options, paths ...string) *Report {
	t.Helper()
	suites, problems, err := Load(paths)
	if err != nil {
		t.Fatal(err)
	}
	if o.Clock == nil {
		o.Clock = standing()
	}
	report, err := Run(t.Context(), suites, o)
	if err != nil {
		t.Fatal(err)
	}
	report.AddProblems(problems)
	return report
}

// The four forms of a report, of suites that pass, fail, and cannot be run.
func TestReports(t *testing.T) {
	report := play(t, Options{}, "testdata/suites", "testdata/mistakes/names.yaml")
	for file, write := range map[string]func(io.Writer) error{
		"report.txt":         func(w io.Writer) error { return report.WriteText(w, TextOptions{}) },
		"report_verbose.txt": func(w io.Writer) error { return report.WriteText(w, TextOptions{Verbose: true, Coverage: true}) },
		"report.xml":         report.WriteJUnit,
		"report.json":        report.WriteJSON,
	} {
		t.Run(file, func(t *testing.T) {
			var text bytes.Buffer
			if err := write(&text); err != nil {
				t.Fatal(err)
			}
			checkGolden(t, file, text.String())
			if strings.HasSuffix(file, ".json") {
				return // JSON escapes control characters by itself
			}
			for i, line := range strings.Split(text.String(), "\n") {
				if terminal.Safe(line) != line {
					t.Errorf("line %d is not safe for a terminal: %q", i+1, line)
				}
			}
		})
	}
}

// Each mistake is told with file, line and column.
func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files of mistakes: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			report := play(t, Options{}, file)
			if report.OK() || len(report.Problems) == 0 {
				t.Errorf("no problem was found in %s", file)
			}
			var text strings.Builder
			for _, p := range report.Problems {
				if p.Line == 0 || p.Column == 0 {
					t.Errorf("%s has no line and column", problemLine(p))
				}
				text.WriteString(problemLine(p) + "\n")
			}
			checkGolden(t, strings.TrimPrefix(strings.TrimSuffix(file, ".yaml")+".txt", "testdata/"), text.String())
		})
	}
}
