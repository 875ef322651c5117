// SPDX-License-Identifier: Apache-2.0

package auditexport_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/auditexport"
	"github.com/ow-kai/ascend-operator/internal/terminal"
	"github.com/ow-kai/ascend-operator/internal/trailtest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); when it is meant, write it with -update:\n%s", path, diff)
	}
}

// written is what a format makes of those records that the filter chooses.
func written(t rapid.TB, format auditexport.Format, filter *auditexport.Filter, records []audit.Record) string {
	t.Helper()
	var out bytes.Buffer
	w, err := auditexport.NewWriter(format, &out)
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if !filter.Matches(&records[i]) {
			continue
		}
		if err := w.Write(trailtest.Line(&records[i]), &records[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, records := range map[string][]audit.Record{"day": trailtest.Day(), "hostile": trailtest.Hostile()} {
		checkGolden(t, name+".csv", written(t, auditexport.CSV, &auditexport.Filter{}, records))
		if got := written(t, auditexport.JSONL, &auditexport.Filter{}, records); got != string(trailtest.Lines(records)) {
			t.Errorf("%s: the lines are not those that were read", name)
		}
	}
}

// Without a record there are the headings, and nothing else.
func TestNothing(t *testing.T) {
	t.Parallel()
	for format, want := range map[auditexport.Format]string{auditexport.CSV: strings.Join(auditexport.Columns, ",") + "\n", auditexport.JSONL: "", auditexport.OCSF: ""} {
		if got := written(t, format, &auditexport.Filter{}, nil); got != want {
			t.Errorf("%s: %q", format, got)
		}
	}
	if _, err := auditexport.NewWriter("xml", &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "jsonl, csv, ocsf") {
		t.Errorf("a format that does not exist: %v", err)
	}
}

// No cell is a formula, and no line has anything that a terminal obeys.
func TestHostile(t *testing.T) {
	t.Parallel()
	text := written(t, auditexport.CSV, &auditexport.Filter{}, trailtest.Hostile())
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(text, "\n"); n != len(rows) {
		t.Errorf("%d rows in %d lines", len(rows), n)
	}
	for _, row := range rows {
		for i, cell := range row {
			if cell != terminal.Safe(cell) {
				t.Errorf("%s is %q", auditexport.Columns[i], cell)
			}
			for part := range strings.SplitSeq(cell, ";") { // as where a semicolon separates cells
				if begin := strings.TrimSpace(part); begin != "" && strings.ContainsRune("=+-@", rune(begin[0])) {
					t.Errorf("%s is the formula %q", auditexport.Columns[i], cell)
				}
			}
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(written(t, auditexport.OCSF, &auditexport.Filter{}, trailtest.Hostile())), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
}

// Each field of a record is in a column, but what was asked for.
func TestEveryFieldHasAColumn(t *testing.T) {
	t.Parallel()
	for _, of := range reflect.VisibleFields(reflect.TypeFor[audit.Record]()) {
		name, _, _ := strings.Cut(of.Tag.Get("json"), ",")
		if name != "request" && name != "approval" && !slices.Contains(auditexport.Columns, name) {
			t.Errorf("no column has %s", name)
		}
	}
}

// Every record that passes the filter is written, in order, by each format: once,
// and no other.
func TestNoRecordIsLost(t *testing.T) {
	t.Parallel()
	all := append(trailtest.Day(), trailtest.Hostile()...)
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOf(rapid.SampledFrom(all)).Draw(t, "records")
		filter := &auditexport.Filter{
			Events:    auditexport.Globs(rapid.SliceOfN(rapid.SampledFrom([]string{"action.*", "policy.*", "*.denied", "approval.recorded"}), 0, 2).Draw(t, "events")),
			Agents:    auditexport.Globs(rapid.SliceOfN(rapid.SampledFrom([]string{"tutorial-*", "refunds", ""}), 0, 2).Draw(t, "agents")),
			Decisions: rapid.SliceOfN(rapid.SampledFrom(auditexport.Decisions), 0, 3).Draw(t, "decisions"),
		}
		if rapid.Bool().Draw(t, "bounded") {
			filter.Since, filter.Until = trailtest.Start.Add(5*time.Minute), trailtest.Start.Add(20*time.Minute)
		}
		var want []string
		for i := range records {
			if filter.Matches(&records[i]) {
				want = append(want, records[i].Hash)
			}
		}
		for _, format := range auditexport.Formats {
			if got := hashes(t, format, written(t, format, filter, records)); !slices.Equal(got, want) {
				t.Fatalf("%s has %d records, want %d", format, len(got), len(want))
			}
		}
	})
}

// hashes are those of the records in a text.
func hashes(t rapid.TB, format auditexport.Format, text string) []string {
	t.Helper()
	var found []string
	if format == auditexport.CSV {
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		at := slices.Index(auditexport.Columns, "hash")
		for _, row := range rows[1:] {
			found = append(found, row[at])
		}
		return found
	}
	for line := range strings.Lines(text) {
		var record struct {
			Hash     string
			Unmapped struct{ Hash string }
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		found = append(found, record.Hash+record.Unmapped.Hash)
	}
	return found
}

func TestFilter(t *testing.T) {
	t.Parallel()
	globs := auditexport.Globs
	for name, tc := range map[string]struct {
		filter auditexport.Filter
		want   int
	}{
		"everything":        {auditexport.Filter{}, 38},
		"since":             {auditexport.Filter{Since: trailtest.Start.Add(36 * time.Minute)}, 2},
		"until":             {auditexport.Filter{Until: trailtest.Start.Add(2 * time.Minute)}, 2},
		"event":             {auditexport.Filter{Events: globs([]string{"policy.*"})}, 3},
		"events":            {auditexport.Filter{Events: globs([]string{"action.executed,action.failed", "admission.refused"})}, 3},
		"action by name":    {auditexport.Filter{Actions: globs([]string{"act-drop"})}, 10},
		"by namespace/name": {auditexport.Filter{Actions: globs([]string{"payments/act-pay"})}, 3},
		"by uid":            {auditexport.Filter{Actions: globs([]string{"UID-act-read"})}, 4},
		"no other kind":     {auditexport.Filter{Actions: globs([]string{"*"})}, 28},
		"actor":             {auditexport.Filter{Actors: globs([]string{"*@example.com"})}, 9},
		"the operator":      {auditexport.Filter{Actors: globs([]string{""}), Events: globs([]string{"action.denied"})}, 1},
		"agent":             {auditexport.Filter{Agents: globs([]string{"refunds"})}, 3},
		"namespace":         {auditexport.Filter{Namespaces: globs([]string{"payments"})}, 3},
		"kind":              {auditexport.Filter{Kinds: globs([]string{"smartrule", "agent"})}, 2},
		"actions":           {auditexport.Filter{Kinds: globs([]string{"AgentAction"})}, 28},
		"control":           {auditexport.Filter{Controls: globs([]string{"PCI-DSS:*"})}, 8},
		"decision":          {auditexport.Filter{Decisions: []v1alpha1.Decision{v1alpha1.DecisionDenied}}, 1},
	} {
		day, got := trailtest.Day(), 0
		for i := range day {
			if tc.filter.Matches(&day[i]) {
				got++
			}
		}
		if got != tc.want {
			t.Errorf("%s: %d records, want %d", name, got, tc.want)
		}
	}
}

func TestParseMoment(t *testing.T) {
	t.Parallel()
	now := trailtest.Start
	for text, want := range map[string]time.Time{
		"":                          {},
		"2025-12-01T09:00:00Z":      time.Date(2025, 12, 1, 9, 0, 0, 0, time.UTC),
		"2025-12-01T09:00:00+01:00": time.Date(2025, 12, 1, 8, 0, 0, 0, time.UTC),
		"2025-12-01":                time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC),
		"24h":                       now.Add(-24 * time.Hour),
		" 90m ago ":                 now.Add(-90 * time.Minute),
		"7d":                        now.Add(-7 * 24 * time.Hour),
		"7d ago":                    now.Add(-7 * 24 * time.Hour),
	} {
		got, err := auditexport.ParseMoment(text, now)
		if err != nil || !got.Equal(want) {
			t.Errorf("%q is %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"yesterday", "-24h", "99999d", "d", "ago", "2025-13-01", "\x1b[2J"} {
		if got, err := auditexport.ParseMoment(text, now); err == nil || strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
}

func TestParseDecisions(t *testing.T) {
	t.Parallel()
	got, err := auditexport.ParseDecisions([]string{"denied, timedout", "PENDING"})
	if want := []v1alpha1.Decision{v1alpha1.DecisionDenied, v1alpha1.DecisionTimedOut, v1alpha1.DecisionPending}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := auditexport.ParseDecisions([]string{"maybe"}); err == nil {
		t.Error("maybe is a decision")
	}
}
