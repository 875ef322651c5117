// SPDX-License-Identifier: Apache-2.0

package ocsf_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/ocsf"
	"github.com/ow-kai/ascend-operator/internal/trailtest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// told is a record as an event, as whoever reads the JSON has it.
func told(t *testing.T, r *audit.Record) map[string]any {
	t.Helper()
	event, err := ocsf.FromRecord(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	var decoded map[string]any
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

// The published schema, in the version that events say they follow and in a newer
// one, has nothing against any event, whatever is in its record.
func TestPublishedSchema(t *testing.T) {
	t.Parallel()
	records := append(trailtest.Day(), trailtest.Hostile()...)
	for _, event := range events(t) { // also with nothing in it
		records = append(records, audit.Record{Event: event}, audit.Record{Event: event, Journal: &audit.Journal{}, Approval: &audit.Approval{}, RiskLevel: "odd", RiskScore: "11"})
	}
	for _, version := range []string{ocsf.Version, "1.8.0"} {
		s := readSchema(t, version)
		if s.Version != version || s.Class.UID != ocsf.ClassUID {
			t.Fatalf("the test data is of class %d, version %s", s.Class.UID, s.Version)
		}
		for i := range records {
			for _, fault := range s.faults(told(t, &records[i])) {
				t.Errorf("OCSF %s, %s: %s", version, records[i].Event, fault)
			}
		}
	}
}

// The check finds what is wrong.
func TestSchemaFindsFaults(t *testing.T) {
	t.Parallel()
	s := readSchema(t, ocsf.Version)
	event := told(t, &trailtest.Day()[7])
	delete(event, "src_endpoint")
	event["severity_id"] = 7.0
	event["status"] = "Success"
	event["status_id"] = 2.0
	event["colour"] = "red"
	event["actor"] = map[string]any{}
	event["osint"] = []any{}
	want := []string{
		"actor: has none of [process user invoked_by session app_name app_uid]", "colour: is no attribute",
		"osint: is of the profile osint, which the event does not have",
		"severity_id: is 7, , and beside it stands Informational", "severity_id: is 7, which is not in the enumeration", "src_endpoint: is required",
		"status_id: is 2, Failure, and beside it stands Success",
	}
	if diff := cmp.Diff(want, s.faults(event)); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

// events are all that the code names.
func events(t *testing.T) []v1alpha1.EventType {
	t.Helper()
	var found []v1alpha1.EventType
	for _, path := range []string{"../audit/record.go", "../../api/v1alpha1/webhooksubscription_types.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !strings.HasPrefix(spec.Names[0].Name, "Event") || len(spec.Values) == 0 {
				return true
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, v1alpha1.EventType(text))
			}
			return true
		})
	}
	if len(found) < 28 {
		t.Fatalf("found only %d events: %v", len(found), found)
	}
	return found
}

// Every event that there is has a meaning of its own.
func TestEveryEventHasAMeaning(t *testing.T) {
	t.Parallel()
	for _, event := range events(t) {
		if status := told(t, &audit.Record{Event: event})["status"]; status == "Unknown" {
			t.Errorf("nothing says what %s means", event)
		}
	}
	if status := told(t, &audit.Record{Event: "action.unheard-of"})["status"]; status != "Unknown" {
		t.Errorf("an event that nobody knows has the status %v", status)
	}
}

// The Day as events.
func TestGolden(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	encoder := json.NewEncoder(&got)
	encoder.SetIndent("", " ")
	day := trailtest.Day()
	for i := range day {
		event, err := ocsf.FromRecord(&day[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := encoder.Encode(event); err != nil {
			t.Fatal(err)
		}
	}
	const path = "testdata/day.json"
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s differs (-want +got); when it is meant, write it with -update:\n%s", path, diff)
	}
}

// Nothing of a record is lost: what has a place in the schema is there, and the
// rest is unmapped.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	day := trailtest.Day()
	for i := range day {
		r := &day[i]
		text, err := json.Marshal(told(t, r))
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(trailtest.Line(r), &fields); err != nil {
			t.Fatal(err)
		}
		for name, value := range fields {
			if value == "" || name == "time" { // in milliseconds, and as it was in metadata.original_time
				continue
			}
			as, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(text, as) {
				t.Errorf("record %d, %s: nothing has %s %s", r.Sequence, r.Event, name, as)
			}
		}
	}
}
