// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

func TestFurtherKeysAreRedacted(t *testing.T) {
	t.Parallel()
	patterns, err := audit.ParseKeyPatterns("*pin, card*number ,ssn,i?an")
	if err != nil {
		t.Fatal(err)
	}
	const canary = "CANARY-7f3a"
	record := sample("act-1")
	record.Request = asked(300)
	record.Request.Parameters = json.RawMessage(`{"userPIN":"` + canary + `","card_holder-Number":["` + canary + `",{"x":"` + canary + `"}],"SSN":"` + canary +
		`","iban":"` + canary + `","shipping":"kept-1","pin_count":"kept-2","rows":12}`)
	record.Request.Context = json.RawMessage(`{"a":[{"S.S.N":"` + canary + `"}]}`)
	record.Request.Annotations = map[string]string{"ssn": canary, "team": "kept-3"}
	record.Request.Agent.Annotations = map[string]string{"ssn": canary}
	record.Request.Namespace.Annotations = map[string]string{"ssn": canary, "empty": ""}
	record.Changes = []audit.Change{
		{Field: "spec.ssn[0].x", Before: `"` + canary + `"`, After: `"` + canary + `"`},
		{Field: "spec.values", Before: `{"ssn":"` + canary + `"}`, After: `{"ssn":"` + canary + `, cut off`},
		{Field: `metadata.annotations["example.com/my-pin"]`, Before: `"` + canary + `"`},
		{Field: `metadata.annotations["card.number"]`, After: `"` + canary + `"`},
		{Field: `metadata.annotations["a\"].ssn.b"]`, After: `"kept-5"`},
		{Field: `metadata.annotations["ssn`, After: `"` + canary + `"`},
		{Field: "spec.effect", After: `"kept-4"`},
	}
	var out bytes.Buffer
	if err := audit.Redacting(audit.NewLog(&out), patterns).Append(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), canary) {
		t.Errorf("a secret is left: %s", out.String())
	}
	for _, kept := range []string{"kept-1", "kept-2", "kept-3", "kept-4", "kept-5", `"rows":12`} {
		if !strings.Contains(out.String(), kept) {
			t.Errorf("%s is gone: %s", kept, out.String())
		}
	}
	verified(t, out.Bytes())
	if record.Request.Annotations["ssn"] != canary || !strings.Contains(string(record.Request.Parameters), canary) || !strings.Contains(record.Changes[0].Before, canary) {
		t.Error("the caller's record was changed")
	}
}

func TestKeyPatternsAreCheckedWhenTheyAreRead(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"*", "pin,", ",", "?", "a,*-*", strings.Repeat("a,", 64) + "a"} {
		if _, err := audit.ParseKeyPatterns(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	for _, none := range []string{"", " "} {
		if patterns, err := audit.ParseKeyPatterns(none); err != nil || len(patterns) != 0 {
			t.Errorf("%q: %v, %v", none, patterns, err)
		}
	}
}
