// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// openAt begins a chain in a file, as a process does.
func openAt(t *testing.T, path string, options audit.FileOptions) *audit.Log {
	t.Helper()
	file, err := audit.OpenFile(path, options)
	if err != nil {
		t.Fatal(err)
	}
	return openOn(t, file)
}

func openOn(t *testing.T, file *audit.File) *audit.Log {
	t.Helper()
	return open(t, audit.Options{Sinks: []audit.Sink{file}, Previous: file.Previous(), Unfinished: file.Unfinished()})
}

// whole reads a trail that has to be whole.
func whole(t *testing.T, path string) *trail {
	t.Helper()
	read, err := readTrail(path)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func TestEachProcessSaysWhereTheOneBeforeEnded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	for i := range 3 {
		log := openAt(t, path, audit.FileOptions{})
		if err := log.Append(t.Context(), sample(fmt.Sprint("act-", i))); err != nil {
			t.Fatal(err)
		}
		if err := log.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if read := whole(t, path); len(read.order) != 3 || len(read.records) != 9 {
		t.Errorf("%d chains, %d records", len(read.order), len(read.records))
	}
}

func TestWhatAKilledProcessLeavesIsTold(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	log := openAt(t, path, audit.FileOptions{})
	if err := errors.Join(log.Append(t.Context(), sample("act-1")), log.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte{'\n'})
	complete := slices.Concat(lines[0], lines[1])
	for cut := range len(lines[1]) { // at each byte of the second line, its end included
		killed := filepath.Join(t.TempDir(), "audit.log")
		if err := os.WriteFile(killed, complete[:len(lines[0])+cut], 0o600); err != nil {
			t.Fatal(err)
		}
		next := openAt(t, killed, audit.FileOptions{})
		if err := errors.Join(next.Append(t.Context(), sample("act-2")), next.Close(t.Context())); err != nil {
			t.Fatal(err)
		}
		read := whole(t, killed)
		whole := cut == len(lines[1])-1 // all but the end of the line
		if got := read.names(); got["act-2"] != 1 || (got["act-1"] == 1) != whole {
			t.Fatalf("cut at %d of %d: %v", cut, len(lines[1]), got)
		}
	}
}

func TestRotationKeepsTheChainWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	clock := clocktesting.NewFakePassiveClock(noon)
	options := audit.FileOptions{MaxSize: 4 << 10, Clock: clock}
	for process := range 3 {
		log := openAt(t, path, options)
		for i := range 40 {
			if i == 20 {
				clock.SetTime(clock.Now().Add(-time.Hour)) // somebody sets the clock back
			}
			if err := log.Append(t.Context(), sample(fmt.Sprintf("act-%d-%d", process, i))); err != nil {
				t.Fatal(err)
			}
		}
		if err := log.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	read := whole(t, path)
	if len(read.names()) != 120 || len(read.order) != 3 {
		t.Errorf("%d names in %d chains", len(read.names()), len(read.order))
	}
	old, err := audit.Rotated(path)
	if err != nil || len(old) < 10 {
		t.Fatalf("%d files (error %v)", len(old), err)
	}
	if got, want := filepath.Base(old[0]), "audit-20261122T110000.123456Z.log"; got != want {
		t.Errorf("the first one is %s, want %s", got, want)
	}
	for _, p := range append(old, path) {
		if info, err := os.Stat(p); err != nil || info.Size() > 4<<10 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v (error %v)", p, info, err)
		}
	}
}

func TestNobodyElseReadsTheFileUnlessItsOwnerSaysSo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	log := openAt(t, path, audit.FileOptions{MaxSize: 1})
	add := func(mode os.FileMode) {
		t.Helper()
		if err := log.Append(t.Context(), sample("act")); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("mode %v (error %v), want %v", info.Mode(), err, mode)
		}
	}
	add(0o600)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	add(0o640)
	add(0o640)
	if old, err := audit.Rotated(path); err != nil || len(old) != 3 {
		t.Errorf("rotated %q (error %v)", old, err)
	}
}

func TestOldFilesAreRemovedTheOldestFirst(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "audit.log")
	for _, other := range []string{"audit-20261122T110000.123456Z.log.gz", "audit-old.log", "audit2-20201122T110000.123456Z.log"} {
		if err := os.WriteFile(filepath.Join(folder, other), []byte("another's\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log := openAt(t, path, audit.FileOptions{MaxSize: 2 << 10, MaxFiles: 3})
	for i := range 60 {
		if err := log.Append(t.Context(), sample(fmt.Sprint("act-", i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 3+3+1 {
		t.Errorf("%d files: %v (error %v)", len(entries), entries, err)
	}
}

func TestAChainGoesOnWhereARotationWasCutShort(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	log := openAt(t, path, audit.FileOptions{})
	if err := errors.Join(log.Append(t.Context(), sample("act-1")), log.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	aside := strings.TrimSuffix(path, ".log") + "-20991122T110000.123456Z.log"
	if err := os.Rename(path, aside); err != nil { // killed before the next file was made
		t.Fatal(err)
	}
	log = openAt(t, path, audit.FileOptions{MaxSize: 1})
	if err := errors.Join(log.Append(t.Context(), sample("act-2")), log.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	if read := whole(t, path); len(read.order) != 2 || len(read.records) != 6 {
		t.Errorf("%d chains, %d records", len(read.order), len(read.records))
	}
}

// faults fail the operations that are in them, for good.
type faults map[string]error

func (f faults) fault(operation string) (int, error) { return 100, f[operation] }

func TestAFileThatCannotBeRotatedGrowsOn(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"rename", "open", "sync folder"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "audit.log")
			failing := faults{}
			file, err := audit.OpenFileOn(audit.FaultyDisk{Fault: failing.fault}, path, audit.FileOptions{MaxSize: 2 << 10})
			if err != nil {
				t.Fatal(err)
			}
			log := openOn(t, file)
			failing[operation] = syscall.EACCES
			for i := range 10 {
				if err := log.Append(t.Context(), sample(fmt.Sprint("act-", i))); err != nil {
					t.Fatal(err)
				}
			}
			delete(failing, operation)
			for i := range 10 {
				if err := log.Append(t.Context(), sample(fmt.Sprint("act-", 10+i))); err != nil {
					t.Fatal(err)
				}
			}
			if err := log.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			read := whole(t, path)
			if old, err := audit.Rotated(path); err != nil || len(old) == 0 || len(read.records) != 22 {
				t.Errorf("%d records, %d files (error %v)", len(read.records), len(old), err)
			}
		})
	}
}

func TestWhatAFailedWriteLeavesIsCutOff(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		failing []string
		want    string
	}{
		"no space half way":           {[]string{"write"}, "no space left on device"},
		"a sync that fails":           {[]string{"sync"}, "no space left on device"},
		"and it cannot be cut off":    {[]string{"write", "truncate"}, "no space left on device"},
		"not synced, and not cut off": {[]string{"sync", "truncate"}, "no space left on device"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "audit.log")
			failing := faults{}
			file, err := audit.OpenFileOn(audit.FaultyDisk{Fault: failing.fault}, path, audit.FileOptions{})
			if err != nil {
				t.Fatal(err)
			}
			log := openOn(t, file)
			if err := log.Append(t.Context(), sample("act-1")); err != nil {
				t.Fatal(err)
			}
			for _, operation := range test.failing {
				failing[operation] = syscall.ENOSPC
			}
			for range 3 {
				if err := log.Append(t.Context(), sample("refused")); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), test.want) {
					t.Fatalf("got %v", err)
				}
			}
			clear(failing)
			if err := errors.Join(log.Append(t.Context(), sample("act-2")), log.Close(t.Context())); err != nil {
				t.Fatal(err)
			}
			read := whole(t, path)
			if got := read.names(); len(read.records) != 5 || got["refused"] != 0 || read.records[2].Event != audit.EventResumed {
				t.Errorf("%d records: %v", len(read.records), got)
			}
		})
	}
}

func TestAFileThatSomebodyMovedOrRemovedIsBegunAnew(t *testing.T) {
	t.Parallel()
	for name, meddle := range map[string]func(path string) error{
		"moved":   func(path string) error { return os.Rename(path, path+".1") },
		"removed": os.Remove,
		"replaced": func(path string) error {
			return errors.Join(os.WriteFile(path+".new", nil, 0o600), os.Rename(path+".new", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "audit.log")
			log := openAt(t, path, audit.FileOptions{})
			if err := errors.Join(log.Append(t.Context(), sample("before")), meddle(path), log.Append(t.Context(), sample("after"))); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(text), `"name":"after"`) || strings.Contains(string(text), `"name":"before"`) {
				t.Errorf("%s (error %v)", text, err)
			}
		})
	}
}

// Renamed, a link would stay one, and the next file would begin where the link is.
func TestALinkInThePlaceOfTheFileIsNotFollowed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	log := openAt(t, path, audit.FileOptions{})
	if err := errors.Join(log.Append(t.Context(), sample("before")), os.Rename(path, path+".1"), os.Symlink("audit.log.1", path)); err != nil {
		t.Fatal(err)
	}
	if err := log.Append(t.Context(), sample("refused")); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(os.Remove(path), log.Append(t.Context(), sample("after"))); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), `"name":"after"`) {
		t.Errorf("%s (error %v)", text, err)
	}
}

func TestAFileThatSomebodyCutIsAddedTo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	log := openAt(t, path, audit.FileOptions{})
	if err := errors.Join(log.Append(t.Context(), sample("before")), os.Truncate(path, 40), log.Append(t.Context(), sample("after"))); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if lines := strings.Split(string(text), "\n"); err != nil || len(lines) != 3 || len(lines[0]) != 40 || !strings.Contains(lines[1], `"name":"after"`) {
		t.Errorf("%s (error %v)", text, err)
	}
}

func TestTwoProcessesDoNotWriteOneFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	log := openAt(t, path, audit.FileOptions{})
	if _, err := audit.OpenFile(path, audit.FileOptions{}); err == nil || !strings.Contains(err.Error(), "give each replica a file of its own") {
		t.Errorf("got %v", err)
	}
	if err := log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := openAt(t, path, audit.FileOptions{}).Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoFileIsRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	link, nowhere := filepath.Join(folder, "link.log"), filepath.Join(folder, "nowhere.log")
	if err := errors.Join(os.WriteFile(filepath.Join(folder, "there.log"), nil, 0o600), os.Symlink("there.log", link), os.Symlink("none.log", nowhere)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, filepath.Join(folder, "no", "such", "audit.log"), os.DevNull, link, nowhere} {
		if _, err := audit.OpenFile(path, audit.FileOptions{}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestAFileWithoutRecordsHasNoneBefore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text       string
		unfinished int64
	}{
		"lines of somebody else": {"hello\n{}\n[1]\n", 3},
		"one long line":          {strings.Repeat("x", 200<<10), 200 << 10},
		"long lines":             {strings.Repeat(strings.Repeat("x", 99<<10)+"\n", 5) + "{", 99 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "audit.log")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			file, err := audit.OpenFile(path, audit.FileOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			if file.Previous() != nil || file.Unfinished() != test.unfinished {
				t.Errorf("previous %v, unfinished %d", file.Previous(), file.Unfinished())
			}
		})
	}
}

func TestALongRecordIsFoundAtTheEnd(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	log := openAt(t, path, audit.FileOptions{})
	long := sample("long")
	long.Request = asked(300 << 10)
	if err := log.Append(t.Context(), long); err != nil {
		t.Fatal(err)
	}
	head := log.Head()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	killed := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(killed, append(text, text[:200]...), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := audit.OpenFile(killed, audit.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got := file.Previous(); got == nil || *got != head {
		t.Errorf("previous %v, want %v", got, head)
	}
}
