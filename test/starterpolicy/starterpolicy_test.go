// SPDX-License-Identifier: Apache-2.0

// Package starterpolicy_test holds the starter policy to its promises: every
// rule compiles, does what its test cases say, and the fixed points of
// docs/scoring.md, come out exactly, at any hour of any day.
package starterpolicy_test

import (
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/manifest"
	"github.com/ow-kai/ascend-operator/internal/ruletest"
)

// The folders of the policy in both modes.
const (
	normalDir = "../../config/starter-policy"
	strictDir = "../../config/starter-policy-strict"
)

// load reads what `kubectl apply -k` of the folder would apply.
func load(t *testing.T, dir string) *manifest.Set {
	t.Helper()
	set, problems, err := manifest.Load([]string{dir}, manifest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("the API server would refuse: %s", problem)
	}
	return set
}

// play plays the cases beside a policy.
func play(t *testing.T, dir string) *ruletest.Report {
	t.Helper()
	suites, problems, err := ruletest.Load([]string{dir + "/tests"})
	if err != nil {
		t.Fatal(err)
	}
	report, err := ruletest.Run(t.Context(), suites, ruletest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	report.AddProblems(problems)
	return report
}

func TestEverythingCompiles(t *testing.T) {
	for mode, dir := range map[string]string{"normal": normalDir, "strict": strictDir} {
		t.Run(mode, func(t *testing.T) {
			set := load(t, dir)
			store, err := set.Store()
			if err != nil {
				t.Fatal(err)
			}
			for _, object := range set.Rules() {
				rule, known := store.Rule(object)
				if !known {
					t.Errorf("rule %s was not compiled", object.Name)
				} else if err := rule.Err(); err != nil {
					t.Errorf("rule %s: %v", object.Name, err)
				}
			}
			for _, object := range set.Workflows() {
				workflow, known := store.Workflow(object)
				if !known {
					t.Errorf("workflow %s was not compiled", object.Name)
				} else if err := workflow.Err(); err != nil {
					t.Errorf("workflow %s: %v", object.Name, err)
				}
			}
			for _, object := range set.RiskModels() {
				model, known := store.Model(object)
				if !known {
					t.Errorf("model %s was not compiled", object.Name)
				} else if err := model.Err; err != nil {
					t.Errorf("model %s: %v", object.Name, err)
				}
			}
			if len(set.Rules()) == 0 || len(set.Workflows()) == 0 || len(set.RiskModels()) == 0 {
				t.Errorf("%s has %d objects; want rules, workflows and a risk model", dir, len(set.Objects))
			}
		})
	}
}

// A rule tells people what it is for, and is where it applies to all.
func TestEveryRuleSaysWhatItIsFor(t *testing.T) {
	for _, rule := range load(t, normalDir).Rules() {
		spec := &rule.Spec
		if spec.DisplayName == "" || spec.Reason == "" && spec.ReasonExpression == "" || len(spec.Controls) == 0 {
			t.Errorf("%s needs displayName, reason and controls", rule.Name)
		}
		if rule.Namespace != v1alpha1.GlobalNamespace {
			t.Errorf("%s is in namespace %q, want %s", rule.Name, rule.Namespace, v1alpha1.GlobalNamespace)
		}
		if spec.Effect == v1alpha1.EffectAllow {
			t.Errorf("%s is an Allow: a policy to start from only restricts", rule.Name)
		}
	}
}

func TestCases(t *testing.T) {
	for mode, dir := range map[string]string{"normal": normalDir, "strict": strictDir} {
		t.Run(mode, func(t *testing.T) {
			report := play(t, dir)
			if report.OK() {
				return
			}
			var text strings.Builder
			if err := report.WriteText(&text, ruletest.TextOptions{}); err != nil {
				t.Fatal(err)
			}
			t.Errorf("the cases in %s/tests do not come out as they say:\n%s", dir, &text)
		})
	}
}

// Each rule has a case that fires it and one that says when it stays quiet.
func TestEveryRuleHasCases(t *testing.T) {
	coverage := play(t, normalDir).Coverage
	if len(coverage.Rules) != len(load(t, normalDir).Rules()) {
		t.Errorf("the coverage has %d rules, the policy %d", len(coverage.Rules), len(load(t, normalDir).Rules()))
	}
	for _, rule := range coverage.Rules {
		if !rule.Covered {
			t.Errorf("no case in config/starter-policy/tests fires %s and says so", rule.Rule)
		}
		if rule.Quiet == 0 {
			t.Errorf("no case in config/starter-policy/tests says when %s does not fire", rule.Rule)
		}
	}
}
