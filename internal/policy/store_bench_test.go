// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

const manyRules = 10_000

func load(b *testing.B) *Store {
	b.Helper()
	store, _ := counting(b)
	for i := range manyRules {
		name := fmt.Sprint("rule-", i)
		store.SetRule(rule(v1alpha1.GlobalNamespace, name, types.UID(name), 1, "first"))
	}
	store.Snapshot()
	return store
}

// BenchmarkLoad10000Rules is what a start costs before the first decision.
func BenchmarkLoad10000Rules(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		load(b)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/manyRules, "µs/rule")
}

// BenchmarkOneEditAmong10000Rules is the time from an edit in the watch to a
// snapshot that has it: one compilation and one fold.
func BenchmarkOneEditAmong10000Rules(b *testing.B) {
	store := load(b)
	generation := int64(1)
	b.ReportAllocs()
	for b.Loop() {
		generation++
		store.SetRule(rule(v1alpha1.GlobalNamespace, "rule-17", "rule-17", generation, "next"))
		store.Snapshot()
	}
}

// BenchmarkSnapshotUnchanged is what every decision pays.
func BenchmarkSnapshotUnchanged(b *testing.B) {
	store := load(b)
	b.ReportAllocs()
	for b.Loop() {
		store.Snapshot()
	}
}
