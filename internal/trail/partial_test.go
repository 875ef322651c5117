// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/canonical"
)

func TestPartial(t *testing.T) {
	t.Parallel()
	before := newScribe("before")
	before.start(nil, 0)
	before.decide(1)
	after := before.next("after", 0)
	after.decide(2)
	anchors := []audit.Checkpoint{*before.sign(theKey), *after.sign(theKey)}
	anchors[0].Time = noon.Add(-1)
	for skip, want := range map[int]string{1: "file0:1: the beginning of the chain is missing: record 1", 3: "file0:1: chain before, which came before this one", 4: "file0:1: the beginning of the chain is missing"} {
		report := verified(t, VerifyOptions{Anchors: anchors}, after.lines[skip:])
		if report.Sound() || !strings.Contains(report.First().File+fmt.Sprint(":", report.First().Line, ": ", report.First().What), want) {
			t.Errorf("without the first %d lines: %+v", skip, report.First())
		}
		report = verified(t, VerifyOptions{Anchors: anchors, Partial: true}, after.lines[skip:])
		wantFaults(t, report)
		if len(report.Notes) == 0 {
			t.Errorf("without the first %d lines nothing is told", skip)
		}
	}
	// The older file may have ended in an unfinished line.
	torn := newScribe("before")
	torn.start(nil, 0)
	torn = torn.next("after", 17)
	wantFaults(t, verified(t, VerifyOptions{Partial: true}, torn.lines[1:]))
	// A hole is none the less one.
	wantFaults(t, verified(t, VerifyOptions{Partial: true}, without(after.lines[1:], 3)), "file0:4: record 2 of the chain should stand before this line")
}

// What is missing in the middle is not the beginning.
func TestPartialHidesNothingWithin(t *testing.T) {
	t.Parallel()
	a := newScribe("a")
	a.start(nil, 0)
	a.decide(1)
	atB := len(a.lines)
	b := a.next("b", 0)
	b.decide(2)
	atC := len(b.lines)
	lines := b.next("c", 0).lines
	for name, c := range map[string]struct {
		files   [][][]byte
		options VerifyOptions
		want    []string
	}{
		"nothing":                                {[][][]byte{lines}, VerifyOptions{}, nil},
		"the beginning of a chain":               {[][][]byte{without(lines, atB)}, VerifyOptions{}, []string{fmt.Sprintf("file0:%d: the beginning of the chain is missing: record 1", atB+1)}},
		"a chain":                                {[][][]byte{slices.Delete(slices.Clone(lines), atB, atC)}, VerifyOptions{}, []string{fmt.Sprintf("file0:%d: chain b, which came before this one and has records 1 to %d, is missing", atB+1, atC-atB)}},
		"where another file begins":              {[][][]byte{lines[1:atB], lines[atB+1:]}, VerifyOptions{}, nil},
		"where another file begins, a chain":     {[][][]byte{lines[:atB], lines[atC:]}, VerifyOptions{}, nil},
		"the beginning of one that is collected": {[][][]byte{without(lines, atB)}, VerifyOptions{Collected: true}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.options.Partial = true
			wantFaults(t, verified(t, c.options, c.files...), c.want...)
		})
	}
	// Nor is it in a file that was rotated out of the same one.
	rotated := func(yield func(Line, error) bool) {
		for line, err := range Lines("audit-20261122T120000.000000Z.log", bytes.NewReader(text(lines[:atB]))) {
			if !yield(line, err) {
				return
			}
		}
		Lines("audit.log", bytes.NewReader(text(lines[atC:])))(yield)
	}
	report, err := Verify(t.Context(), rotated, VerifyOptions{Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	wantFaults(t, report, "audit.log:1: chain b, which came before this one")
}

// A record without a time that can be read does not make anchors old.
func TestPartialWithoutATime(t *testing.T) {
	t.Parallel()
	early, late := chainOf(1), newScribe("late")
	late.now = noon.Add(2 * time.Hour)
	late.start(nil, 0)
	missing := newScribe("missing")
	missing.now = noon.Add(time.Hour)
	missing.start(nil, 0)
	odd := newScribe("odd")
	odd.start(nil, 0)
	line := strings.Replace(string(odd.lines[0]), `"time":"2026`, `"time":"x2026`, 1)
	line = regexp.MustCompile(`,"hash":"[^"]*"`).ReplaceAllString(line, "")
	sum := sha256.Sum256(must(canonical.JSON(json.RawMessage(line))))
	line = strings.TrimSuffix(line, "}") + fmt.Sprintf(`,"hash":"sha256:%x"}`, sum)
	report := verified(t, VerifyOptions{Partial: true, Anchors: []audit.Checkpoint{*missing.sign(theKey)}}, early.lines, [][]byte{[]byte(line)}, late.lines)
	wantFaults(t, report, "chain missing is missing")
}
