// SPDX-License-Identifier: Apache-2.0

package risk_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests have to know Europe/Berlin wherever they run

	"github.com/google/go-cmp/cmp"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// The model of these tests: customers hold pii, prices internal data, and of
// moon nobody knows what the word of the catalog means.
func catalogModel() *v1alpha1.RiskModelSpec {
	return &v1alpha1.RiskModelSpec{Catalog: []v1alpha1.CatalogEntry{
		{Resources: []v1alpha1.Glob{"customers*"}, DataClassification: "PII "},
		{Resources: []v1alpha1.Glob{"prices", "price_list"}, DataClassification: "internal"},
		{Resources: []v1alpha1.Glob{"brochures*"}, DataClassification: "public"},
		{Resources: []v1alpha1.Glob{"moon"}, DataClassification: "lunar"},
		{Resources: []v1alpha1.Glob{"mixed"}, DataClassification: "phi"},
		{Resources: []v1alpha1.Glob{"mixed"}, DataClassification: "pci"},
	}}
}

func TestDataClassification(t *testing.T) {
	for name, c := range map[string]struct {
		parameters object
		want       v1alpha1.RiskFactor // without its name
		words      []string
		unknown    bool
	}{
		"a claim that nothing speaks against": {
			object{"table": "notes", "data_classification": "public"},
			v1alpha1.RiskFactor{Value: "public", Source: "claimed", Delta: "-2.2"},
			[]string{"public"}, false,
		},
		"another case and spaces around are the same word": {
			object{"table": "notes", "data_classification": " PUBLIC\t"},
			v1alpha1.RiskFactor{Value: "public", Source: "claimed", Delta: "-2.2"},
			[]string{"public"}, false,
		},
		"the catalog beats a laxer claim": {
			object{"table": "Customers_2024", "data_classification": "public"},
			v1alpha1.RiskFactor{Value: "pii", Source: "catalog", Delta: "+1.0", Note: "claimed public; the catalog says pii"},
			[]string{"pii", "public"}, false,
		},
		"a stricter claim beats the catalog": {
			object{"table": "prices", "data_classification": "phi"},
			v1alpha1.RiskFactor{Value: "phi", Source: "claimed", Delta: "+1.5"},
			[]string{"internal", "phi"}, false,
		},
		"the catalog and the claim agree": {
			object{"table": "prices", "data_classification": "internal"},
			v1alpha1.RiskFactor{Value: "internal", Source: "catalog", Delta: "+0.5"},
			[]string{"internal"}, false,
		},
		"equally sensitive, but not the same": {
			object{"table": "mixed", "data_classification": "phi"},
			v1alpha1.RiskFactor{Value: "phi", Source: "claimed", Delta: "+1.5"},
			[]string{"pci", "phi"}, false,
		},
		"no claim, and the catalog covers every resource": {
			object{"table": "prices", "path": "price_list"},
			v1alpha1.RiskFactor{Value: "internal", Source: "catalog", Delta: "+0.5"},
			[]string{"internal"}, false,
		},
		"of several catalogued the most sensitive counts, of equals the first by name": {
			object{"table": []any{"prices", "mixed", "customers"}},
			v1alpha1.RiskFactor{Value: "pci", Source: "catalog", Delta: "+1.5"},
			[]string{"internal", "pci", "phi", "pii"}, false,
		},
		"no claim, and the catalog covers some": {
			object{"table": "prices", "path": "elsewhere"},
			v1alpha1.RiskFactor{
				Value: "unknown", Source: "model", Delta: "+1.5",
				Note: "no data_classification is claimed, and the catalog does not cover every resource; scored as the most sensitive",
			},
			[]string{"internal"}, true,
		},
		"a word of the catalog that the model does not have": {
			object{"table": "moon", "data_classification": "public"},
			v1alpha1.RiskFactor{Value: "lunar", Source: "catalog", Delta: "+1.5", Note: "claimed public; the catalog says lunar"},
			[]string{"lunar", "public"}, false,
		},
		"a claimed word that the model does not have": {
			object{"table": "moon", "data_classification": "lunar"},
			v1alpha1.RiskFactor{
				Value: "unknown", Source: "claimed", Delta: "+1.5",
				Note: `claimed "lunar", which is no classification of the model; scored as the most sensitive`,
			},
			[]string{"lunar"}, true,
		},
		"a homoglyph is written so that it shows": {
			object{"table": "notes", "data_classification": "p\u0456i"},
			v1alpha1.RiskFactor{
				Value: "unknown", Source: "claimed", Delta: "+1.5",
				Note: `claimed "p\u0456i", which is no classification of the model; scored as the most sensitive`,
			},
			[]string{"p\u0456i"}, true,
		},
		"a claim that is no word": {
			object{"table": "notes", "data_classification": object{"value": "public"}},
			v1alpha1.RiskFactor{
				Value: "unknown", Source: "claimed", Delta: "+1.5",
				Note: "the claimed data_classification cannot be read; scored as the most sensitive",
			},
			nil, true,
		},
		"a resource that is unknown beside one that is catalogued": {
			object{"table": []any{"brochures", 7}},
			v1alpha1.RiskFactor{
				Value: "unknown", Source: "model", Delta: "+1.5",
				Note: "no data_classification is claimed, and the catalog does not cover every resource; scored as the most sensitive",
			},
			[]string{"internal", "lunar", "pci", "phi", "pii", "public"}, true,
		},
		"no resource: any of the catalog's may be meant": {
			object{"data_classification": "public"},
			v1alpha1.RiskFactor{Value: "lunar", Source: "catalog", Delta: "+1.5", Note: "claimed public; the catalog says lunar"},
			[]string{"internal", "lunar", "pci", "phi", "pii", "public"}, false,
		},
		"a harmless resource beside a harmful table": {
			object{"resource": "brochures", "table": []any{"a", "customers"}, "data_classification": "public"},
			v1alpha1.RiskFactor{Value: "pii", Source: "catalog", Delta: "+1.0", Note: "claimed public; the catalog says pii"},
			[]string{"pii", "public"}, false,
		},
		"several tables in one text": {
			object{"table": "brochures, customers c", "data_classification": "public"},
			v1alpha1.RiskFactor{Value: "pii", Source: "catalog", Delta: "+1.0", Note: "claimed public; the catalog says pii"},
			[]string{"pii", "public"}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := compile(t, catalogModel()).Assess(read(t, action{Type: "database_read", Parameters: c.parameters}), "sandbox")
			c.want.Name = "data-classification"
			if diff := cmp.Diff(c.want, factor(t, got, "data-classification")); diff != "" {
				t.Errorf("factor (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.words, got.Classifications); diff != "" {
				t.Errorf("classifications (-want +got):\n%s", diff)
			}
			if got.ClassificationUnknown != c.unknown {
				t.Errorf("unknown %t, want %t", got.ClassificationUnknown, c.unknown)
			}
			addsUp(t, got.Base, got.Factors, got.Score)
		})
	}
}

func TestPublicLowersOnlyWhatConfidentialityIsWorth(t *testing.T) {
	model := compile(t, nil)
	for kind, want := range map[string]v1alpha1.Delta{
		"database_read":   "-2.2", // C:L alone: all of 4.3
		"database_write":  "-1.1", // 5.4, and 4.3 without C:L
		"database_delete": "+0.0", // nothing is disclosed
		"unheard_of":      "-0.7", // 8.8, and 8.1 without C:H
	} {
		a := action{Type: kind, Parameters: object{"table": "t", "affected_rows": 1, "data_classification": "public"}}
		if got := factor(t, model.Assess(read(t, a), "sandbox"), "data-classification"); got.Delta != want {
			t.Errorf("%s: public adds %s, want %s", kind, got.Delta, want)
		}
	}
	// Without a catalog and without a resource nothing is lowered at all.
	got := factor(t, model.Assess(read(t, action{Type: "database_read", Parameters: object{"data_classification": "public"}}), "sandbox"), "data-classification")
	if got.Delta != "+0.0" || got.Note != "what it acts on is unknown, so it lowers nothing" {
		t.Errorf("public without a resource: %+v", got)
	}
}

func TestEnvironment(t *testing.T) {
	own := &v1alpha1.RiskModelSpec{Environments: []v1alpha1.EnvironmentRisk{
		{Name: "Lab", Delta: "-0.5"}, {Name: "staging", Delta: "-1.0"},
	}}
	all := []string{"", "development", "lab", "production", "sandbox", "staging", "test"}
	for name, c := range map[string]struct {
		agents              string
		parameters, context object
		want                v1alpha1.RiskFactor
		environments        []string
	}{
		"the agent's": {
			"staging", nil, nil,
			v1alpha1.RiskFactor{Value: "staging", Source: "agent", Delta: "+0.2"}, // never below development
			[]string{"staging"},
		},
		"one of the model's own": {
			"lab", nil, nil, v1alpha1.RiskFactor{Value: "lab", Source: "agent", Delta: "-0.5"}, []string{"lab"},
		},
		"a claim that scores lower changes nothing": {
			"staging", object{"environment": "lab"}, nil,
			v1alpha1.RiskFactor{Value: "staging", Source: "agent", Delta: "+0.2"},
			[]string{"lab", "staging"},
		},
		"a claim that scores higher counts": {
			"sandbox", nil, object{"environment": "Production"},
			v1alpha1.RiskFactor{Value: "production", Source: "claimed", Delta: "+1.0", Note: "the Agent's is sandbox"},
			[]string{"production", "sandbox"},
		},
		"of two claims the higher counts": {
			"sandbox", object{"environment": "production"}, object{"environment": "test"},
			v1alpha1.RiskFactor{Value: "production", Source: "claimed", Delta: "+1.0", Note: "the Agent's is sandbox"},
			[]string{"production", "sandbox", "test"},
		},
		"a claim that cannot be read may be any": {
			"sandbox", object{"environment": []any{"sandbox"}}, nil,
			v1alpha1.RiskFactor{
				Value: "unknown", Source: "claimed", Delta: "+1.0",
				Note: "the claimed environment is missing or cannot be read; scored as the most dangerous",
			},
			all,
		},
		"a claim that nobody knows may be any": {
			"sandbox", object{"environment": "prd\u202e"}, nil,
			v1alpha1.RiskFactor{
				Value: "unknown", Source: "claimed", Delta: "+1.0",
				Note: `the claimed environment "prd\u202e" is not known; scored as the most dangerous`,
			},
			append(append([]string{}, all[:3]...), "prd\u202e", "production", "sandbox", "staging", "test"),
		},
		"an agent in an environment that nobody knows": {
			"prd", nil, nil,
			v1alpha1.RiskFactor{
				Value: "unknown", Source: "agent", Delta: "+1.0",
				Note: `the Agent's environment "prd" is not known; scored as the most dangerous`,
			},
			[]string{"prd", "production"},
		},
		"an agent without an environment": {
			"", object{"environment": "test"}, nil,
			v1alpha1.RiskFactor{
				Value: "unknown", Source: "agent", Delta: "+1.0",
				Note: "the Agent's environment is missing or cannot be read; scored as the most dangerous",
			},
			[]string{"production", "test"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := action{Type: "database_read", Parameters: c.parameters, Context: c.context}
			got := compile(t, own).Assess(read(t, a), c.agents)
			c.want.Name = "environment"
			if diff := cmp.Diff(c.want, factor(t, got, "environment")); diff != "" {
				t.Errorf("factor (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.environments, got.Environments); diff != "" {
				t.Errorf("environments (-want +got):\n%s", diff)
			}
		})
	}
	// A Request made by hand may hold a claim that is none.
	req := read(t, action{Type: "database_read"})
	req.Environments = []request.Claim{{}}
	if got := compile(t, own).Assess(req, "sandbox"); cmp.Diff([]string{"sandbox"}, got.Environments) != "" {
		t.Errorf("environments %v", got.Environments)
	}
}

func TestBlastRadius(t *testing.T) {
	own := &v1alpha1.RiskModelSpec{BlastRadius: []v1alpha1.BlastRadius{
		{Parameter: "hosts", Above: 0, Delta: "+0.3"},
		{Parameter: "hosts", Above: 10, Delta: "+1.3", ActionTypes: []v1alpha1.Glob{"deploy*"}},
		{Parameter: "affected_rows", Above: 5, Delta: "2"},
		{Parameter: "ports", Above: 10, Delta: "1.1", ActionTypes: []v1alpha1.Glob{"scan"}},
		{Parameter: "ports", Above: 0, Delta: "0.1", ActionTypes: []v1alpha1.Glob{"scan"}},
		{Parameter: "huge", Above: 1<<63 - 1, Delta: "1", ActionTypes: []v1alpha1.Glob{"huge"}},
	}}
	for name, c := range map[string]struct {
		kind       string
		parameters object
		want       map[string]v1alpha1.Delta
		note       string
	}{
		"below every threshold":             {"restart", object{"hosts": 0, "affected_rows": 5}, nil, ""},
		"for all types":                     {"restart", object{"hosts": 1, "affected_rows": 0}, map[string]v1alpha1.Delta{"hosts=1": "+0.3"}, ""},
		"the larger one is for other types": {"restart", object{"hosts": 11, "affected_rows": 0}, map[string]v1alpha1.Delta{"hosts=11": "+0.3"}, ""},
		"the largest that is exceeded": {
			"deploy_all", object{"hosts": 11, "affected_rows": 0},
			map[string]v1alpha1.Delta{"hosts=11": "+1.3"}, "",
		},
		"the largest, whatever their order": {
			"scan", object{"ports": 11, "hosts": 0, "affected_rows": 0},
			map[string]v1alpha1.Delta{"ports=11": "+1.1"}, "",
		},
		"parameters add up, by name": {
			"deploy_all", object{"hosts": 10.5, "affected_rows": 6},
			map[string]v1alpha1.Delta{"affected_rows=6": "+2.0", "hosts=10.5": "+1.3"}, "",
		},
		"the model's replace the built-in for the parameter": {
			"database_write", object{"hosts": 0, "affected_rows": 1}, nil, "",
		},
		"missing": {
			"deploy_all", object{"affected_rows": 0},
			map[string]v1alpha1.Delta{"hosts=unknown": "+1.3"}, "parameters.hosts is missing; scored as above every threshold",
		},
		"in two spellings": {
			"deploy_all", object{"hosts": 0, "Hosts": 3, "affected_rows": 0},
			map[string]v1alpha1.Delta{"hosts=unknown": "+1.3"}, "parameters.hosts is given twice, in different spellings; scored as above every threshold",
		},
		"text": {
			"deploy_all", object{"hosts": "1", "affected_rows": 0},
			map[string]v1alpha1.Delta{"hosts=unknown": "+1.3"}, "parameters.hosts is not a number; scored as above every threshold",
		},
		"negative": {
			"deploy_all", object{"hosts": -5, "affected_rows": 0},
			map[string]v1alpha1.Delta{"hosts=unknown": "+1.3"}, "parameters.hosts is negative; scored as above every threshold",
		},
		"an array": {
			"deploy_all", object{"hosts": []any{"a"}, "affected_rows": 0},
			map[string]v1alpha1.Delta{"hosts=unknown": "+1.3"}, "parameters.hosts is not a number; scored as above every threshold",
		},
		"beyond every whole number": {
			"huge", object{"hosts": 0, "affected_rows": 0, "huge": 1e19},
			map[string]v1alpha1.Delta{"huge=1e+19": "+1.0"}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := compile(t, own).Assess(read(t, action{Type: c.kind, Parameters: c.parameters}), "sandbox")
			found := map[string]v1alpha1.Delta{}
			for _, f := range got.Factors {
				if f.Name != "blast-radius" {
					continue
				}
				found[f.Value] = f.Delta
				if c.note != f.Note {
					t.Errorf("note %q, want %q", f.Note, c.note)
				}
			}
			if len(found) == 0 {
				found = nil
			}
			if diff := cmp.Diff(c.want, found); diff != "" {
				t.Errorf("factors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNumbersThatJSONCannotWrite(t *testing.T) {
	model := compile(t, nil)
	req := read(t, action{Type: "database_delete", Parameters: object{"data_classification": "internal", "table": "t"}})
	zero := 0.0
	for name, number := range map[string]any{
		"not a number": zero / zero, "infinite": 1 / zero, "minus infinite": -1 / zero, "another type": 3, "of JSON": "3",
	} {
		req.Parameters["affected_rows"] = number
		if got := factor(t, model.Assess(req, "sandbox"), "blast-radius"); got.Delta != "+2.4" {
			t.Errorf("%s adds %s", name, got.Delta)
		}
	}
}

func TestSchedule(t *testing.T) {
	berlin := &v1alpha1.RiskSchedule{
		TimeZone: "Europe/Berlin", OffHoursDelta: "+1.0", Holidays: []v1alpha1.Date{"2026-12-25"},
		BusinessHours: v1alpha1.BusinessHours{Start: "08:00", End: "18:00"},
	}
	weekend := &v1alpha1.RiskSchedule{
		OffHoursDelta: "+0.5",
		BusinessHours: v1alpha1.BusinessHours{Start: "00:00", End: "24:00", Days: []v1alpha1.Weekday{"Saturday", "Sunday"}},
	}
	at := func(text string) time.Time {
		when, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for name, c := range map[string]struct {
		schedule *v1alpha1.RiskSchedule
		at       time.Time
		off      string
	}{
		"the first minute, in winter":        {berlin, at("2026-01-14T07:00:00Z"), ""},
		"the minute before it":               {berlin, at("2026-01-14T06:59:59Z"), "Wednesday 07:59 CET"},
		"the first minute, in summer":        {berlin, at("2026-07-15T06:00:00Z"), ""},
		"the last minute, in summer":         {berlin, at("2026-07-15T15:59:59Z"), ""},
		"the minute after it":                {berlin, at("2026-07-15T16:00:00Z"), "Wednesday 18:00 CEST"},
		"a Saturday":                         {berlin, at("2026-07-18T10:00:00Z"), "Saturday 12:00 CEST"},
		"already Saturday there":             {berlin, at("2026-07-17T22:30:00Z"), "Saturday 00:30 CEST"},
		"a holiday":                          {berlin, at("2026-12-25T10:00:00Z"), "holiday 2026-12-25"},
		"the zone of the time is irrelevant": {berlin, at("2026-07-15T22:00:00+14:00"), ""},
		"who works at the weekend, all day":  {weekend, at("2026-07-18T23:59:59Z"), ""},
		"rests on Mondays":                   {weekend, at("2026-07-20T00:00:00Z"), "Monday 00:00 UTC"},
		"a time that is not known":           {berlin, time.Time{}, "the time of submission is unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			req := readAt(t, action{Type: "database_read"}, c.at)
			req.SubmittedAt = c.at
			got := compile(t, &v1alpha1.RiskModelSpec{Schedule: c.schedule}).Assess(req, "sandbox")
			if got.OffHours != (c.off != "") {
				t.Fatalf("off hours %t, want %q", got.OffHours, c.off)
			}
			if c.off == "" {
				return
			}
			want := v1alpha1.RiskFactor{
				Name: "off-hours", Value: c.off, Source: v1alpha1.SourceModel,
				Delta: "+" + v1alpha1.Delta(strings.TrimPrefix(string(c.schedule.OffHoursDelta), "+")),
			}
			if diff := cmp.Diff(want, factor(t, got, "off-hours")); diff != "" {
				t.Errorf("factor (-want +got):\n%s", diff)
			}
		})
	}
	if got := compile(t, nil).Assess(read(t, action{Type: "database_read"}), "sandbox"); got.OffHours {
		t.Error("without a schedule there are no off hours")
	}
}

func TestTheMostSpecificPatternCounts(t *testing.T) {
	const none, low, high = "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N", "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"
	spec := &v1alpha1.RiskModelSpec{ActionTypes: []v1alpha1.ActionTypeRisk{
		{Pattern: "robot_*", CVSSVector: low},
		{Pattern: "robot_arm_*", CVSSVector: high},
		{Pattern: "robot_arm_wave", CVSSVector: none},
		{Pattern: "a*b", CVSSVector: low}, {Pattern: "*ab", CVSSVector: high},
		{Pattern: "database_*", CVSSVector: none},
		{Pattern: "Database_Read", CVSSVector: high},
		{Pattern: "*", CVSSVector: none},
	}}
	model := compile(t, spec)
	for kind, want := range map[string]string{
		"robot_leg":       "4.3",
		"robot_arm_throw": "10.0",
		"robot_arm_wave":  "0.0",
		"aab":             "10.0", // equally specific: the more dangerous
		"database_read":   "10.0", // the model's before the built-in
		"database_delete": "8.1",  // an exact one, built in, before a glob
		"database_foo":    "0.0",
		"unheard_of":      "0.0", // the model's own catch-all
	} {
		if got := model.Assess(read(t, action{Type: kind}), "sandbox"); got.Base.String() != want {
			t.Errorf("%s has base %s, want %s", kind, got.Base, want)
		}
	}
}

func TestTheModelsPatternBeforeAnEquallySpecificBuiltInOne(t *testing.T) {
	model := compile(t, &v1alpha1.RiskModelSpec{ActionTypes: []v1alpha1.ActionTypeRisk{{Pattern: "?*", CVSSVector: readVector}}})
	if got := model.Assess(read(t, action{Type: "unheard_of"}), "sandbox"); got.Base.String() != "4.3" {
		t.Errorf("base %s, want the model's 4.3", got.Base)
	}
}

func TestStatus(t *testing.T) {
	model := compile(t, nil)
	got := model.Assess(read(t, action{Type: "database_read", Parameters: object{"table": "t", "data_classification": "pii"}}), "sandbox")
	want := &v1alpha1.RiskStatus{
		Score: "5.3", Level: v1alpha1.RiskLevelMedium, CVSSVector: "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N", CVSSBaseScore: "4.3",
		Factors: []v1alpha1.RiskFactor{
			{Name: "data-classification", Value: "pii", Source: "claimed", Delta: "+1.0"},
			{Name: "environment", Value: "sandbox", Source: "agent", Delta: "+0.0"},
		},
	}
	if diff := cmp.Diff(want, got.Status()); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	got.Status().Factors[0].Delta = "+9.9"
	if got.Factors[0].Delta == "+9.9" {
		t.Error("the status shares its factors with the assessment")
	}

	many := make([]risk.Adjustment, 100)
	for i := range many {
		many[i] = risk.Adjustment{Rule: fmt.Sprintf("team/rule-%03d", i), Delta: risk.Delta(i - 30), Note: strings.Repeat("é", 600)}
	}
	adjusted := got.Adjusted(many)
	status := adjusted.Status()
	if len(status.Factors) != 64 || status.Factors[0].Name != "rule" {
		t.Errorf("%d factors, the first is %s", len(status.Factors), status.Factors[0].Name)
	}
	if last := status.Factors[63]; last.Name != "others" {
		t.Errorf("the last factor is %+v", last)
	}
	for _, f := range status.Factors {
		if f.Name == "environment" || f.Value == "team/rule-030" {
			t.Errorf("%s %s is among the largest", f.Name, f.Value)
		}
	}
	addsUp(t, adjusted.Base, status.Factors, adjusted.Score)
}

func TestAdjusted(t *testing.T) {
	model := compile(t, nil)
	got := model.Assess(read(t, action{Type: "database_read", Parameters: object{"table": "t", "data_classification": "pii"}}), "sandbox")
	for name, c := range map[string]struct {
		deltas []risk.Delta
		score  string
		clamps int
	}{
		"nothing":                 {nil, "5.3", 0},
		"one":                     {[]risk.Delta{15}, "6.8", 0},
		"clamped once at the end": {[]risk.Delta{90, -80}, "6.3", 0},
		"above":                   {[]risk.Delta{90}, "10.0", 1},
		"far above":               {[]risk.Delta{100, 100, 100}, "10.0", 3},
		"below":                   {[]risk.Delta{-100}, "0.0", 1},
		"no more than a delta":    {[]risk.Delta{-3000, 100}, "5.3", 0},
	} {
		t.Run(name, func(t *testing.T) {
			var adjustments []risk.Adjustment
			for _, d := range c.deltas {
				adjustments = append(adjustments, risk.Adjustment{Rule: "team/r", Delta: d, Note: "n"})
			}
			adjusted := got.Adjusted(adjustments)
			if adjusted.Score.String() != c.score {
				t.Errorf("score %s, want %s", adjusted.Score, c.score)
			}
			if clamps := len(adjusted.Factors) - len(got.Factors) - len(c.deltas); clamps != c.clamps {
				t.Errorf("%d clamps, want %d", clamps, c.clamps)
			}
			addsUp(t, adjusted.Base, adjusted.Factors, adjusted.Score)
		})
	}
	twice := got.Adjusted([]risk.Adjustment{{Rule: "a/a", Delta: 90}}).Adjusted([]risk.Adjustment{{Rule: "b/b", Delta: -90}})
	if twice.Score != got.Score {
		t.Errorf("up and down again is %s, not %s", twice.Score, got.Score)
	}
}
