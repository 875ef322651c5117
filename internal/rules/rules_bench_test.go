// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

var sizes = []int{10, 100, 1_000, 10_000}

func BenchmarkCompile(b *testing.B) {
	compiler := shared()
	for name, written := range map[string]*v1alpha1.SmartRule{
		"without-conditions": rule("r"),
		"one-condition":      rule("r", when(holds)),
		"realistic": rule("r", when(holds, "action.parameters.tags.exists(t, t.startsWith('b'))"),
			because("", "'%d rows'.format([action.parameters.affected_rows])")),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if compiler.Compile(written).Err() != nil {
					b.Fatal("does not compile")
				}
			}
		})
	}
}

// ruleSets are rules of which five can match, however many there are.
var ruleSets = map[string]func(i int) v1alpha1.RuleMatch{
	"exact-types": func(i int) v1alpha1.RuleMatch {
		return v1alpha1.RuleMatch{ActionTypes: []v1alpha1.Glob{v1alpha1.Glob(fmt.Sprintf("type_%d", i))}}
	},
	"prefix-globs": func(i int) v1alpha1.RuleMatch {
		return v1alpha1.RuleMatch{ActionTypes: []v1alpha1.Glob{v1alpha1.Glob(fmt.Sprintf("type%d_*", i))}}
	},
	"exact-agents": func(i int) v1alpha1.RuleMatch {
		return v1alpha1.RuleMatch{ActionTypes: []v1alpha1.Glob{"database_*"},
			Agents: &v1alpha1.AgentMatch{Names: []v1alpha1.Glob{v1alpha1.Glob(fmt.Sprintf("agent-%d", i))}}}
	},
	"exact-resources": func(i int) v1alpha1.RuleMatch {
		return v1alpha1.RuleMatch{ActionTypes: []v1alpha1.Glob{"database_*"}, Resources: []v1alpha1.Glob{v1alpha1.Glob(fmt.Sprintf("table_%d", i))}}
	},
	"suffix-globs": func(i int) v1alpha1.RuleMatch { // these the index cannot tell apart
		return v1alpha1.RuleMatch{ActionTypes: []v1alpha1.Glob{v1alpha1.Glob(fmt.Sprintf("*_%d", i))}}
	},
}

const canMatch = 5

func ruleSet(n int, match func(int) v1alpha1.RuleMatch) []*Rule {
	condition := onceCompiled(holds)
	out := make([]*Rule, n)
	for i := range out {
		written := rule(fmt.Sprintf("rule-%d", i), covers(match(i)))
		if i < canMatch {
			written.Spec.Match = v1alpha1.RuleMatch{ActionTypes: []v1alpha1.Glob{"database_delete"}}
		}
		out[i] = shared().Compile(written)
		out[i].conditions = append(out[i].conditions, condition.conditions...)
	}
	return out
}

// BenchmarkEvaluate is one decision: the lookup and both passes.
func BenchmarkEvaluate(b *testing.B) {
	for _, kind := range []string{"exact-types", "prefix-globs", "exact-agents", "exact-resources", "suffix-globs"} {
		for _, n := range sizes {
			ix := NewIndex(ruleSet(n, ruleSets[kind]))
			in := asked(b, bulkDelete)
			b.Run(fmt.Sprintf("%s/%d", kind, n), func(b *testing.B) {
				b.ReportAllocs()
				looked := 0
				for b.Loop() {
					evaluator := NewEvaluator(in, ix, nil)
					first, _ := evaluator.Adjustments(context.Background())
					second, _ := evaluator.Effects(context.Background(), in.Assessment)
					looked = first.Evaluated + second.Evaluated
					if len(second.Matched) != canMatch {
						b.Fatalf("%d matched", len(second.Matched))
					}
				}
				b.ReportMetric(float64(looked), "rules/op")
			})
		}
	}
}

// BenchmarkLookup is what an action costs that no rule covers.
func BenchmarkLookup(b *testing.B) {
	for _, n := range sizes {
		ix := NewIndex(ruleSet(n, ruleSets["exact-types"]))
		in := asked(b, bulkDelete)
		in.Request.ActionType = "nothing"
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				NewEvaluator(in, ix, nil)
			}
		})
	}
}

// BenchmarkWith is one rule that changes.
func BenchmarkWith(b *testing.B) {
	for _, n := range sizes {
		all := ruleSet(n, ruleSets["exact-types"])
		ix := NewIndex(all)
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ix.With(all[:1], nil)
			}
		})
	}
}
