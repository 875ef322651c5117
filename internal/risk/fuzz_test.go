// SPDX-License-Identifier: Apache-2.0

package risk_test

import (
	"bytes"
	"encoding/json"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// FuzzAssess: whatever an agent writes, the assessment is as the schema has it,
// adds up, is repeatable, and is never below what the most harmless honest
// action of that type scores.
func FuzzAssess(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"table": "customers", "data_classification": "public"}`, `{"affected_rows": "1"}`, `{"affected_rows": -5}`,
		`{"affected_rows": 1e308}`, `{"affected_rows": [1], "Affected_Rows": 1}`, `{"table": ["a", "customers"]}`,
		`{"data_classification": "Public "}`, `{"data_classification": "p\u0456i"}`, `{"environment": {"a": "sandbox"}}`,
		`{"table": "a, b, c", "tables": [[]]}`, `{"url": "https://a@b/%2e%2e/"}`, `{"amount": 0.1, "recipients": 0}`,
	} {
		f.Add("database_write", "notes", []byte(seed))
	}
	model, err := risk.Compile(corpusModel())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, kind, resource string, parameters []byte) {
		stored := &v1alpha1.AgentAction{
			ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(submitted)},
			Spec: v1alpha1.AgentActionSpec{
				ActionType: kind, Resource: resource, Parameters: &runtime.RawExtension{Raw: parameters},
			},
		}
		req, err := request.Read(stored, v1alpha1.Requester{}, nil)
		got := model.Assess(req, "sandbox")
		addsUp(t, got.Base, got.Factors, got.Score)
		if err != nil && (!got.ClassificationUnknown || !req.ResourceUnknown) {
			t.Errorf("an action that cannot be read looks known: %+v", got)
		}
		harmless := *req
		harmless.Classification = request.Claim{Present: true, Value: "public"}
		harmless.Resources, harmless.ResourceUnknown = []string{"harmless"}, false
		harmless.Parameters = map[string]any{"affected_rows": int64(0), "amount": int64(0), "recipients": int64(0)}
		harmless.Environments = nil
		if least := model.Assess(&harmless, "sandbox"); got.Score < least.Score {
			t.Errorf("score %s, but the most harmless scores %s", got.Score, least.Score)
		}
		again, err := json.Marshal(model.Assess(req, "sandbox").Status())
		if err != nil {
			t.Fatal(err)
		}
		if once, _ := json.Marshal(got.Status()); !bytes.Equal(once, again) {
			t.Errorf("one action, two assessments:\n%s\n%s", once, again)
		}
	})
}

// FuzzCompile: whatever is written as a model, it can be used, and what it
// reports as broken fails visibly.
func FuzzCompile(f *testing.F) {
	seed, err := json.Marshal(corpusModel())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"actionTypes": [{"pattern": "*", "cvssVector": "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N/"}]}`))
	f.Add([]byte(`{"schedule": {"timeZone": "../../etc/passwd", "businessHours": {"start": "00:00", "end": "24:00"}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var spec v1alpha1.RiskModelSpec
		if json.Unmarshal(text, &spec) != nil {
			t.Skip()
		}
		model, err := risk.Compile(&spec)
		if model == nil || model.Revision() == "" {
			t.Fatalf("no model, %v", err)
		}
		got := model.Assess(read(t, action{Type: "database_write", Parameters: object{"affected_rows": 7}}), "staging")
		addsUp(t, got.Base, got.Factors, got.Score)
		if got.Failure != "" && err == nil {
			t.Errorf("scoring failed (%s) with a model that compiled", got.Failure)
		}
	})
}
