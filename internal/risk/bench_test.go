// SPDX-License-Identifier: Apache-2.0

package risk_test

import (
	"fmt"
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

func BenchmarkAssess(b *testing.B) {
	large := corpusModel()
	for i := range 512 - len(large.Catalog) {
		large.Catalog = append(large.Catalog, v1alpha1.CatalogEntry{
			Resources:          []v1alpha1.Glob{v1alpha1.Glob(fmt.Sprintf("schema%d.*", i)), v1alpha1.Glob(fmt.Sprintf("*/%d/*", i))},
			DataClassification: "confidential",
		})
	}
	for name, c := range map[string]struct {
		spec   *v1alpha1.RiskModelSpec
		action action
	}{
		"read":        {nil, action{Type: "database_read", Parameters: object{"table": "customers", "data_classification": "pii"}}},
		"write":       {nil, action{Type: "database_write", Parameters: object{"table": "customers", "affected_rows": 1, "data_classification": "pii"}}},
		"doubtful":    {nil, action{Type: "unheard_of", Parameters: object{"affected_rows": "1"}}},
		"catalog-512": {large, action{Type: "database_read", Parameters: object{"table": "customers", "data_classification": "pii"}}},
	} {
		b.Run(name, func(b *testing.B) {
			model, req := compile(b, c.spec), read(b, c.action)
			b.ReportAllocs()
			for b.Loop() {
				model.Assess(req, "sandbox")
			}
		})
	}
}

func BenchmarkAdjusted(b *testing.B) {
	got := compile(b, nil).Assess(read(b, action{Type: "database_read"}), "sandbox")
	adjustments := []risk.Adjustment{{Rule: "a/b", Delta: 10}, {Rule: "a/a", Delta: -5}}
	b.ReportAllocs()
	for b.Loop() {
		got.Adjusted(adjustments)
	}
}

func BenchmarkStatus(b *testing.B) {
	got := compile(b, nil).Assess(read(b, action{Type: "database_read"}), "sandbox")
	b.ReportAllocs()
	for b.Loop() {
		got.Status()
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		compile(b, nil)
	}
}
