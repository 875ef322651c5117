// SPDX-License-Identifier: Apache-2.0

package risk_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"pgregory.net/rapid"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

var (
	kinds        = []string{"database_read", "database_write", "database_delete", "financial.transfer", "email_send", "file_read", "code_execution", "custom_write", "unheard_of"}
	classes      = []string{"public", "internal", "confidential", "pii", "phi", "pci", "own"}
	environments = []string{"sandbox", "test", "development", "staging", "production"}
	resources    = []string{"customers", "orders", "product_categories", "crm/accounts", "notes", "recipes/cake"}
	deltas       = []v1alpha1.Delta{"-10.0", "-2.2", "-0.5", "0", "+0.3", "+1.0", "+2.5", "+10.0"}
	increases    = []v1alpha1.Increase{"0", "+0.4", "+1.0", "+10.0"}
	vectors      = []v1alpha1.CVSSVector{
		"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
		"CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N", "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:L/A:N",
	}
	numbers = []string{"affected_rows", "amount", "recipients"}
)

// drawModel draws a model. Some of its entries may be broken: what is promised
// holds for those models too.
func drawModel(t *rapid.T) *risk.Model {
	spec := &v1alpha1.RiskModelSpec{}
	maybeBroken := func(d v1alpha1.Delta) v1alpha1.Delta {
		if rapid.IntRange(0, 19).Draw(t, "break") == 0 {
			return "many"
		}
		return d
	}
	for range rapid.IntRange(0, 3).Draw(t, "types") {
		spec.ActionTypes = append(spec.ActionTypes, v1alpha1.ActionTypeRisk{
			Pattern:    rapid.SampledFrom([]v1alpha1.Glob{"database_read", "database_*", "*_write", "unheard_of", "*", "d*e"}).Draw(t, "pattern"),
			CVSSVector: rapid.SampledFrom(append(vectors, "CVSS:3.1/oops")).Draw(t, "vector"),
		})
	}
	for range rapid.IntRange(0, 5).Draw(t, "classes") {
		spec.DataClassifications = append(spec.DataClassifications, v1alpha1.DataClassificationRisk{
			Name:  v1alpha1.DataClassification(rapid.SampledFrom(classes).Draw(t, "class")),
			Delta: maybeBroken(rapid.SampledFrom(deltas).Draw(t, "class delta")),
		})
	}
	for range rapid.IntRange(0, 4).Draw(t, "environments") {
		spec.Environments = append(spec.Environments, v1alpha1.EnvironmentRisk{
			Name:  v1alpha1.Environment(rapid.SampledFrom(append(environments, "lab")).Draw(t, "environment")),
			Delta: maybeBroken(rapid.SampledFrom(deltas).Draw(t, "environment delta")),
		})
	}
	for range rapid.IntRange(0, 4).Draw(t, "thresholds") {
		threshold := v1alpha1.BlastRadius{
			Parameter: rapid.SampledFrom(numbers).Draw(t, "parameter"),
			Above:     rapid.Int64Range(0, 20_000).Draw(t, "above"),
			Delta:     v1alpha1.Increase(maybeBroken(v1alpha1.Delta(rapid.SampledFrom(increases).Draw(t, "increase")))),
		}
		if rapid.Bool().Draw(t, "some types") {
			threshold.ActionTypes = []v1alpha1.Glob{rapid.SampledFrom([]v1alpha1.Glob{"database*", "*_write", "*"}).Draw(t, "glob")}
		}
		spec.BlastRadius = append(spec.BlastRadius, threshold)
	}
	for range rapid.IntRange(0, 3).Draw(t, "catalog") {
		spec.Catalog = append(spec.Catalog, v1alpha1.CatalogEntry{
			Resources:          []v1alpha1.Glob{rapid.SampledFrom([]v1alpha1.Glob{"customers*", "*", "c*", "notes", "product_*"}).Draw(t, "resources")},
			DataClassification: v1alpha1.DataClassification(rapid.SampledFrom(append(classes, "unheard")).Draw(t, "catalogued")),
		})
	}
	model, _ := risk.Compile(spec) // broken or not
	return model
}

// honest draws an action that says of itself what there is to say.
func honest(t *rapid.T) action {
	a := action{Type: rapid.SampledFrom(kinds).Draw(t, "kind"), Parameters: object{}, Context: object{}}
	if rapid.Bool().Draw(t, "resource") {
		a.Resource = rapid.SampledFrom(resources).Draw(t, "spec.resource")
	}
	for _, key := range []string{"table", "path"} {
		if rapid.Bool().Draw(t, key) {
			a.Parameters[key] = rapid.SampledFrom(resources).Draw(t, key)
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "classified") > 0 {
		a.Parameters["data_classification"] = rapid.SampledFrom(classes).Draw(t, "classification")
	}
	for _, key := range numbers {
		a.Parameters[key] = rapid.Int64Range(0, 200_000).Draw(t, key)
	}
	if rapid.Bool().Draw(t, "environment claimed") {
		a.Parameters["environment"] = rapid.SampledFrom(environments).Draw(t, "environment")
	}
	return a
}

// noWord are values that are no classification and no environment of any
// model, noNumber such that are no number.
var (
	noWord = []any{
		nil, true, 1, -1.5, "", "   ", "pub lic", "p\u0456i", "sandb\u043ex", "public\u200b", "public\x00", "PUBLIC!", []any{"public"},
		[]any{}, object{"value": "public"}, "public,internal", "none", "\ufeffpublic", string(make([]byte, 100)),
	}
	noNumber = []any{nil, true, "1", "0", "", -5, -0.1, -1e308, "NaN", []any{1}, []any{}, object{"value": 1}, "1e3", "1"}
	noName   = []any{
		nil, 7, true, "", " ", []any{}, []any{1}, []any{nil}, []any{"notes", object{}}, object{"name": "notes"}, []any{[]any{"notes"}},
		"*", "notes*", "../customers", "a/./b", "a//b", "customers\u200b", "\u0441ustomers", "c\u00adustomers", "\\customers", "%63ustomers", "notes?",
	}
)

// garble spoils one claim of an action: it makes it unreadable, or leaves it
// out where that says less than before. What is not garbling but lying is left
// alone: another word, another number, another name; leaving out one name of
// several, a classification above the catalog's, or an environment above the
// Agent's. Nobody can know that something else was meant.
func garble(t *rapid.T, a action) action {
	out := action{Type: a.Type, Resource: a.Resource, Parameters: maps.Clone(a.Parameters), Context: maps.Clone(a.Context)}
	switch rapid.IntRange(0, 6).Draw(t, "garble") {
	case 0:
		out.Parameters["data_classification"] = rapid.SampledFrom(noWord).Draw(t, "no word")
	case 1:
		spelling := rapid.SampledFrom([]string{"dataClassification", "Data_Classification", "data-classification", "data_classification "}).Draw(t, "spelling")
		out.Parameters[spelling] = "public"
	case 2:
		key := rapid.SampledFrom(numbers).Draw(t, "number")
		out.Parameters[key] = rapid.SampledFrom(noNumber).Draw(t, "no number")
	case 3:
		key := rapid.SampledFrom(numbers).Draw(t, "number")
		if rapid.Bool().Draw(t, "misspelt") {
			out.Parameters["_"+key] = 0
		} else {
			delete(out.Parameters, key)
		}
	case 4:
		// A claim where there was none, too: it can only raise.
		from := rapid.SampledFrom([]object{out.Parameters, out.Context}).Draw(t, "from")
		from["environment"] = rapid.SampledFrom(noWord).Draw(t, "no word")
	case 5:
		key := rapid.SampledFrom([]string{"table", "resource", "path", "url", "Table", "paths"}).Draw(t, "place")
		out.Parameters[key] = rapid.SampledFrom(noName).Draw(t, "no name")
	case 6:
		out.Resource = ""
		delete(out.Parameters, "table")
		delete(out.Parameters, "path")
	}
	return out
}

// readIn reads an action inside of a property.
func readIn(t *rapid.T, a action) *request.Request {
	stored := &v1alpha1.AgentAction{
		ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(submitted)},
		Spec:       v1alpha1.AgentActionSpec{ActionType: a.Type, Resource: a.Resource},
	}
	for value, to := range map[*object]**runtime.RawExtension{&a.Parameters: &stored.Spec.Parameters, &a.Context: &stored.Spec.Context} {
		text, err := json.Marshal(*value)
		if err != nil {
			t.Fatalf("marshal: %v", err)
		}
		*to = &runtime.RawExtension{Raw: text}
	}
	req, err := request.Read(stored, v1alpha1.Requester{}, nil)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return req
}

func TestGarbledClaimsNeverScoreLower(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		model := drawModel(t)
		environment := rapid.SampledFrom(append(environments, "", "lab", "moon")).Draw(t, "agent's environment")
		before := honest(t)
		after := before
		for range rapid.IntRange(1, 4).Draw(t, "times") {
			after = garble(t, after)
		}
		was := model.Assess(readIn(t, before), environment)
		is := model.Assess(readIn(t, after), environment)
		if is.Score < was.Score {
			t.Fatalf("%+v scores %s, garbled as %+v only %s\nwas %+v\nis  %+v", before, was.Score, after, is.Score, was.Factors, is.Factors)
		}
		if was.Failure != "" && is.Failure == "" {
			t.Fatalf("garbling hides a failure: %s", was.Failure)
		}
		// What restricts still covers it.
		if !is.ClassificationUnknown && !subset(was.Classifications, is.Classifications) {
			t.Fatalf("classifications %v became %v", was.Classifications, is.Classifications)
		}
		if was.ClassificationUnknown && !is.ClassificationUnknown {
			t.Fatalf("the classification was unknown and became %v", is.Classifications)
		}
		if !subset(was.Environments, is.Environments) {
			t.Fatalf("environments %v became %v", was.Environments, is.Environments)
		}
	})
}

func subset(small, large []string) bool {
	return !slices.ContainsFunc(small, func(s string) bool { return !slices.Contains(large, s) })
}

// A left-out classification is the worst, or what the catalog says of everything.
func TestLeavingOutTheClassificationNeverScoresLowerThanTheCatalog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		model := drawModel(t)
		before := honest(t)
		after := action{Type: before.Type, Resource: before.Resource, Parameters: maps.Clone(before.Parameters)}
		delete(after.Parameters, "data_classification")
		was := model.Assess(readIn(t, before), "staging")
		is := model.Assess(readIn(t, after), "staging")
		for _, f := range is.Factors {
			if f.Name == "data-classification" && f.Source == v1alpha1.SourceCatalog {
				return
			}
		}
		if is.Score < was.Score || !is.ClassificationUnknown {
			t.Fatalf("%+v scores %s, and %s without its classification", before, was.Score, is.Score)
		}
	})
}

func TestScoreIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		model := drawModel(t)
		a := honest(t)
		agents := rapid.SampledFrom(environments).Draw(t, "agent's environment")
		assess := func(key string, value any, environment string) *risk.Assessment {
			b := a
			if key != "" {
				b.Parameters = maps.Clone(a.Parameters)
				b.Parameters[key] = value
			}
			return model.Assess(readIn(t, b), environment)
		}
		// In rows, in money, in recipients.
		key := rapid.SampledFrom(numbers).Draw(t, "number")
		low := rapid.Float64Range(0, 300_000).Draw(t, "low")
		high := rapid.Float64Range(low, 1e300).Draw(t, "high")
		if l, h := assess(key, low, agents), assess(key, high, agents); h.Score < l.Score {
			t.Fatalf("%s %g scores %s, %g %s", key, low, l.Score, high, h.Score)
		}
		// Towards production, for the agent's and for the claimed one.
		i := rapid.IntRange(0, len(environments)-2).Draw(t, "environment")
		near, far := environments[i+1], environments[i]
		if f, n := assess("", nil, far), assess("", nil, near); n.Score < f.Score {
			t.Fatalf("%s scores %s, %s %s", far, f.Score, near, n.Score)
		}
		if f, n := assess("environment", far, agents), assess("environment", near, agents); n.Score < f.Score {
			t.Fatalf("claimed %s scores %s, %s %s", far, f.Score, near, n.Score)
		}
		// In sensitivity: by what each adds to an action that has nothing else to add.
		c, d := rapid.SampledFrom(classes).Draw(t, "class"), rapid.SampledFrom(classes).Draw(t, "other class")
		probe := func(class string) risk.Score {
			p := action{Type: "file_read", Resource: "zzz", Parameters: object{"data_classification": class}}
			return model.Assess(readIn(t, p), "sandbox").Score
		}
		if probe(c) < probe(d) && assess("data_classification", c, agents).Score > assess("data_classification", d, agents).Score {
			t.Fatalf("%s is less sensitive than %s, but scores higher", c, d)
		}
		if unknown := assess("data_classification", "no such word", agents); unknown.Score < assess("data_classification", c, agents).Score {
			t.Fatalf("an unknown classification scores %s, less than %s", unknown.Score, c)
		}
	})
}

func TestBaseAndFactorsMakeTheScore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		model := drawModel(t)
		got := model.Assess(readIn(t, honest(t)), rapid.SampledFrom(environments).Draw(t, "environment"))
		addsUp(t, got.Base, got.Factors, got.Score)
		var adjustments []risk.Adjustment
		for range rapid.IntRange(0, 200).Draw(t, "rules") {
			adjustments = append(adjustments, risk.Adjustment{
				Rule:  rapid.SampledFrom([]string{"a/a", "a/b", "b/a"}).Draw(t, "rule"),
				Delta: risk.Delta(rapid.IntRange(-120, 120).Draw(t, "delta")),
			})
		}
		before, _ := json.Marshal(got)
		adjusted := got.Adjusted(adjustments)
		addsUp(t, adjusted.Base, adjusted.Factors, adjusted.Score)
		if got.Failure != "" && adjusted.Score < risk.FailedScore {
			t.Fatalf("scoring failed, and the score is %s", adjusted.Score)
		}
		if after, _ := json.Marshal(got); !bytes.Equal(before, after) {
			t.Fatalf("Adjusted changed its receiver:\n%s\n%s", before, after)
		}
		shuffled := rapid.Permutation(adjustments).Draw(t, "shuffled")
		if diff := cmp.Diff(adjusted.Status(), got.Adjusted(shuffled).Status()); diff != "" {
			t.Fatalf("the order of adjustments matters:\n%s", diff)
		}
		status := adjusted.Status()
		if len(status.Factors) > 64 {
			t.Fatalf("%d factors in the status", len(status.Factors))
		}
		addsUp(t, adjusted.Base, status.Factors, adjusted.Score)
	})
}

func TestAssessIsDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := garble(t, honest(t))
		var first []byte
		for range 4 {
			model, err := risk.Compile(corpusModel())
			if err != nil {
				t.Fatalf("compile: %v", err)
			}
			got, err := json.Marshal(model.Assess(readIn(t, a), "staging"))
			if err != nil {
				t.Fatalf("marshal: %v", err)
			}
			if first == nil {
				first = got
			}
			if !bytes.Equal(got, first) {
				t.Fatalf("one action, two assessments:\n%s\n%s", first, got)
			}
		}
	})
}
