// SPDX-License-Identifier: Apache-2.0

package schema_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/trail/schema"
	"github.com/ow-kai/ascend-operator/internal/trail/schema/schematest"
	"github.com/ow-kai/ascend-operator/internal/trailtest"
)

type object = map[string]any

// in is a part of a document, as what it has to be.
func in[T any](t *testing.T, of object, name string) T {
	t.Helper()
	part, is := of[name].(T)
	if !is {
		t.Fatalf("%s is %T", name, of[name])
	}
	return part
}

func document(t *testing.T) object {
	t.Helper()
	var root object
	if err := json.Unmarshal(schema.Text, &root); err != nil {
		t.Fatal(err)
	}
	return root
}

// resolved is the schema that a reference leads to.
func resolved(t *testing.T, root, node object) object {
	t.Helper()
	if ref, is := node["$ref"].(string); is {
		return in[object](t, in[object](t, root, "$defs"), strings.TrimPrefix(ref, "#/$defs/"))
	}
	return node
}

// Every field of a record is described, and every field that is described is one.
func TestEveryFieldIsDescribed(t *testing.T) {
	root := document(t)
	seen := map[string]bool{}
	var walk func(path string, of reflect.Type, node object)
	walk = func(path string, of reflect.Type, node object) {
		described, _ := node["properties"].(object)
		var fields, always []string
		for _, field := range reflect.VisibleFields(of) {
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			if field.Anonymous || name == "" || name == "-" {
				continue
			}
			fields = append(fields, name)
			if options == "" {
				always = append(always, name)
			}
			property, is := described[name].(object)
			if !is {
				t.Errorf("%s.%s is not in the schema", path, name)
				continue
			}
			if text, _ := property["description"].(string); len(text) < 10 || !strings.HasSuffix(text, ".") {
				t.Errorf("%s.%s has no description: %q", path, name, text)
			}
			into, value := field.Type, property
			if into.Kind() == reflect.Slice && into.Elem().Kind() != reflect.Uint8 {
				into, value = into.Elem(), in[object](t, property, "items")
			}
			if into.Kind() == reflect.Pointer {
				into = into.Elem()
			}
			if into.Kind() == reflect.Struct && into != reflect.TypeFor[time.Time]() {
				if ref, _ := value["$ref"].(string); ref != "" {
					seen[strings.TrimPrefix(ref, "#/$defs/")] = true
				}
				walk(path+"."+name, into, resolved(t, root, value))
			}
		}
		for name := range described {
			if !slices.Contains(fields, name) {
				t.Errorf("%s.%s is in the schema, and no field", path, name)
			}
		}
		if others, is := node["additionalProperties"].(bool); !is || others {
			t.Errorf("%s: a field that is not described is taken", path)
		}
		for _, name := range always {
			if !slices.Contains(in[[]any](t, node, "required"), any(name)) {
				t.Errorf("%s.%s is always written, and not required", path, name)
			}
		}
	}
	walk("record", reflect.TypeFor[audit.Record](), root)
	for name := range in[object](t, root, "$defs") {
		if !seen[name] {
			t.Errorf("$defs/%s is not used", name)
		}
	}
}

// Every event that a record can have is in the schema, and no other.
func TestEveryEventIsNamed(t *testing.T) {
	constant := regexp.MustCompile(`EventType\s*= "([a-z.-]+)"`)
	want := []string{}
	for _, path := range []string{"../../audit/record.go", "../../../api/v1alpha1/webhooksubscription_types.go"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range constant.FindAllStringSubmatch(string(text), -1) {
			if match[1] != "policy.violation" { // a notification about action.denied, which has a record
				want = append(want, match[1])
			}
		}
	}
	var got []string
	for _, event := range in[[]any](t, in[object](t, in[object](t, document(t), "properties"), "event"), "enum") {
		got = append(got, fmt.Sprint(event))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the schema has\n%v\nthe code\n%v", got, want)
	}
}

func TestRecordsAreValid(t *testing.T) {
	schematest.Check(t, trailtest.Lines(trailtest.Day()))
}

func TestWhatIsNoRecord(t *testing.T) {
	day := trailtest.Day()
	find := func(event string) audit.Record {
		return day[slices.IndexFunc(day, func(r audit.Record) bool { return string(r.Event) == event })]
	}
	change := func(event string, of func(object)) []byte {
		var record object
		if err := json.Unmarshal(trailtest.Line(new(find(event))), &record); err != nil {
			t.Fatal(err)
		}
		of(record)
		text, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if err := schematest.Validate(change("action.denied", func(object) {})); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"no JSON":                   []byte("{"),
		"no object":                 []byte("[]"),
		"an unknown field":          change("action.denied", func(r object) { r["else"] = 1 }),
		"an unknown field within":   change("action.denied", func(r object) { in[object](t, r, "request")["else"] = 1 }),
		"without an event":          change("action.denied", func(r object) { delete(r, "event") }),
		"an unknown event":          change("action.denied", func(r object) { r["event"] = "action.liked" }),
		"an unknown decision":       change("action.denied", func(r object) { r["decision"] = "Maybe" }),
		"another version":           change("action.denied", func(r object) { r["schemaVersion"] = "v2" }),
		"no hash":                   change("action.denied", func(r object) { delete(r, "hash") }),
		"no hash before":            change("action.denied", func(r object) { delete(r, "previousHash") }),
		"a hash before the first":   change("audit.started", func(r object) { r["previousHash"] = r["hash"] }),
		"a time elsewhere":          change("action.denied", func(r object) { r["time"] = "2026-11-22T12:00:00+01:00" }),
		"no time":                   change("action.denied", func(r object) { r["time"] = "noon Z" }),
		"no uid":                    change("action.denied", func(r object) { r["uid"] = "" }),
		"started without a replica": change("audit.started", func(r object) { delete(in[object](t, r, "journal"), "replica") }),
		"unsigned":                  change("audit.checkpoint", func(r object) { delete(in[object](t, in[object](t, r, "journal"), "checkpoint"), "signature") }),
		"approval without one":      change("approval.recorded", func(r object) { delete(r, "approval") }),
		"a score of 11":             change("action.denied", func(r object) { r["riskScore"] = "11.0" }),
	} {
		if err := schematest.Validate(text); err == nil {
			t.Errorf("%s: valid", name)
		}
	}
}

// The files in docs are made of the schema: make docs.
func TestDocs(t *testing.T) {
	page, err := schema.Markdown()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"audit-record.schema.json": string(schema.Text), "audit-record.md": page} {
		if got, err := os.ReadFile("../../../docs/reference/" + path); err != nil || string(got) != want {
			t.Errorf("docs/reference/%s is not what make docs writes (%v)", path, err)
		}
	}
}
