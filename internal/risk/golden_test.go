// SPDX-License-Identifier: Apache-2.0

package risk_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

var update = flag.Bool("update", false, "write the golden files in testdata instead of comparing with them")

// golden compares text with a file in testdata, or writes it there.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatalf("write the golden file: %v", err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("read the golden file (go test -update writes it): %v", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; if that is meant, go test -update (-want +got):\n%s", path, diff)
	}
}

// corpusModel is what a company might have over the built-in model.
func corpusModel() *v1alpha1.RiskModelSpec {
	return &v1alpha1.RiskModelSpec{
		ActionTypes: []v1alpha1.ActionTypeRisk{
			{Pattern: "ledger_*", CVSSVector: "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:L/I:H/A:N"},
		},
		DataClassifications: []v1alpha1.DataClassificationRisk{{Name: "trade-secret", Delta: "+2.5"}},
		Schedule: &v1alpha1.RiskSchedule{
			TimeZone:      "Europe/Berlin",
			BusinessHours: v1alpha1.BusinessHours{Start: "08:00", End: "18:00"},
			Holidays:      []v1alpha1.Date{"2026-12-25"},
			OffHoursDelta: "+1.0",
		},
		Catalog: []v1alpha1.CatalogEntry{
			{Resources: []v1alpha1.Glob{"customers*", "crm/*"}, DataClassification: "pii"},
			{Resources: []v1alpha1.Glob{"product_*", "prices"}, DataClassification: "internal"},
			{Resources: []v1alpha1.Glob{"recipes/*"}, DataClassification: "trade-secret"},
		},
	}
}

// TestCorpus pins what realistic actions score and what is said about it.
func TestCorpus(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "corpus.json"))
	if err != nil {
		t.Fatalf("read the corpus: %v", err)
	}
	var corpus []struct {
		Name        string `json:"name"`
		Environment string `json:"environment"`
		Action      action `json:"action"`
	}
	if err := json.Unmarshal(text, &corpus); err != nil {
		t.Fatalf("read the corpus: %v", err)
	}
	type assessed struct {
		Name            string               `json:"name"`
		Risk            *v1alpha1.RiskStatus `json:"risk"`
		Classifications []string             `json:"classifications"`
		Unknown         bool                 `json:"classificationUnknown"`
		Environments    []string             `json:"environments"`
		OffHours        bool                 `json:"offHours"`
	}
	model := compile(t, corpusModel())
	out := make([]assessed, 0, len(corpus))
	for _, c := range corpus {
		got := model.Assess(read(t, c.Action), c.Environment)
		addsUp(t, got.Base, got.Factors, got.Score)
		out = append(out, assessed{c.Name, got.Status(), got.Classifications, got.ClassificationUnknown, got.Environments, got.OffHours})
	}
	pretty, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		t.Fatalf("write the assessments: %v", err)
	}
	golden(t, "assessments.json", string(pretty)+"\n")
}
