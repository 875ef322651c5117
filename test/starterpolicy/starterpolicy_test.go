// SPDX-License-Identifier: Apache-2.0

package starterpolicy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
)

func TestEverythingCompiles(t *testing.T) {
	for mode, dir := range map[string]string{"normal": normalDir, "strict": strictDir} {
		t.Run(mode, func(t *testing.T) {
			all := load(t, dir)
			store := newStore(t, all)
			for _, object := range all.rules {
				if rule, known := store.Rule(object); !known || rule.Err() != nil {
					t.Errorf("rule %s: %v", object.Name, rule.Err())
				}
			}
			for _, object := range all.workflows {
				if workflow, known := store.Workflow(object); !known || workflow.Err() != nil {
					t.Errorf("workflow %s: %v", object.Name, workflow.Err())
				}
			}
			for _, object := range all.models {
				if model, known := store.Model(object); !known || model.Err != nil {
					t.Errorf("model %s: %v", object.Name, model.Err)
				}
			}
		})
	}
}

// A rule tells people what it is for, and is where it applies to all.
func TestEveryRuleSaysWhatItIsFor(t *testing.T) {
	for _, rule := range load(t, normalDir).rules {
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
	normal := newStore(t, load(t, normalDir)).Snapshot()
	strict := newStore(t, load(t, strictDir)).Snapshot()
	for _, c := range readCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			for _, at := range c.times() {
				c.Expect.check(t, at.Format("Mon 15:04"), c.decide(t, normal, at))
				if c.Strict != nil {
					c.Strict.check(t, at.Format("Mon 15:04")+", strict", c.decide(t, strict, at))
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}

// Each rule has a case that fires it and one that does not.
func TestEveryRuleHasCases(t *testing.T) {
	fired, quiet := map[string]bool{}, map[string]bool{}
	for _, c := range readCases(t) {
		for _, name := range append(slices.Clone(c.Expect.Matched), c.Expect.Rule) {
			fired[name] = true
		}
		for _, name := range c.Expect.Not {
			quiet[name] = true
		}
	}
	for _, rule := range load(t, normalDir).rules {
		if !fired[rule.Name] {
			t.Errorf("no case in config/starter-policy/tests fires %s", rule.Name)
		}
		if !quiet[rule.Name] {
			t.Errorf("no case in config/starter-policy/tests says when %s does not fire", rule.Name)
		}
		delete(fired, rule.Name)
		delete(quiet, rule.Name)
	}
	delete(fired, "")
	for name := range fired {
		t.Errorf("a case names rule %s, which does not exist", name)
	}
	for name := range quiet {
		t.Errorf("a case names rule %s, which does not exist", name)
	}
}

// check compares an outcome with what is expected of it.
func (e *expectation) check(t *testing.T, when string, got *decision.Outcome) {
	t.Helper()
	risk := got.Risk
	if risk == nil {
		risk = &v1alpha1.RiskStatus{}
	}
	deciding := ""
	if got.DecidingRule != nil {
		deciding = string(got.DecidingRule.Name)
	}
	for _, fact := range []struct{ what, want, got string }{
		{"decision", string(e.Decision), string(got.Decision)},
		{"score", string(e.Score), string(risk.Score)},
		{"level", string(e.Level), string(risk.Level)},
		{"vector", e.Vector, risk.CVSSVector},
		{"base score", string(e.Base), string(risk.CVSSBaseScore)},
		{"deciding rule", e.Rule, deciding},
		{"message", e.Message, got.Message},
	} {
		if fact.want != "" && fact.want != fact.got {
			t.Errorf("%s: %s is %q, want %q (%s %s: %s; risk %+v)", when, fact.what, fact.got, fact.want, got.Decision, got.Reason, got.Message, *risk)
		}
	}
	if e.Stages != 0 && (got.Approval == nil || got.Approval.StageCount != e.Stages) {
		t.Errorf("%s: approval is %+v, want %d stages", when, got.Approval, e.Stages)
	}
	var matched []string
	for _, m := range got.MatchedRules {
		matched = append(matched, string(m.Name))
	}
	for _, name := range e.Matched {
		if !slices.Contains(matched, name) {
			t.Errorf("%s: %s did not match; matched are [%s]", when, name, strings.Join(matched, " "))
		}
	}
	for _, name := range e.Not {
		if slices.Contains(matched, name) {
			t.Errorf("%s: %s matched, and should not", when, name)
		}
	}
}
