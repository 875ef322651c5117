// SPDX-License-Identifier: Apache-2.0

package risk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// docs/scoring.md: the table of fixed points, agent in sandbox.
func TestFixedPointsOfTheDesign(t *testing.T) {
	model := compile(t, nil)
	for name, c := range map[string]struct {
		action      action
		environment string
		score       string
		level       v1alpha1.RiskLevel
	}{
		"public categories are read": {
			action{Type: "database_read", Parameters: object{"table": "product_categories", "data_classification": "public"}},
			"sandbox", "2.1", v1alpha1.RiskLevelLow,
		},
		"customers are read": {
			action{Type: "database_read", Parameters: object{"table": "customers", "data_classification": "pii"}},
			"sandbox", "5.3", v1alpha1.RiskLevelMedium,
		},
		"one customer is updated": {
			action{Type: "database_write", Parameters: object{"table": "customers", "operation": "UPDATE", "affected_rows": 1, "data_classification": "pii"}},
			"sandbox", "7.2", v1alpha1.RiskLevelHigh,
		},
		"many users are deleted": {
			action{Type: "database_delete", Parameters: object{"table": "users", "affected_rows": 150}},
			"sandbox", "10.0", v1alpha1.RiskLevelCritical,
		},
		"orders are read in production": {
			action{Type: "database_read", Parameters: object{"table": "orders", "date_range": "last_30_days"}},
			"production", "6.8", v1alpha1.RiskLevelMedium,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := model.Assess(read(t, c.action), c.environment)
			if got.Score.String() != c.score || got.Score.Level() != c.level || got.Failure != "" {
				t.Errorf("score %s %s %q, want %s %s", got.Score, got.Score.Level(), got.Failure, c.score, c.level)
			}
			addsUp(t, got.Base, got.Factors, got.Score)
		})
	}
	got := model.Assess(read(t, action{Type: "database_read"}), "sandbox")
	if got.Vector != "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N" || got.Base.String() != "4.3" {
		t.Errorf("database_read is %s %s", got.Vector, got.Base)
	}
}

// The scores in the comments of builtin.go. They can be checked with the
// calculator at https://www.first.org/cvss/calculator/3.1.
func TestBuiltInActionTypes(t *testing.T) {
	const ordinary, hard = "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/", "CVSS:3.1/AV:N/AC:H/PR:L/UI:N/"
	bases := map[string]string{
		hard + "S:U/C:L/I:N/A:N":     "3.1",
		ordinary + "S:U/C:L/I:N/A:N": "4.3",
		ordinary + "S:C/C:L/I:N/A:N": "5.0",
		ordinary + "S:U/C:L/I:L/A:N": "5.4",
		ordinary + "S:U/C:N/I:L/A:L": "5.4",
		ordinary + "S:U/C:L/I:L/A:L": "6.3",
		ordinary + "S:C/C:L/I:L/A:N": "6.4",
		ordinary + "S:U/C:H/I:N/A:N": "6.5",
		ordinary + "S:U/C:L/I:H/A:N": "7.1",
		ordinary + "S:U/C:N/I:L/A:H": "7.1",
		ordinary + "S:U/C:L/I:H/A:L": "7.6",
		ordinary + "S:C/C:H/I:N/A:N": "7.7",
		ordinary + "S:U/C:N/I:H/A:H": "8.1",
		ordinary + "S:U/C:L/I:H/A:H": "8.3",
		ordinary + "S:C/C:L/I:H/A:N": "8.5",
		ordinary + "S:C/C:H/I:L/A:N": "8.5",
		ordinary + "S:U/C:H/I:H/A:H": "8.8",
		ordinary + "S:C/C:H/I:H/A:N": "9.6",
		ordinary + "S:C/C:N/I:H/A:H": "9.6",
		ordinary + "S:C/C:H/I:H/A:H": "9.9",
	}
	model := compile(t, nil)
	var table strings.Builder
	for _, entry := range risk.BuiltIn().ActionTypes {
		name := string(entry.Pattern)
		if name == "*" {
			name = "something_nobody_knows"
		}
		got := model.Assess(read(t, action{Type: name}), "sandbox")
		if got.Vector != string(entry.CVSSVector) {
			t.Errorf("%s scores by %s, want %s", name, got.Vector, entry.CVSSVector)
		}
		if want := bases[got.Vector]; got.Base.String() != want {
			t.Errorf("%s has base %s, want %q", name, got.Base, want)
		}
		fmt.Fprintf(&table, "%-26s %s %s\n", entry.Pattern, entry.CVSSVector, got.Base)
	}
	golden(t, "builtin.txt", table.String())
}

// ASCEND's public documentation: delete > write > read > describe.
func TestKindsOfActionAreOrdered(t *testing.T) {
	model := compile(t, nil)
	for _, family := range []string{"database", "file", "kubernetes"} {
		for _, class := range []any{nil, "public", "internal", "confidential", "pii", "phi", "pci"} {
			last := risk.Score(-1)
			for _, kind := range []string{"list", "read", "write", "delete"} {
				if family == "kubernetes" && kind == "write" {
					kind = "apply"
				}
				parameters := object{"table": "t", "affected_rows": 1}
				if class != nil {
					parameters["data_classification"] = class
				}
				got := model.Assess(read(t, action{Type: family + "_" + kind, Parameters: parameters}), "sandbox")
				if got.Score < last || got.Score == last && last != risk.MaxScore && kind != "delete" {
					t.Errorf("%s_%s with %v scores %s, not more than the one before, %s", family, kind, class, got.Score, last)
				}
				last = got.Score
			}
		}
	}
}

func TestUnknownActionTypeIsNeverApprovedByItself(t *testing.T) {
	model := compile(t, nil)
	claims := action{Type: "just_looking", Resource: "brochure", Parameters: object{"data_classification": "public"}}
	got := model.Assess(read(t, claims), "sandbox")
	// 8.8, less no more than confidentiality counts: H/H/H without C is 8.1.
	if got.Base.String() != "8.8" || got.Score.String() != "8.1" || got.Score.Level() != v1alpha1.RiskLevelHigh {
		t.Errorf("an unknown type scores %s from %s", got.Score, got.Base)
	}
}

func TestBuiltInClassifications(t *testing.T) {
	model := compile(t, nil)
	for _, c := range []struct{ class, delta string }{
		{"public", "-2.2"}, {"internal", "+0.5"}, {"confidential", "+0.8"}, {"pii", "+1.0"}, {"phi", "+1.5"}, {"pci", "+1.5"},
		{"secret", "+1.5"}, {"", "+1.5"},
	} {
		req := read(t, action{Type: "database_read", Resource: "t", Parameters: object{"data_classification": c.class}})
		if got := factor(t, model.Assess(req, "sandbox"), "data-classification"); string(got.Delta) != c.delta {
			t.Errorf("%q adds %s, want %s", c.class, got.Delta, c.delta)
		}
	}
}

func TestBuiltInEnvironments(t *testing.T) {
	model := compile(t, nil)
	for _, c := range []struct{ environment, delta string }{
		{"sandbox", "+0.0"}, {"test", "+0.0"}, {"development", "+0.2"}, {"staging", "+0.5"}, {"production", "+1.0"},
		{" Production ", "+1.0"}, {"prd", "+1.0"}, {"", "+1.0"}, {"sandbох", "+1.0"},
	} {
		req := read(t, action{Type: "database_read"})
		if got := factor(t, model.Assess(req, c.environment), "environment"); string(got.Delta) != c.delta {
			t.Errorf("%q adds %s, want %s", c.environment, got.Delta, c.delta)
		}
	}
}

func TestBuiltInBlastRadius(t *testing.T) {
	model := compile(t, nil)
	for _, c := range []struct {
		kind, parameter string
		number          any
		delta           string
	}{
		{"database_write", "affected_rows", 0, ""},
		{"database_write", "affected_rows", 1, "+0.8"},
		{"database_write", "affected_rows", 100, "+0.8"},
		{"database_delete", "affected_rows", 101, "+1.6"},
		{"database_delete", "affected_rows", 10_000, "+1.6"},
		{"record_update", "affected_rows", 10_001, "+2.4"},
		{"customer_data_delete", "affected_rows", 5, "+0.8"},
		{"database_read", "affected_rows", 10_001, ""},
		{"financial.transfer", "amount", 1_000, ""},
		{"financial.transfer", "amount", 1_000.01, "+0.5"},
		{"financial.refund", "amount", 10_001, "+1.0"},
		{"payment_send", "amount", 100_001, "+2.0"},
		{"payment_send", "amount", 1e308, "+2.0"},
		{"email_send", "recipients", 10, ""},
		{"email_send", "recipients", 11, "+0.5"},
		{"message_send", "recipients", 101, "+1.0"},
		{"sms_send", "recipients", 1_001, "+2.0"},
	} {
		parameters := object{c.parameter: c.number, "data_classification": "pii", "table": "t"}
		got := model.Assess(read(t, action{Type: c.kind, Parameters: parameters}), "sandbox")
		at := slices.IndexFunc(got.Factors, func(f v1alpha1.RiskFactor) bool { return f.Name == "blast-radius" })
		switch {
		case at < 0 && c.delta != "":
			t.Errorf("%s with %s %v adds nothing, want %s", c.kind, c.parameter, c.number, c.delta)
		case at >= 0 && string(got.Factors[at].Delta) != c.delta:
			t.Errorf("%s with %s %v adds %s, want %q", c.kind, c.parameter, c.number, got.Factors[at].Delta, c.delta)
		}
	}
}

func TestBuiltInIsWithinTheSchema(t *testing.T) {
	spec := risk.BuiltIn()
	if len(spec.ActionTypes) > 512 || len(spec.BlastRadius) > 64 || len(spec.Environments) > 16 {
		t.Errorf("%d types, %d thresholds", len(spec.ActionTypes), len(spec.BlastRadius))
	}
	seen := map[v1alpha1.Glob]bool{}
	for _, entry := range spec.ActionTypes {
		if seen[entry.Pattern] {
			t.Errorf("%s is there twice", entry.Pattern)
		}
		seen[entry.Pattern] = true
	}
	// A model that repeats the built-in one changes nothing, and a copy is a copy.
	repeated := compile(t, spec)
	req := read(t, action{Type: "database_delete", Parameters: object{"affected_rows": 3}})
	if diff := cmp.Diff(compile(t, nil).Assess(req, "staging").Status(), repeated.Assess(req, "staging").Status()); diff != "" {
		t.Errorf("repeating the built-in model changes a score (-built-in +repeated):\n%s", diff)
	}
	spec.BlastRadius[0].ActionTypes[0] = "changed"
	spec.Environments[0].Delta = "+9.0"
	if again := risk.BuiltIn(); again.BlastRadius[0].ActionTypes[0] == "changed" || again.Environments[0].Delta == "+9.0" {
		t.Error("BuiltIn hands out its own slices")
	}
}
