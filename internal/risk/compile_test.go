// SPDX-License-Identifier: Apache-2.0

package risk_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

const readVector = "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N"

// What is broken is named by its path, scores 9.5 where it counts, and leaves
// the rest alone.
func TestBrokenModels(t *testing.T) {
	pii := action{Type: "database_read", Resource: "t", Parameters: object{"data_classification": "pii"}}
	internal := action{Type: "database_read", Resource: "t", Parameters: object{"data_classification": "internal"}}
	hours := v1alpha1.BusinessHours{Start: "08:00", End: "18:00"}
	for name, c := range map[string]struct {
		spec        v1alpha1.RiskModelSpec
		path        string
		fails       *action // nil: none does
		environment string
		works       *action // nil: none does
	}{
		"a vector that is none": {
			v1alpha1.RiskModelSpec{ActionTypes: []v1alpha1.ActionTypeRisk{{Pattern: "other", CVSSVector: readVector}, {Pattern: "robot_*", CVSSVector: "CVSS:3.1/AV:N"}}},
			`spec.actionTypes[1].cvssVector: Invalid value: "CVSS:3.1/AV:N"`, &action{Type: "robot_arm"}, "", &pii,
		},
		"a vector with temporal metrics": {
			v1alpha1.RiskModelSpec{ActionTypes: []v1alpha1.ActionTypeRisk{{Pattern: "robot", CVSSVector: readVector + "/E:U"}}},
			"spec.actionTypes[0].cvssVector", &action{Type: "robot"}, "", &pii,
		},
		"a vector of another version": {
			v1alpha1.RiskModelSpec{ActionTypes: []v1alpha1.ActionTypeRisk{{Pattern: "robot", CVSSVector: "CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N"}}},
			"spec.actionTypes[0].cvssVector", &action{Type: "robot"}, "", &pii,
		},
		"a vector that says a metric twice": {
			v1alpha1.RiskModelSpec{ActionTypes: []v1alpha1.ActionTypeRisk{{Pattern: "robot", CVSSVector: readVector + "/C:H"}}},
			"spec.actionTypes[0].cvssVector", &action{Type: "robot"}, "", &pii,
		},
		"a pattern twice": {
			v1alpha1.RiskModelSpec{ActionTypes: []v1alpha1.ActionTypeRisk{{Pattern: "robot", CVSSVector: readVector}, {Pattern: "Robot", CVSSVector: readVector}}},
			`spec.actionTypes[1].pattern: Duplicate value: "Robot"`, &action{Type: "robot"}, "", &pii,
		},
		"a glob twice": {
			v1alpha1.RiskModelSpec{ActionTypes: []v1alpha1.ActionTypeRisk{{Pattern: "robot*", CVSSVector: readVector}, {Pattern: "Robot*", CVSSVector: readVector}}},
			`spec.actionTypes[1].pattern: Duplicate value: "Robot*"`, &action{Type: "robots"}, "", &pii,
		},
		"a pattern that says nothing may be any": {
			v1alpha1.RiskModelSpec{ActionTypes: []v1alpha1.ActionTypeRisk{{Pattern: " ", CVSSVector: readVector}}},
			"spec.actionTypes[0].pattern: Required value", &pii, "", nil,
		},
		"a classification's delta": {
			v1alpha1.RiskModelSpec{DataClassifications: []v1alpha1.DataClassificationRisk{{Name: "pii", Delta: "much"}}},
			"spec.dataClassifications[0].delta", &pii, "", &internal,
		},
		"and so may an unknown classification be": {
			v1alpha1.RiskModelSpec{DataClassifications: []v1alpha1.DataClassificationRisk{{Name: "pii", Delta: "+11"}, {Name: "own", Delta: "?"}}},
			"spec.dataClassifications[0].delta", &action{Type: "database_read"}, "", &internal,
		},
		"a classification twice": {
			v1alpha1.RiskModelSpec{DataClassifications: []v1alpha1.DataClassificationRisk{{Name: "pii", Delta: "1"}, {Name: "PII", Delta: "2"}}},
			`spec.dataClassifications[1].name: Duplicate value: "PII"`, &pii, "", &internal,
		},
		"a classification without a name": {
			v1alpha1.RiskModelSpec{DataClassifications: []v1alpha1.DataClassificationRisk{{Delta: "1"}}},
			"spec.dataClassifications[0].name: Required value", &internal, "", nil,
		},
		"an environment's delta": {
			v1alpha1.RiskModelSpec{Environments: []v1alpha1.EnvironmentRisk{{Name: "test", Delta: "1.55"}}},
			"spec.environments[0].delta", &internal, "test", &internal,
		},
		"and so of those nearer to production": {
			v1alpha1.RiskModelSpec{Environments: []v1alpha1.EnvironmentRisk{{Name: "test", Delta: "1.55"}}},
			"spec.environments[0].delta", &internal, "production", &internal,
		},
		"a threshold's delta": {
			v1alpha1.RiskModelSpec{BlastRadius: []v1alpha1.BlastRadius{{Parameter: "n", Above: 3, Delta: "-1.0"}}},
			"spec.blastRadius[0].delta", &action{Type: "database_read", Resource: "t", Parameters: object{"n": 4}}, "",
			&action{Type: "database_read", Resource: "t", Parameters: object{"n": 3}},
		},
		"a negative threshold": {
			v1alpha1.RiskModelSpec{BlastRadius: []v1alpha1.BlastRadius{{Parameter: "n", Above: -1, Delta: "1"}}},
			"spec.blastRadius[0].above", &action{Type: "database_read", Resource: "t", Parameters: object{"n": 0}}, "", nil,
		},
		"a threshold of no parameter": {
			v1alpha1.RiskModelSpec{BlastRadius: []v1alpha1.BlastRadius{{Above: 1, Delta: "1", ActionTypes: []v1alpha1.Glob{"file*"}}}},
			"spec.blastRadius[0].parameter: Required value", &action{Type: "file_read"}, "", &internal,
		},
		"a threshold for no type may be for any": {
			v1alpha1.RiskModelSpec{BlastRadius: []v1alpha1.BlastRadius{{Parameter: "n", Delta: "1", ActionTypes: []v1alpha1.Glob{""}}}},
			"spec.blastRadius[0].actionTypes[0]: Required value", &internal, "", nil,
		},
		"a catalog entry without a classification": {
			v1alpha1.RiskModelSpec{Catalog: []v1alpha1.CatalogEntry{{Resources: []v1alpha1.Glob{"x"}}}},
			"spec.catalog[0].dataClassification: Required value", &action{Type: "database_read", Resource: "x"}, "", &internal,
		},
		"a catalog entry of no resource may be of any": {
			v1alpha1.RiskModelSpec{Catalog: []v1alpha1.CatalogEntry{{DataClassification: "pii"}}},
			"spec.catalog[0].resources: Required value", &internal, "", nil,
		},
		"a catalog entry with an empty glob": {
			v1alpha1.RiskModelSpec{Catalog: []v1alpha1.CatalogEntry{{Resources: []v1alpha1.Glob{"x", ""}, DataClassification: "pii"}}},
			"spec.catalog[0].resources[1]: Required value", &internal, "", nil,
		},
		"the delta of a schedule": {
			v1alpha1.RiskModelSpec{Schedule: &v1alpha1.RiskSchedule{BusinessHours: v1alpha1.BusinessHours{Start: "10:31", End: "11:00"}, OffHoursDelta: "-1"}},
			"spec.schedule.offHoursDelta", &internal, "", nil,
		},
		"a time zone": {
			v1alpha1.RiskModelSpec{Schedule: &v1alpha1.RiskSchedule{TimeZone: "Mars/Olympus", BusinessHours: hours, OffHoursDelta: "1"}},
			"spec.schedule.timeZone", nil, "", &internal,
		},
		"the time zone of the machine": {
			v1alpha1.RiskModelSpec{Schedule: &v1alpha1.RiskSchedule{TimeZone: "Local", BusinessHours: hours, OffHoursDelta: "1"}},
			"spec.schedule.timeZone", nil, "", &internal,
		},
		"a weekday": {
			v1alpha1.RiskModelSpec{Schedule: &v1alpha1.RiskSchedule{BusinessHours: v1alpha1.BusinessHours{Start: "08:00", End: "18:00", Days: []v1alpha1.Weekday{"Wednesday", "Caturday"}}, OffHoursDelta: "1"}},
			"spec.schedule.businessHours.days[1]: Unsupported value", nil, "", &internal,
		},
		"a time of day": {
			v1alpha1.RiskModelSpec{Schedule: &v1alpha1.RiskSchedule{BusinessHours: v1alpha1.BusinessHours{Start: "8:00", End: "24:01"}, OffHoursDelta: "1"}},
			"spec.schedule.businessHours.start", nil, "", &internal,
		},
		"hours that cross midnight": {
			v1alpha1.RiskModelSpec{Schedule: &v1alpha1.RiskSchedule{BusinessHours: v1alpha1.BusinessHours{Start: "22:00", End: "06:00"}, OffHoursDelta: "1"}},
			"spec.schedule.businessHours.end", nil, "", &internal,
		},
		"a holiday": {
			v1alpha1.RiskModelSpec{Schedule: &v1alpha1.RiskSchedule{BusinessHours: hours, Holidays: []v1alpha1.Date{"2026-02-30"}, OffHoursDelta: "1"}},
			"spec.schedule.holidays[0]", nil, "", &internal,
		},
	} {
		t.Run(name, func(t *testing.T) {
			model, message := broken(t, &c.spec)
			if !strings.Contains(message, c.path) {
				t.Errorf("error %q does not name %q", message, c.path)
			}
			if c.fails != nil {
				got := model.Assess(read(t, *c.fails), c.environment)
				field, _, _ := strings.Cut(c.path, ":")
				if got.Score < risk.FailedScore || !strings.Contains(got.Failure, field) {
					t.Errorf("what it covers scores %s, failure %q", got.Score, got.Failure)
				}
				if last := got.Factors[len(got.Factors)-1]; last.Name != "scoring-failed" || last.Note != got.Failure {
					t.Errorf("the last factor is %+v", last)
				}
				addsUp(t, got.Base, got.Factors, got.Score)
				lowered := got.Adjusted([]risk.Adjustment{{Rule: "a/b", Delta: -100}})
				if lowered.Score < risk.FailedScore {
					t.Errorf("a rule lowers a failed score to %s", lowered.Score)
				}
			}
			if c.works != nil {
				if got := model.Assess(read(t, *c.works), "sandbox"); got.Failure != "" {
					t.Errorf("what it does not cover fails: %s", got.Failure)
				} else if c.fails == nil && !got.OffHours {
					t.Error("a schedule that cannot be read has business hours")
				}
			}
		})
	}
}

func TestScoringFailedIs95(t *testing.T) {
	model, _ := broken(t, &v1alpha1.RiskModelSpec{ActionTypes: []v1alpha1.ActionTypeRisk{{Pattern: "robot", CVSSVector: "CVSS:3.1/"}}})
	got := model.Assess(read(t, action{Type: "robot", Resource: "r", Parameters: object{"data_classification": "public"}}), "sandbox")
	want := &v1alpha1.RiskStatus{
		Score: "9.5", Level: v1alpha1.RiskLevelCritical,
		Factors: []v1alpha1.RiskFactor{
			{Name: "data-classification", Value: "public", Source: "claimed", Delta: "+0.0", Note: "lowers the score by no more than confidentiality counts in the vector"},
			{Name: "environment", Value: "sandbox", Source: "agent", Delta: "+0.0"},
			{Name: "scoring-failed", Value: "9.5", Source: "model", Delta: "+9.5", Note: "spec.actionTypes[0].cvssVector of the RiskModel cannot be used"},
		},
	}
	if diff := cmp.Diff(want, got.Status()); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	// Failures of several parts are all named, once each.
	model, _ = broken(t, &v1alpha1.RiskModelSpec{
		ActionTypes:         []v1alpha1.ActionTypeRisk{{Pattern: "", CVSSVector: readVector}, {Pattern: "robot", CVSSVector: "?"}},
		DataClassifications: []v1alpha1.DataClassificationRisk{{Name: "pii", Delta: "?"}},
	})
	got = model.Assess(read(t, action{Type: "robot"}), "sandbox")
	if n := strings.Count(got.Failure, "cannot be used"); n != 3 {
		t.Errorf("%d failures in %q", n, got.Failure)
	}
	many := make([]risk.Adjustment, 100)
	for i := range many {
		many[i] = risk.Adjustment{Rule: "a/b", Delta: 100}
	}
	status := got.Adjusted(many).Status()
	if last := status.Factors[len(status.Factors)-1]; last.Name != "scoring-failed" || len(status.Factors) > 64 {
		t.Errorf("%d factors, the last is %+v", len(status.Factors), last)
	}
}

func TestAllThatIsBrokenIsReported(t *testing.T) {
	_, message := broken(t, &v1alpha1.RiskModelSpec{
		ActionTypes:  []v1alpha1.ActionTypeRisk{{Pattern: "a", CVSSVector: "?"}, {Pattern: "b", CVSSVector: "?"}},
		Environments: []v1alpha1.EnvironmentRisk{{Name: "test", Delta: "?"}},
	})
	for _, path := range []string{"spec.actionTypes[0].cvssVector", "spec.actionTypes[1].cvssVector", "spec.environments[0].delta"} {
		if !strings.Contains(message, path) {
			t.Errorf("%s is not in %q", path, message)
		}
	}
}

func TestRevision(t *testing.T) {
	builtIn, empty := compile(t, nil), compile(t, &v1alpha1.RiskModelSpec{})
	own := compile(t, corpusModel())
	if builtIn.Revision() != compile(t, nil).Revision() || own.Revision() != compile(t, corpusModel()).Revision() {
		t.Error("the same model has two revisions")
	}
	if !strings.HasPrefix(own.Revision(), "sha256:") || len(own.Revision()) != 71 {
		t.Errorf("revision %q", own.Revision())
	}
	if own.Revision() == builtIn.Revision() || own.Revision() == empty.Revision() {
		t.Error("two models have the same revision")
	}
}

func TestZeroModelFails(t *testing.T) {
	got := new(risk.Model).Assess(read(t, action{Type: "database_read"}), "sandbox")
	if got.Score < risk.FailedScore || got.Failure == "" {
		t.Errorf("score %s, failure %q", got.Score, got.Failure)
	}
}

func TestCompileLeavesTheSpecAlone(t *testing.T) {
	spec, before := corpusModel(), corpusModel()
	model := compile(t, spec)
	model.Assess(read(t, action{Type: "database_read"}), "sandbox")
	if diff := cmp.Diff(before, spec); diff != "" {
		t.Errorf("Compile changed the spec (-before +after):\n%s", diff)
	}
}
