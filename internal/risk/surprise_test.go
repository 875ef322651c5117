// SPDX-License-Identifier: Apache-2.0

package risk_test

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

func TestSurprises(t *testing.T) {
	t.Parallel()
	const mild, severe = "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N", "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"
	cases := map[string]struct {
		spec string
		want []string // "path: words of the problem"
	}{
		"nothing": {`{}`, nil},
		"a pattern that matches nothing": {`actionTypes: [{pattern: "a b", cvssVector: "` + mild + `"}]`,
			[]string{"spec.actionTypes[0].pattern: can never match"}},
		"the same pattern twice": {`actionTypes: [{pattern: "db_*", cvssVector: "` + mild + `"}, {pattern: "db_**", cvssVector: "` + severe + `"}]`,
			[]string{`spec.actionTypes[0].pattern: "db_*" is never reached, for "db_**" covers`}},
		"patterns of the same length": {`actionTypes: [{pattern: "db_*", cvssVector: "` + mild + `"}, {pattern: "*_db", cvssVector: "` + severe + `"}]`, nil},
		"a more specific pattern":     {`actionTypes: [{pattern: "db_*", cvssVector: "` + severe + `"}, {pattern: "db_read*", cvssVector: "` + mild + `"}]`, nil},
		"thresholds":                  {`blastRadius: [{parameter: rows, above: 10, delta: "+1.0"}, {parameter: rows, above: 100, delta: "+2.0"}]`, nil},
		"a threshold that adds nothing": {`blastRadius: [{parameter: rows, above: 100, delta: "+1.0"}, {parameter: rows, above: 10, delta: "+1.0"}]`,
			[]string{"spec.blastRadius[0]: has no effect, for blastRadius[1] adds +1.0 above 10"}},
		"the same threshold twice": {`blastRadius: [{parameter: rows, above: 10, delta: "1.0"}, {parameter: rows, above: 10, delta: "+1.0"}]`,
			[]string{"spec.blastRadius[1]: has no effect, for blastRadius[0]"}},
		"thresholds of other types": {`blastRadius: [{parameter: rows, above: 10, delta: "+1.0", actionTypes: [a]}, {parameter: rows, above: 100, delta: "+1.0"}]`, nil},
		"thresholds of no types": {`blastRadius: [{parameter: rows, above: 10, delta: "+1.0", actionTypes: ["a b"]}]`,
			[]string{"spec.blastRadius[0].actionTypes: none of them can match"}},
		"a catalog of known words": {`{catalog: [{resources: [a], dataClassification: PII}, {resources: [b], dataClassification: own}], dataClassifications: [{name: own, delta: "+1.0"}]}`, nil},
		"a catalog of unknown words": {`catalog: [{resources: [a], dataClassification: pi}]`,
			[]string{`spec.catalog[0].dataClassification: "pi" is no classification of the model`}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := &v1alpha1.RiskModelSpec{}
			if err := yaml.UnmarshalStrict([]byte(c.spec), spec); err != nil {
				t.Fatal(err)
			}
			if _, err := risk.Compile(spec); err != nil {
				t.Fatal(err)
			}
			got := risk.Surprises(spec)
			if len(got) != len(c.want) {
				t.Fatalf("got %q, want %q", got, c.want)
			}
			for i, want := range c.want {
				path, words, _ := strings.Cut(want, ": ")
				if got[i].Path != path || !strings.Contains(got[i].Problem, words) {
					t.Errorf("got %q, want %q", got[i], want)
				}
			}
		})
	}
}

func TestTheShippedModelsHoldNoSurprise(t *testing.T) {
	t.Parallel()
	if got := risk.Surprises(risk.BuiltIn()); len(got) > 0 {
		t.Errorf("the built-in model: %q", got)
	}
}
