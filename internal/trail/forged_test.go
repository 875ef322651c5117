// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

func verified(t *testing.T, options VerifyOptions, files ...[][]byte) *Report {
	t.Helper()
	texts := make([][]byte, len(files))
	for i, lines := range files {
		texts[i] = text(lines)
	}
	report, err := Verify(t.Context(), linesOf(texts...), options)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// wantFaults compares the faults with parts of what they should say, in their order.
func wantFaults(t *testing.T, report *Report, parts ...string) {
	t.Helper()
	var got []string
	for _, fault := range report.Faults {
		got = append(got, fmt.Sprintf("%s:%d: %s", fault.File, fault.Line, fault.What))
		if fault.Advice == "" {
			t.Errorf("no advice: %+v", fault)
		}
	}
	same := len(got) == len(parts) && report.FaultsTotal == len(parts)
	for i := range min(len(got), len(parts)) {
		same = same && strings.Contains(got[i], parts[i])
	}
	if !same {
		t.Errorf("got faults\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(parts, "\n\t"))
	}
}

// again chains the records of lines anew, from the one at the index on, as
// somebody would who can write the file.
func again(lines [][]byte, from int, change func(*audit.Record)) [][]byte {
	s := &scribe{lines: slices.Clone(lines[:from])}
	for i, line := range lines[from:] {
		var record audit.Record
		if err := json.Unmarshal(line, &record); err != nil {
			panic(err)
		}
		s.chain, s.sequence, s.previous, s.now = record.Chain, record.Sequence-1, record.PreviousHash, record.Time.Add(-1e6)
		if i == 0 {
			change(&record)
			s.previous = record.PreviousHash
		} else {
			before := audit.Record{}
			if err := json.Unmarshal(s.lines[len(s.lines)-1], &before); err != nil {
				panic(err)
			}
			s.previous = before.Hash
		}
		s.write(record)
	}
	return s.lines
}

func chainOf(actions int) *scribe {
	s := newScribe("c")
	s.start(nil, 0)
	for i := range actions {
		s.decide(i)
	}
	return s
}

func denied(r *audit.Record) { r.Decision, r.Message = v1alpha1.DecisionDenied, "forged" }

func TestForgeries(t *testing.T) {
	t.Parallel()
	s := chainOf(6)
	s.checkpoint()
	head := *s.sign(theKey)
	stopped := chainOf(6)
	stopped.checkpoint()
	stopped.stop()
	keys := []ed25519.PublicKey{public(theKey)}
	one := again(s.lines[:4], 3, denied)[3] // a record that is right by itself
	other := *s.sign(otherKey)
	other.KeyID = head.KeyID

	for name, c := range map[string]struct {
		lines   [][]byte
		options VerifyOptions
		want    []string
	}{
		"nothing":                    {s.lines, VerifyOptions{Keys: keys, Anchors: []audit.Checkpoint{head}}, nil},
		"a record with its own hash": {append(append(slices.Clone(s.lines[:3]), one), s.lines[4:]...), VerifyOptions{}, []string{"file0:4: the record was rewritten: the one after it, at file0:5"}},
		"everything after it, too":   {again(s.lines, 3, denied), VerifyOptions{Keys: keys}, []string{fmt.Sprintf("file0:%d: the checkpoint is not about the record before it", len(s.lines))}},
		"without the checkpoint": {again(s.lines[:len(s.lines)-1], 3, denied), VerifyOptions{Keys: keys, Anchors: []audit.Checkpoint{head}},
			[]string{fmt.Sprintf("file0:%d: the chain was cut off after this line: its anchor of 2026-11-22T12:00:00Z is record %d", len(s.lines)-1, len(s.lines))}},
		"at the length of the anchor": {again(chainOf(7).lines[:len(s.lines)], 3, denied), VerifyOptions{Anchors: []audit.Checkpoint{head}},
			[]string{fmt.Sprintf("file0:%d: the chain was rewritten up to here", len(s.lines))}},
		"a checkpoint by another key": {func() [][]byte {
			forged := chainOf(6)
			c := forged.sign(otherKey)
			c.KeyID = head.KeyID
			forged.write(audit.Record{Event: audit.EventCheckpoint, Journal: &audit.Journal{Checkpoint: c}})
			return forged.lines
		}(), VerifyOptions{Keys: keys}, []string{"the checkpoint is not signed by key " + head.KeyID}},
		"a checkpoint without a signature": {func() [][]byte {
			forged := chainOf(1)
			forged.write(audit.Record{Event: audit.EventCheckpoint})
			forged.write(audit.Record{Event: audit.EventCheckpoint, Journal: &audit.Journal{}})
			return forged.lines
		}(), VerifyOptions{Keys: keys}, []string{"the checkpoint has no signature"}},
		"an anchor by another key":   {s.lines, VerifyOptions{Keys: keys, Anchors: []audit.Checkpoint{other}}, []string{":0: the anchor of chain c is not signed by key " + head.KeyID}},
		"a record after the end":     {again(append(slices.Clone(stopped.lines), chainOf(9).lines[len(stopped.lines)]), len(stopped.lines), func(r *audit.Record) { r.PreviousHash = stopped.previous }), VerifyOptions{}, []string{"the chain ended in order at file0:"}},
		"a first that names one":     {again(s.lines[:2], 0, func(r *audit.Record) { r.PreviousHash = "sha256:x" }), VerifyOptions{}, []string{"file0:1: "}},
		"the beginning in the midst": {again(s.lines[:4], 3, func(r *audit.Record) { r.Event = audit.EventStarted; r.Journal = &audit.Journal{} }), VerifyOptions{}, []string{"file0:4: a chain begins in the middle of another"}},
		"nothing at all":             {nil, VerifyOptions{}, []string{":0: there is no audit record in the trail"}},
		"nothing of the anchor":      {nil, VerifyOptions{Anchors: []audit.Checkpoint{head}}, []string{":0: chain c is missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := verified(t, c.options, c.lines)
			wantFaults(t, report, c.want...)
			if report.Sound() != (len(c.want) == 0) {
				t.Error("sound or not?")
			}
		})
	}
}

// What nothing proves is told.
func TestEnds(t *testing.T) {
	t.Parallel()
	open, stopped := chainOf(3), chainOf(3)
	stopped.stop()
	before := newScribe("before")
	before.start(nil, 0)
	after := before.next("after", 0)
	for name, c := range map[string]struct {
		lines   [][]byte
		anchors []audit.Checkpoint
		want    []End
	}{
		"open":            {open.lines, nil, []End{EndUnproven}},
		"stopped":         {stopped.lines, nil, []End{EndStopped}},
		"anchored":        {open.lines, []audit.Checkpoint{*open.sign(theKey)}, []End{EndAnchored}},
		"anchored before": {open.lines, []audit.Checkpoint{*chainOf(2).sign(theKey)}, []End{EndUnproven}},
		"followed":        {after.lines, nil, []End{EndFollowed, EndUnproven}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, require := range []bool{false, true} {
				report := verified(t, VerifyOptions{Anchors: c.anchors, RequireProof: require}, c.lines)
				unproven := 0
				for i, chain := range report.Chains {
					if chain.End != c.want[i] {
						t.Errorf("chain %s ends %s", chain.ID, chain.End)
					}
					if chain.End == EndUnproven {
						unproven++
					}
				}
				if !require {
					unproven = 0
				}
				if len(report.Chains) != len(c.want) || report.FaultsTotal != unproven {
					t.Errorf("%+v", report)
				}
			}
		})
	}
}

// Records of replicas that stand between each other are as good as each in its file.
func TestSeveralReplicas(t *testing.T) {
	t.Parallel()
	a, b := chainOf(4), newScribe("d")
	b.start(nil, 0)
	for i := range 4 {
		b.decide(100 + i)
	}
	var mixed [][]byte
	for i := range max(len(a.lines), len(b.lines)) {
		for _, of := range []*scribe{a, b} {
			if i < len(of.lines) {
				mixed = append(mixed, of.lines[i])
			}
		}
	}
	wantFaults(t, verified(t, VerifyOptions{}, mixed))
	wantFaults(t, verified(t, VerifyOptions{}, a.lines, b.lines))
	wantFaults(t, verified(t, VerifyOptions{}, without(mixed, 4)), "file0:6: record 3 of the chain should stand before this line, after file0:3")
	wantFaults(t, verified(t, VerifyOptions{}, a.lines, b.lines, a.lines[:1]), fmt.Sprintf("file2:1: the line was repeated or moved: record %d", len(a.lines)))
	report := verified(t, VerifyOptions{Anchors: []audit.Checkpoint{*a.sign(theKey), *b.sign(theKey)}}, a.lines)
	wantFaults(t, report, "chain d is missing")
}

func TestCollected(t *testing.T) {
	t.Parallel()
	s := newSmall()
	kept := without(s.lines, s.torn)                                                                      // only the file has it
	kept = slices.Insert(kept, 5, []byte(`{"level":"info","msg":"Starting"}`), []byte("W1122 klog"), nil) // the operator's own log
	kept = slices.Insert(kept, 20, kept[10:20]...)                                                        // given to the sink again
	options := s.options()
	options.Collected = true
	report := verified(t, options, kept)
	wantFaults(t, report)
	if report.Others != 3 || report.Repeated == 0 || report.Repeated > 10 {
		t.Errorf("%+v", report)
	}
	damaged := slices.Clone(kept)
	damaged[3] = append(slices.Clone(damaged[3][:40]), damaged[3][41:]...)
	if report := verified(t, options, damaged); report.First() == nil || report.First().Line != 4 {
		t.Errorf("a record with a byte less passes for a line of others: %+v", report.First())
	}
	if report := verified(t, s.options(), kept); report.First() == nil || report.First().Line != 6 || !strings.Contains(report.First().Advice, "--collected") {
		t.Errorf("%+v", report.First())
	}
	if report := verified(t, options, without(kept, 2)); report.First() == nil || report.First().Line != 3 {
		t.Errorf("a record that is missing is not found: %+v", report.First())
	}
}

// A crash may have left a whole line without its end. The next process counts it, so
// one that is not counted was put in the place of what the crash had left.
func TestUnfinishedButWhole(t *testing.T) {
	t.Parallel()
	const told = "audit.log:%d: the line before this should be an unfinished one of %d bytes, and is not"
	uncounted := func(line []byte) [][]byte {
		s := chainOf(2)
		lines := append(slices.Clone(s.lines), line)
		s.lines = lines
		return s.next("after", int64(len(line))).lines
	}
	t.Run("counted", func(t *testing.T) {
		t.Parallel()
		s := chainOf(2)
		wantFaults(t, verified(t, VerifyOptions{}, s.next("after", int64(len(s.lines[len(s.lines)-1]))).lines))
	})
	t.Run("a part of a line", func(t *testing.T) {
		t.Parallel()
		s := chainOf(3)
		wantFaults(t, verified(t, VerifyOptions{}, uncounted(s.lines[5][:len(s.lines[5])-1])))
	})
	for name, line := range map[string][]byte{
		"a record of the chain":  chainOf(3).lines[5],
		"a record of another":    newScribe("forged").forge(),
		"a record spelt another": append([]byte(" "), newScribe("forged").forge()...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := verified(t, VerifyOptions{}, uncounted(line))
			want := fmt.Sprintf(told, 7, len(line))
			if !slices.ContainsFunc(report.Faults, func(f Fault) bool { return fmt.Sprintf("audit.log:%d: %s", f.Line, f.What) == want }) || report.Unfinished > 0 {
				t.Errorf("a whole record passes for what a crash has left: %+v", report.Faults)
			}
		})
	}
}

// forge is one record far within a chain.
func (s *scribe) forge() []byte {
	s.sequence, s.previous = 6, "sha256:"+strings.Repeat("0", 64)
	s.decide(0)
	return s.lines[1]
}

func TestManyFaults(t *testing.T) {
	t.Parallel()
	var lines [][]byte
	for i := range 3 * MaxFaults {
		lines = append(lines, []byte(fmt.Sprint("no record ", i)))
	}
	report := verified(t, VerifyOptions{}, lines)
	if len(report.Faults) != MaxFaults || report.FaultsTotal != 3*MaxFaults || report.Faults[MaxFaults-1].Line != MaxFaults {
		t.Errorf("%d faults of %d", len(report.Faults), report.FaultsTotal)
	}
}

func TestVerifyEnds(t *testing.T) {
	t.Parallel()
	failing := func(yield func(Line, error) bool) { yield(Line{}, errors.New("permission denied")) }
	if _, err := Verify(t.Context(), failing, VerifyOptions{}); err == nil {
		t.Error("the trail cannot be read, and is judged")
	}
	ctx, cancel := context.WithCancel(t.Context())
	endless := func(yield func(Line, error) bool) {
		for i := 0; yield(Line{File: "f", Number: i, Raw: []byte("{}"), Ended: true}, nil); i++ {
			if i == 10_000 {
				cancel()
			}
		}
	}
	if _, err := Verify(ctx, endless, VerifyOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Of a text that was converted on its way every line is another. That is told, with
// what to do.
func TestConverted(t *testing.T) {
	t.Parallel()
	whole := string(text(chainOf(2).lines))
	wide := func(order func([]byte, uint16) []byte, mark string) string {
		out := []byte(mark)
		for _, unit := range utf16.Encode([]rune(whole)) {
			out = order(out, unit)
		}
		return string(out)
	}
	for name, converted := range map[string]string{
		"CR LF":           strings.ReplaceAll(whole, "\n", "\r\n"),
		"byte order mark": "\xef\xbb\xbf" + whole,
		"UTF-16":          wide(binary.LittleEndian.AppendUint16, "\xff\xfe"),
		"UTF-16BE":        wide(binary.BigEndian.AppendUint16, "\xfe\xff"),
		"UTF-16, no mark": wide(binary.LittleEndian.AppendUint16, ""),
	} {
		report, err := Verify(t.Context(), linesOf([]byte(converted)), VerifyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if first := report.First(); first == nil || first.Line != 1 || first.Advice != convertedAdvice {
			t.Errorf("%s: %+v", name, first)
		}
	}
}
