// SPDX-License-Identifier: Apache-2.0

package manifest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/manifest"
)

// thousand writes 1,000 rules with conditions into 10 files.
func thousand(tb testing.TB) string {
	tb.Helper()
	top := tb.TempDir()
	for i := range 10 {
		var text strings.Builder
		for j := range 100 {
			fmt.Fprintf(&text, `---
apiVersion: governance.ascendowkai.com/v1alpha1
kind: SmartRule
metadata:
  name: rule-%d-%d
  namespace: team-%d
spec:
  displayName: Rule %d
  effect: RequireApproval
  match:
    actionTypes: [database_delete, "file_*"]
    environments: [production]
    minRiskScore: "4.0"
  conditions:
  - name: bulk
    expression: action.parameters.affected_rows > %d
  - name: office-hours
    expression: now.getHours("Europe/Berlin") < 18
  reason: Bulk changes need a manager
  controls: ["NIST-800-53:AC-6"]
`, i, j, i, j, j)
		}
		if err := os.WriteFile(filepath.Join(top, fmt.Sprintf("%d.yaml", i)), []byte(text.String()), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return top
}

func TestThousandRules(t *testing.T) {
	set, problems := load(t, manifest.Options{}, thousand(t))
	expect(t, problems)
	if len(set.Rules()) != 1000 {
		t.Errorf("got %d rules", len(set.Rules()))
	}
}

func BenchmarkLoadThousandRules(b *testing.B) {
	top := thousand(b)
	for b.Loop() {
		if _, problems, err := manifest.Load([]string{top}, manifest.Options{}); err != nil || len(problems) > 0 {
			b.Fatal(err, problems)
		}
	}
}

func BenchmarkLoadStarterPolicy(b *testing.B) {
	for b.Loop() {
		if _, problems, err := manifest.Load([]string{"../../config/starter-policy-strict"}, manifest.Options{}); err != nil || len(problems) > 0 {
			b.Fatal(err, problems)
		}
	}
}
