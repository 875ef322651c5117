// SPDX-License-Identifier: Apache-2.0

package multicall

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// sampleStore is a store whose compiler only writes a file, and counts.
func sampleStore(t *testing.T) (Store, *atomic.Int32) {
	t.Helper()
	var compiled atomic.Int32
	return Store{
		Root:    filepath.Join(t.TempDir(), "cache"),
		Sources: sampleSources(),
		Compile: func(_ context.Context, source, out string, version Version, _ Reporter) error {
			compiled.Add(1)
			if _, err := os.Stat(filepath.Join(source, "controlplane", "main.go")); err != nil {
				return err
			}
			return os.WriteFile(out, []byte("binary of "+version.Git), 0o755)
		},
	}, &compiled
}

func silent() Reporter { return NewReporter(&bytes.Buffer{}, false) }

func TestEnsureBuildsOnceAndLinksThePrograms(t *testing.T) {
	store, compiled := sampleStore(t)
	folder, err := store.Ensure(t.Context(), silent())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(Programs, BinaryName) {
		if text, err := os.ReadFile(filepath.Join(folder, name)); err != nil || string(text) != "binary of v1.36.3" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	if entries, _ := os.ReadDir(folder); len(entries) != len(Programs)+1 {
		t.Errorf("the folder holds more than the programs: %v", entries)
	}
	if again, err := store.Ensure(t.Context(), silent()); err != nil || again != folder || compiled.Load() != 1 {
		t.Errorf("second Ensure: %s, %v, compiled %d times", again, err, compiled.Load())
	}
}

func TestTwoEnsuresAtOnceBuildOnce(t *testing.T) {
	store, compiled := sampleStore(t)
	inner, started, goOn := store.Compile, make(chan struct{}), make(chan struct{})
	store.Compile = func(ctx context.Context, source, out string, version Version, say Reporter) error {
		close(started)
		<-goOn
		return inner(ctx, source, out, version, say)
	}
	var both sync.WaitGroup
	both.Go(func() {
		if _, err := store.Ensure(t.Context(), silent()); err != nil {
			t.Error(err)
		}
	})
	<-started
	said := &waitingReporter{goOn: goOn}
	if _, err := store.Ensure(t.Context(), said); err != nil {
		t.Error(err)
	}
	both.Wait()
	if compiled.Load() != 1 {
		t.Errorf("compiled %d times", compiled.Load())
	}
	if !strings.Contains(said.line, "is being built by %s") {
		t.Errorf("the second said %q", said.line)
	}
}

// waitingReporter lets the first build go on once the second says it waits.
type waitingReporter struct {
	goOn chan struct{}
	line string
}

func (r *waitingReporter) Line(format string, _ ...any) {
	r.line = format
	close(r.goOn)
}
func (*waitingReporter) Progress(string, ...any) {}
func (*waitingReporter) EndProgress()            {}

func TestFailedBuildLeavesNothing(t *testing.T) {
	store, _ := sampleStore(t)
	broken := errors.New("broken")
	good := store.Compile
	store.Compile = func(_ context.Context, _, out string, _ Version, _ Reporter) error {
		_ = os.WriteFile(out, []byte("half"), 0o755)
		return broken
	}
	if _, err := store.Ensure(t.Context(), silent()); !errors.Is(err, broken) {
		t.Fatalf("Ensure: %v", err)
	}
	entries, err := os.ReadDir(store.Root)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".lock") {
			t.Errorf("left behind: %s", entry.Name())
		}
	}
	store.Compile = good
	if _, err := store.Ensure(t.Context(), silent()); err != nil {
		t.Errorf("the next build: %v", err)
	}
}

func TestIncompleteFolderIsBuiltAgain(t *testing.T) {
	store, compiled := sampleStore(t)
	folder, err := store.Ensure(t.Context(), silent())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(folder, BinaryName)); err != nil { // the links dangle now
		t.Fatal(err)
	}
	if _, err := store.Ensure(t.Context(), silent()); err != nil || compiled.Load() != 2 || !complete(folder) {
		t.Errorf("Ensure: %v, compiled %d times, complete %t", err, compiled.Load(), complete(folder))
	}
}
