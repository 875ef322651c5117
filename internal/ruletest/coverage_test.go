// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Coverage counts what a case that passed would miss, and no more.
func TestCoverage(t *testing.T) {
	const policy = `
policy: [../policy]
cases:
- {name: %, action: {actionType: data_export, parameters: {data_classification: public}}, expect: {%}}`
	for name, tc := range map[string]struct {
		expect        string
		covered       bool
		fired, named  int
		quiet, failed int
	}{
		"named":                {"matched: [exports-score-more]", true, 1, 1, 0, 0},
		"fired and not named":  {"level: High", false, 1, 0, 0, 0},
		"named and not passed": {"matched: [exports-score-more], decision: Denied", false, 1, 0, 0, 1},
		"quiet":                {"not: [asks-managers]", false, 1, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			content := strings.Replace(strings.Replace(policy, "%", name, 1), "%", tc.expect, 1)
			content = strings.Replace(content, "../policy", absolute(t, "testdata/policy"), 1)
			report := play(t, Options{}, write(t, map[string]string{"a.yaml": suiteOf("a", content)}))
			if report.Failed != tc.failed || len(report.Problems) > 0 {
				t.Fatalf("%d failed, problems %v", report.Failed, report.Problems)
			}
			rule := ruleCoverage(t, report, "ascend-system/exports-score-more")
			if rule.Covered != tc.covered || rule.Fired != tc.fired || rule.Named != tc.named || rule.Quiet != tc.quiet {
				t.Errorf("it is %+v, want %+v", rule, tc)
			}
			if fired := rule.HadEffect[v1alpha1.EffectAdjustRisk]; fired != tc.fired {
				t.Errorf("it had its effect %d times, want %d", fired, tc.fired)
			}
			managers := ruleCoverage(t, report, "ascend-system/asks-managers")
			if want := map[bool]int{true: 1, false: 0}[name == "quiet"]; managers.Quiet != want {
				t.Errorf("asks-managers is quiet in %d cases, want %d", managers.Quiet, want)
			}
			if report.Coverage.Total != 5 || !slices.Contains(report.Coverage.NotCovered(), "team-a/asks-managers") {
				t.Errorf("the coverage is of %d rules, want 5; not covered are %v", report.Coverage.Total, report.Coverage.NotCovered())
			}
		})
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	out, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func ruleCoverage(t *testing.T, report *Report, name string) RuleCoverage {
	t.Helper()
	for _, rule := range report.Coverage.Rules {
		if rule.Rule == name {
			return rule
		}
	}
	t.Fatalf("the coverage has no rule %s", name)
	return RuleCoverage{}
}

// 100 percent is all rules and not nearly all.
func TestPercentIsRoundedDown(t *testing.T) {
	c := newCovering()
	for i := range 2000 {
		k := key{"ascend-system", strings.Repeat("a", i+1)}
		c.rules[state{k, ""}] = &ruleCount{key: k, RuleCoverage: RuleCoverage{Rule: k.String(), Covered: i > 0}}
	}
	if got := c.report().Percent; got != 99.9 {
		t.Errorf("1999 of 2000 are %v percent, want 99.9", got)
	}
	if got := newCovering().report().Percent; got != 0 {
		t.Errorf("none of no rules are %v percent, want 0", got)
	}
}
