// SPDX-License-Identifier: Apache-2.0

package evidence_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/auditexport"
	"github.com/ow-kai/ascend-operator/internal/evidence"
	"github.com/ow-kai/ascend-operator/internal/terminal"
	"github.com/ow-kai/ascend-operator/internal/trail"
	"github.com/ow-kai/ascend-operator/internal/trailtest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var now = time.Date(2025, 12, 20, 9, 0, 0, 0, time.UTC)

func open(text []byte) func() iter.Seq2[trail.Line, error] {
	return func() iter.Seq2[trail.Line, error] { return trail.Lines("audit.log", bytes.NewReader(text)) }
}

func write(t *testing.T, records []audit.Record, options evidence.Options) (folder string, summary *evidence.Summary) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "pack")
	options.Now, options.Version = now, "v0.5.0"
	summary, err := evidence.Write(folder, open(trailtest.Lines(records)), options)
	if err != nil {
		t.Fatal(err)
	}
	return folder, summary
}

// What an operator that runs writes while the pack is made is not in it: neither is it
// known under which controls that is, nor was it verified.
func TestWrittenMeanwhile(t *testing.T) {
	day := trailtest.Day()
	for name, test := range map[string]struct {
		verification *evidence.Verification
		reads        []int // how many records there are each time
	}{
		"between the two":             {nil, []int{6, len(day)}},
		"since the chains were sound": {&evidence.Verification{Sound: true, Last: map[string]uint64{trailtest.Leader: 6}}, []int{len(day), len(day)}},
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "pack")
			growing := func() iter.Seq2[trail.Line, error] {
				n := test.reads[0]
				test.reads = test.reads[1:]
				return open(trailtest.Lines(day[:n]))()
			}
			summary, err := evidence.Write(folder, growing, evidence.Options{Framework: evidence.SOC2, Now: now, Verification: test.verification})
			if err != nil {
				t.Fatal(err)
			}
			if summary.Read != 6 || summary.Chosen != 6 || summary.Chains[0].Last != 6 || summary.Total.Actions != 2 {
				t.Errorf("%d records were read and %d are in the pack, of %d actions, up to record %d", summary.Read, summary.Chosen, summary.Total.Actions, summary.Chains[0].Last)
			}
		})
	}
}

// read is every file of a pack.
func read(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(folder, path)
		files[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Packs of the Day, file for file.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, framework := range []evidence.Framework{evidence.NIST, evidence.MITRE} {
		t.Run(string(framework), func(t *testing.T) {
			t.Parallel()
			folder, _ := write(t, trailtest.Day(), evidence.Options{
				Framework:    framework,
				Verification: &evidence.Verification{Sound: true, Statement: "The hash of every record and its place in its chain were checked, 38 records of 1 chain: nothing is wrong.", Details: []string{"chain " + trailtest.Leader + ": ended in order"}},
			})
			got, want := read(t, folder), filepath.Join("testdata", string(framework))
			if *update {
				if err := errors.Join(os.RemoveAll(want), os.CopyFS(want, os.DirFS(folder))); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(read(t, want), got); diff != "" {
				t.Errorf("the pack differs (-want +got); when it is meant, write it with -update:\n%s", diff)
			}
		})
	}
}

// Each record that passes the filter is in at least one file, as the line that it was,
// and no other is; and the manifest has every file with its hash.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	records := append(trailtest.Day(), trailtest.Hostile()...)
	for name, filter := range map[string]auditexport.Filter{
		"all":    {},
		"period": {Since: trailtest.Start.Add(9 * time.Minute), Until: trailtest.Start.Add(20 * time.Minute)},
	} {
		folder, summary := write(t, records, evidence.Options{Framework: evidence.NIST, Filter: filter})
		files := read(t, folder)
		lines := map[string]bool{}
		for path, text := range files {
			if strings.HasSuffix(path, ".jsonl") {
				for line := range strings.Lines(text) {
					lines[strings.TrimSuffix(line, "\n")] = true
				}
			}
		}
		chosen := 0
		for i := range records {
			wanted := filter.Matches(&records[i])
			if lines[string(trailtest.Line(&records[i]))] != wanted {
				t.Errorf("%s: record %d of %s is there: %t, want %t", name, records[i].Sequence, records[i].Chain, !wanted, wanted)
			}
			if wanted {
				chosen++
			}
		}
		if summary.Chosen != chosen || summary.Read != len(records) {
			t.Errorf("%s: the summary says %d of %d", name, summary.Chosen, summary.Read)
		}
		checkManifest(t, files, summary)
	}
}

func checkManifest(t *testing.T, files map[string]string, summary *evidence.Summary) {
	t.Helper()
	var manifest evidence.Manifest
	if err := json.Unmarshal([]byte(files["manifest.json"]), &manifest); err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256([]byte(files["manifest.json"])); hex.EncodeToString(sum[:]) != summary.ManifestSHA256 {
		t.Error("the hash of the manifest is another")
	}
	delete(files, "manifest.json")
	listed := map[string]string{}
	for _, file := range manifest.Files {
		listed[file.Path] = fmt.Sprint(file.SHA256, file.Bytes)
	}
	got := map[string]string{}
	for path, text := range files {
		sum := sha256.Sum256([]byte(text))
		got[path] = fmt.Sprint(hex.EncodeToString(sum[:]), len(text))
	}
	if diff := cmp.Diff(got, listed); diff != "" {
		t.Errorf("files (-there +listed):\n%s", diff)
	}
}

// An action is under a control for all its records, also those before a rule matched.
func TestAllRecordsOfAnAction(t *testing.T) {
	t.Parallel()
	folder, summary := write(t, trailtest.Day(), evidence.Options{Framework: evidence.PCI})
	text := read(t, folder)["controls/7.2/records.jsonl"]
	for _, event := range []string{"action.submitted", "approval.recorded", "action.executed", "admission.refused", "mallory@example.com"} {
		if !strings.Contains(text, event) {
			t.Errorf("no %s", event)
		}
	}
	c := summary.Controls[0]
	if c.ID != "7.2" || c.Actions != 2 || c.Approved != 1 || c.Denied != 1 || c.Totals.Verdicts != 3 || c.Totals.Refusals != 1 {
		t.Errorf("%+v", c.Totals)
	}
	if total := summary.Total; total.Actions != 6 || total.BreakGlass != 1 || total.Verdicts != 5 {
		t.Errorf("in all %+v", total)
	}
}

// What is counted does not depend on which replica's file is read first.
func TestReplicas(t *testing.T) {
	t.Parallel()
	day := trailtest.Day()
	first := trailtest.Chained("first", slices.Clone(day[:12])) // up to the approvals of act-drop
	second := trailtest.Chained("second", slices.Clone(day[12:]))
	_, forth := write(t, slices.Concat(first, second), evidence.Options{Framework: evidence.NIST})
	_, back := write(t, slices.Concat(second, first), evidence.Options{Framework: evidence.NIST})
	if diff := cmp.Diff(forth.Total, back.Total); diff != "" || forth.Total.Verdicts != 5 || forth.Total.Pending != 0 {
		t.Errorf("in all %+v (-one order +the other):\n%s", forth.Total, diff)
	}
	for i, control := range forth.Controls {
		if diff := cmp.Diff(control.Totals, back.Controls[i].Totals); diff != "" {
			t.Errorf("%s (-one order +the other):\n%s", control.ID, diff)
		}
	}
}

// A folder with something in it stays as it is; an empty one is taken; and what fails
// leaves nothing behind.
func TestFolder(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	full, empty, taken := filepath.Join(root, "full"), filepath.Join(root, "empty"), filepath.Join(root, "taken")
	if err := errors.Join(os.Mkdir(taken, 0o700), os.Mkdir(full, 0o700), os.Mkdir(empty, 0o700), os.WriteFile(filepath.Join(full, "mine"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	options := evidence.Options{Framework: evidence.NIST, Now: now}
	good := open(trailtest.Lines(trailtest.Day()))
	if _, err := evidence.Write(full, good, options); !errors.Is(err, evidence.ErrNotEmpty) {
		t.Errorf("a full folder: %v", err)
	}
	if _, err := evidence.Write(empty, good, options); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := evidence.Write(".", good, options); !errors.Is(err, evidence.ErrHere) {
		t.Errorf("the folder that the program runs in: %v", err)
	}
	later := func() iter.Seq2[trail.Line, error] { // somebody else is at it, too
		if err := os.WriteFile(filepath.Join(taken, "theirs"), nil, 0o600); err != nil {
			t.Error(err)
		}
		return good()
	}
	if _, err := evidence.Write(taken, later, options); !errors.Is(err, evidence.ErrNotEmpty) {
		t.Errorf("a folder that is filled meanwhile: %v", err)
	}
	if err := os.RemoveAll(taken); err != nil {
		t.Fatal(err)
	}
	bad := func() iter.Seq2[trail.Line, error] {
		return func(yield func(trail.Line, error) bool) { yield(trail.Line{}, errors.New("no disk")) }
	}
	if _, err := evidence.Write(filepath.Join(root, "failed"), bad, options); err == nil {
		t.Error("a trail that cannot be read makes a pack")
	}
	unknown := evidence.Options{Framework: "ISO-27001", Now: now}
	var none *evidence.UnknownFrameworkError
	if _, err := evidence.Write(filepath.Join(root, "failed"), good, unknown); !errors.As(err, &none) || !strings.Contains(err.Error(), "HIPAA, MITRE-ATTACK, NIST-800-53, PCI-DSS, SOC2") {
		t.Errorf("a framework that nothing names: %v", err)
	}
	entries, err := os.ReadDir(root)
	if err != nil || len(entries) != 2 {
		t.Errorf("%v, %v is left", entries, err)
	}
}

// Without a record of the framework there is a pack that says so.
func TestNothingUnderAControl(t *testing.T) {
	t.Parallel()
	folder, _ := write(t, trailtest.Chained("c", []audit.Record{{Event: audit.EventStarted}}), evidence.Options{Framework: evidence.HIPAA})
	page := read(t, folder)["index.html"]
	for _, text := range []string{"No record names a control of HIPAA", "were not verified", "Nobody has changed a rule"} {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
}

// Nothing that others wrote is markup or turns text around, no script is in the page,
// and no file leaves the folder.
func TestHostile(t *testing.T) {
	t.Parallel()
	records := append(trailtest.Day(), trailtest.Hostile()...)
	folder, _ := write(t, records, evidence.Options{Framework: evidence.NIST})
	files := read(t, folder)
	for path := range files {
		if !filepath.IsLocal(path) || terminal.Safe(path) != path || strings.ContainsAny(path, "<>\"'&: ") {
			t.Errorf("the path %q", path)
		}
	}
	checkPage(t, files["index.html"])
}

// checkPage holds a page against what makes it safe, and readable for everyone.
func checkPage(t *testing.T, page string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	elements, ids, links := map[string]int{}, map[string]int{}, []string{}
	for node := range root.Descendants() {
		if node.Type == html.TextNode && node.Parent.Data != "style" {
			for line := range strings.SplitSeq(node.Data, "\n") {
				if line = strings.ReplaceAll(line, "\u202f", ""); terminal.Safe(line) != line {
					t.Errorf("the text %q", line)
				}
			}
		}
		if node.Type != html.ElementNode {
			continue
		}
		elements[node.Data]++
		for _, a := range node.Attr {
			switch {
			case a.Key == "id":
				ids[a.Val]++
			case a.Key == "href":
				links = append(links, a.Val)
			case strings.HasPrefix(a.Key, "on") || a.Key == "src":
				t.Errorf("<%s %s=%q>", node.Data, a.Key, a.Val)
			}
		}
	}
	known := []string{"html", "head", "meta", "title", "style", "body", "header", "main", "section", "footer", "h1", "h2", "p", "dl", "dt", "dd", "ul", "li", "b", "strong",
		"div", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "span", "code", "a", "br", "time"}
	for _, name := range slices.Sorted(maps.Keys(elements)) {
		if !slices.Contains(known, name) {
			t.Errorf("an element <%s>", name)
		}
	}
	if elements["table"] != elements["caption"] || elements["h1"] != 1 || elements["main"] != 1 {
		t.Errorf("%d tables have %d captions; %d top headings", elements["table"], elements["caption"], elements["h1"])
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%d times id %q", n, id)
		}
	}
	for _, link := range links {
		if id, inside := strings.CutPrefix(link, "#"); inside && ids[id] == 0 {
			t.Errorf("a link to %q leads nowhere", link)
		}
	}
}

// The pages of all frameworks are well made.
func TestPages(t *testing.T) {
	t.Parallel()
	for _, framework := range evidence.Known {
		folder, _ := write(t, trailtest.Day(), evidence.Options{Framework: framework})
		files := read(t, folder)
		checkPage(t, files["index.html"])
		for _, part := range strings.Split(files["index.html"], `href="`)[1:] {
			link, _, _ := strings.Cut(part, `"`)
			if _, there := files[link]; !there && !strings.HasPrefix(link, "#") {
				t.Errorf("%s: a link to %q, which is not in the pack", framework, link)
			}
		}
	}
}
