// SPDX-License-Identifier: Apache-2.0

package ruletest

import "testing"

// BenchmarkStarterPolicy plays the cases of the starter policy, which is
// compiled in each run, as by `ascend rules test`.
func BenchmarkStarterPolicy(b *testing.B) {
	suites, problems, err := Load([]string{"../../config/starter-policy/tests"})
	if err != nil || len(problems) > 0 {
		b.Fatal(err, problems)
	}
	b.ReportAllocs()
	decided := 0
	for b.Loop() {
		decided += mustRun(b, suites)
	}
	b.ReportMetric(float64(decided)/b.Elapsed().Seconds(), "decisions/s")
}

// BenchmarkCases plays the same cases under a policy that is compiled already.
func BenchmarkCases(b *testing.B) {
	suites, problems, err := Load([]string{"../../config/starter-policy/tests"})
	if err != nil || len(problems) > 0 {
		b.Fatal(err, problems)
	}
	all, err := prepareAll(b.Context(), suites, Options{Workers: 2})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	played := 0
	for b.Loop() {
		results, err := playAll(b.Context(), all, Options{Workers: 2, Clock: standing()})
		if err != nil {
			b.Fatal(err)
		}
		report := assemble(all, results)
		played += report.Passed
		if report.Failed > 0 {
			b.Fatalf("%d failed", report.Failed)
		}
	}
	b.ReportMetric(float64(played)/b.Elapsed().Seconds(), "cases/s")
}

// mustRun returns how many decisions the cases took.
func mustRun(b *testing.B, suites []*Suite) int {
	b.Helper()
	report, err := Run(b.Context(), suites, Options{})
	if err != nil {
		b.Fatal(err)
	}
	if !report.OK() {
		b.Fatalf("%d failed, problems %v", report.Failed, report.Problems)
	}
	decided := 0
	for _, s := range report.Suites {
		for _, c := range s.Cases {
			decided += c.Moments
		}
	}
	return decided
}
