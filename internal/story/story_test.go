// SPDX-License-Identifier: Apache-2.0

package story_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/story"
	"github.com/ow-kai/ascend-operator/internal/terminal"
	"github.com/ow-kai/ascend-operator/internal/trail"
	"github.com/ow-kai/ascend-operator/internal/trailtest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func checkGolden(t *testing.T, got string) {
	t.Helper()
	path := filepath.Join("testdata", filepath.FromSlash(t.Name())+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
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

func gather(t *testing.T, text []byte, which story.Which) []*story.Story {
	t.Helper()
	stories, _, err := story.Gather(trail.Lines("audit.log", bytes.NewReader(text)), which)
	if err != nil {
		t.Fatal(err)
	}
	return stories
}

func written(t *testing.T, stories []*story.Story, width int) string {
	t.Helper()
	var out bytes.Buffer
	for _, s := range stories {
		if err := s.Write(&out, terminal.Style{}, width); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

func TestStory(t *testing.T) {
	t.Parallel()
	text := trailtest.Lines(trailtest.Day())
	for _, name := range []string{"act-read", "act-drop", "act-pay", "act-night", "act-late", "act-back"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkGolden(t, written(t, gather(t, text, story.Which{Name: name}), 0))
		})
	}
	t.Run("act-drop-80", func(t *testing.T) {
		t.Parallel()
		checkGolden(t, written(t, gather(t, text, story.Which{Name: "uid-act-drop", Namespace: "default"}), 80))
	})
	if found := gather(t, text, story.Which{Name: "act-drop", Namespace: "payments"}); len(found) > 0 {
		t.Errorf("another namespace has %d stories", len(found))
	}
	if found := gather(t, text, story.Which{Name: "no-bulk-delete"}); len(found) > 0 {
		t.Error("a rule has the story of an action")
	}
}

// Two actions of one name are two stories, and records of several replicas are put
// in the order of their times.
func TestSeveral(t *testing.T) {
	t.Parallel()
	refused := audit.Record{Event: audit.EventRefused, Namespace: "default", Name: "act-drop", UID: "uid-act-drop", Actor: "eve", Time: trailtest.Start}
	other := audit.Record{Event: "action.submitted", Namespace: "default", Name: "act-drop", UID: "another", Actor: "eve", Time: trailtest.Start}
	text := append(trailtest.Lines(trailtest.Day()), trailtest.Lines(trailtest.Chained(trailtest.Follower, []audit.Record{refused, other}))...)
	found := gather(t, text, story.Which{Name: "act-drop"})
	if len(found) != 2 || found[0].UID != "another" && found[1].UID != "another" {
		t.Fatalf("%d stories", len(found))
	}
	first := found[0]
	if first.UID == "another" {
		first = found[1]
	}
	if first.Entries[0].Chain != trailtest.Follower || first.Entries[0].Actor != "eve" || !first.Sound() {
		t.Errorf("it begins with %+v", first.Entries[0].Record)
	}
}

// A record that was changed, and one beside which a record is missing, are told.
func TestUnsound(t *testing.T) {
	t.Parallel()
	lines := bytes.SplitAfter(trailtest.Lines(trailtest.Day()), []byte("\n"))
	changed := bytes.Join(lines, nil)
	changed = bytes.Replace(changed, []byte("3 rows deleted"), []byte("0 rows deleted"), 1)
	t.Run("changed", func(t *testing.T) { t.Parallel(); checkGolden(t, unsound(t, changed)) })
	missing := bytes.Join(slices.Delete(slices.Clone(lines), 9, 10), nil) // alice's approval
	t.Run("missing", func(t *testing.T) { t.Parallel(); checkGolden(t, unsound(t, missing)) })
}

func unsound(t *testing.T, text []byte) string {
	t.Helper()
	found := gather(t, text, story.Which{Name: "act-drop"})
	if len(found) != 1 || found[0].Sound() {
		t.Error("nothing is found")
	}
	return written(t, found, 0)
}

// Every line of the Day, in colours too, and cut to a width.
func TestLine(t *testing.T) {
	t.Parallel()
	var plain, narrow, painted strings.Builder
	colours := terminal.NewStyle(terminal.ColourAlways, nil, func(string) string { return "" })
	day := trailtest.Day()
	for i := range day {
		r := &day[i]
		plain.WriteString(story.Line(r, terminal.Style{}, 0) + "\n")
		cut := story.Line(r, terminal.Style{}, 80)
		if terminal.Columns(cut) > 80 {
			t.Errorf("%d columns: %s", terminal.Columns(cut), cut)
		}
		narrow.WriteString(cut + "\n")
		painted.WriteString(strings.ReplaceAll(story.Line(r, colours, 0), "\x1b", "ESC") + "\n")
	}
	for name, text := range map[string]string{"plain": plain.String(), "80": narrow.String(), "colours": painted.String()} {
		t.Run(name, func(t *testing.T) { t.Parallel(); checkGolden(t, text) })
	}
}

// What others wrote reaches no terminal as it is.
func TestHostile(t *testing.T) {
	t.Parallel()
	records := trailtest.Hostile()
	for i := range records {
		if line := story.Line(&records[i], terminal.Style{}, 0); line != terminal.Safe(line) {
			t.Errorf("not safe: %q", line)
		}
		for _, s := range gather(t, trailtest.Lines(records[i:i+1]), story.Which{Name: records[i].Name}) {
			for line := range strings.Lines(written(t, []*story.Story{s}, 80)) {
				if line = strings.TrimSuffix(line, "\n"); line != terminal.Safe(line) {
					t.Errorf("not safe: %q", line)
				}
			}
		}
	}
}

// Of a key that stands twice, or of other spelling, the hash of what is meant may be
// right; the line is another all the same, and what is shown may be, too.
func TestKeyThatStandsTwice(t *testing.T) {
	day := trailtest.Day()
	which := story.Which{Name: "act-drop"}
	text := string(trailtest.Lines(day))
	for name, forged := range map[string]string{
		"a field of the approval": strings.Replace(text, `"approval":{"approver":"mallory@example.com"`, `"approval":{"as":"group:dba"},"approval":{"approver":"mallory@example.com"`, 1),
		"a space":                 strings.Replace(text, `"event":"approval.recorded"`, `"event": "approval.recorded"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			if forged == text {
				t.Fatal("nothing was forged")
			}
			if told := gather(t, []byte(forged), which); len(told) != 1 || told[0].Sound() {
				t.Error("the line was changed, and its story is sound")
			}
		})
	}
}
