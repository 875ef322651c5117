// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/anchor"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/trail"
	"github.com/ow-kai/ascend-operator/internal/trail/schema/schematest"
)

var signing = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, ed25519.SeedSize))

// writer is a process of the operator.
type writer struct {
	t   *testing.T
	log *audit.Log
}

func open(t *testing.T, path string, maxSize int64, followers ...audit.Sink) *writer {
	t.Helper()
	file, err := audit.OpenFile(path, audit.FileOptions{MaxSize: maxSize})
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.Open(audit.Options{Sinks: append([]audit.Sink{file}, followers...), Replica: "pod-0", Version: "v0.5.0",
		Previous: file.Previous(), Unfinished: file.Unfinished()})
	if err != nil {
		t.Fatal(err)
	}
	return &writer{t, log}
}

// write adds records from several goroutines, with all that a record may have in it.
func (w *writer) write(records int) {
	w.t.Helper()
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			for i := range records / 4 {
				parameters := json.RawMessage(fmt.Sprintf(`{"amount":%d.25,"note":"<b>\u2028é\n\"","rate":1e-7,"big":1e+21,"none":null,"list":[1,-2.5,true]}`, i+1))
				record := audit.Record{
					Time: time.Now(), Event: v1alpha1.EventActionApproved, Namespace: "shop", Name: fmt.Sprintf("act-%d-%d", worker, i), UID: "u",
					Agent: "bot", ActionType: "payment", Decision: v1alpha1.DecisionApproved, Reason: "AutoApproved", Message: "bytes \xff\xfe and \x01 <&>",
					Request: &audit.Request{ActionType: "payment", Parameters: parameters, SubmittedAt: time.Now().UTC()},
				}
				if err := w.log.Append(w.t.Context(), record); err != nil {
					w.t.Error(err)
				}
			}
		})
	}
	wait.Wait()
}

func (w *writer) sign() audit.Checkpoint {
	w.t.Helper()
	checkpoint, err := w.log.Checkpoint(w.t.Context(), func(head audit.Head) (*audit.Checkpoint, error) {
		return audit.SignCheckpoint(signing, head, time.Now())
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return *checkpoint
}

func (w *writer) close() {
	w.t.Helper()
	if err := w.log.Close(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// What the operator has written is sound, and valid: over rotations, over a stop in
// order, and over processes that were killed in the middle of a line.
func TestWhatIsWrittenIsSound(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	path := filepath.Join(t.TempDir(), "audit.log")
	var anchors []audit.Checkpoint
	write := func(of func(*writer)) {
		t.Helper()
		w := open(t, path, 20_000, audit.NewWriter("stdout", &out))
		w.write(60)
		anchors = append(anchors, w.sign())
		w.write(40)
		anchors = append(anchors, w.sign())
		of(w)
	}
	write((*writer).close)
	// cut takes bytes off the end, as if the process had been killed while it wrote.
	cut := func(bytes int64) func(*writer) {
		return func(w *writer) {
			w.close()
			info, err := os.Stat(path)
			if err == nil {
				err = os.Truncate(path, info.Size()-bytes)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	write(cut(40)) // within audit.stopped
	write(cut(1))  // nothing but the newline
	write((*writer).close)

	rotated, err := trail.Rotated(path)
	if err != nil || len(rotated) < 4 {
		t.Fatalf("%d files were rotated out, %v", len(rotated), err)
	}
	options := trail.VerifyOptions{Anchors: anchors, Keys: []ed25519.PublicKey{ed25519.PublicKey(signing[ed25519.SeedSize:])}, RequireProof: true}
	report, err := trail.Verify(t.Context(), trail.Open([]string{path}, nil), options)
	if err != nil || !report.Sound() || len(report.Chains) != 4 || report.Unfinished != 1 || report.Records < 400 {
		t.Fatalf("%v, %+v", err, report)
	}
	for i, chain := range report.Chains {
		if chain.Signed == 0 || chain.Anchored != anchors[2*i+1].Sequence || chain.Replica != "pod-0" {
			t.Errorf("%+v", chain)
		}
	}
	for line, err := range trail.Open([]string{path}, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if err := schematest.Validate(line.Raw); err != nil && json.Valid(line.Raw) {
			t.Errorf("%s: %v\n%s", line, err, line.Raw)
		}
	}

	// What was collected has audit.stopped of each.
	options.Collected = true
	report, err = trail.Verify(t.Context(), trail.Lines("stdout", &out), options)
	if err != nil || !report.Sound() || len(report.Chains) != 4 {
		t.Fatalf("collected: %v, %+v", err, report)
	}
}

// A record without its newline at the end of a file that is rotated out before
// anything else is written.
func TestRotatedWithoutANewline(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	w := open(t, path, 0)
	w.write(20)
	w.close()
	info, err := os.Stat(path)
	if err == nil {
		err = os.Truncate(path, info.Size()-1)
	}
	if err != nil {
		t.Fatal(err)
	}
	w = open(t, path, 1000)
	w.write(20)
	w.close()
	report, err := trail.Verify(t.Context(), trail.Open([]string{path}, nil), trail.VerifyOptions{})
	if err != nil || !report.Sound() || len(report.Chains) != 2 || report.Chains[0].End != trail.EndStopped {
		t.Fatalf("%v, %+v", err, report)
	}
}

// A sink that fails and recovers leaves a trail that is sound.
func TestAfterFailuresItIsSound(t *testing.T) {
	t.Parallel()
	out := &moody{}
	log, err := audit.Open(audit.Options{Sinks: []audit.Sink{audit.NewWriter("stdout", out)}, Replica: "pod-0", Version: "v0.5.0"})
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for i := range 200 {
		out.fails = i%7 == 3
		err := log.Append(t.Context(), audit.Record{Event: v1alpha1.EventActionDenied, Namespace: "shop", Name: fmt.Sprint("act-", i), UID: "u", Decision: v1alpha1.DecisionDenied, Reason: "RuleDenied", Message: "no"})
		if err != nil {
			failed++
		}
	}
	out.fails = false
	if err := log.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	report, err := trail.Verify(t.Context(), trail.Lines("stdout", bytes.NewReader(out.Bytes())), trail.VerifyOptions{RequireProof: true})
	if err != nil || !report.Sound() || failed == 0 || report.Chains[0].Unconfirmed == 0 {
		t.Fatalf("%d failed; %v, %+v", failed, err, report)
	}
	schematest.Check(t, out.Bytes())
}

// moody is a place that sometimes takes half of what it is given, and fails.
type moody struct {
	bytes.Buffer
	fails bool
}

func (m *moody) Write(p []byte) (int, error) {
	if !m.fails {
		return m.Buffer.Write(p)
	}
	n, _ := m.Buffer.Write(p[:len(p)/2])
	return n, errors.New("no space left on device")
}

// The names that one side writes are those that the other one reads.
func TestNamesOfAnchors(t *testing.T) {
	t.Parallel()
	if trail.AnchorPrefix != anchor.ChainPrefix || trail.KeyPrefix != anchor.KeyPrefix {
		t.Error("other names")
	}
}
