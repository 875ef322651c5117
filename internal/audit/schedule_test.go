// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// TestWhateverFailsTheTrailIsWhole plays processes one after the other, on a disk
// whose operations fail as drawn. Some processes end in order, the others are
// killed within a write. What Append has confirmed is in the trail once, in whole
// chains; what it has not is there once or not at all, and where it is, a record
// says that it is unconfirmed, or the process was killed before it could.
func TestWhateverFailsTheTrailIsWhole(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		s := &schedule{t: t, path: filepath.Join(folder, strconv.Itoa(n), "audit.log"), confirmed: map[string]bool{}}
		if err := os.Mkdir(filepath.Dir(s.path), 0o700); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 4).Draw(t, "processes") {
			s.process()
		}
		s.check()
	})
}

// schedule is what happens in one run.
type schedule struct {
	t         *rapid.T
	path      string
	odds      int // that an operation fails, in percent
	killed    bool
	actions   int
	confirmed map[string]bool // by name, of those that were tried
}

// fault draws what becomes of an operation. A process that was killed does
// nothing more.
func (s *schedule) fault(operation string) (int, error) {
	if s.killed {
		return 0, syscall.EIO
	}
	if s.odds == 0 || rapid.IntRange(0, 99).Draw(s.t, operation) >= s.odds {
		return 0, nil
	}
	takes := rapid.IntRange(0, 3000).Draw(s.t, "takes")
	if operation != "open" && rapid.IntRange(0, 9).Draw(s.t, "killed") == 0 {
		s.killed = true
	}
	return takes, syscall.ENOSPC
}

func (s *schedule) process() {
	s.killed, s.odds = false, 0
	file, err := audit.OpenFileOn(audit.FaultyDisk{Fault: s.fault}, s.path, audit.FileOptions{
		MaxSize: int64(rapid.SampledFrom([]int{0, 1, 3000, 10_000}).Draw(s.t, "max size")),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.odds = rapid.SampledFrom([]int{0, 5, 30, 90}).Draw(s.t, "odds")
	log, err := audit.Open(audit.Options{Sinks: []audit.Sink{file}, Replica: "r", Previous: file.Previous(), Unfinished: file.Unfinished()})
	if err != nil {
		s.t.Fatal(err)
	}
	for range rapid.IntRange(0, 12).Draw(s.t, "appends") {
		records := make([]audit.Record, rapid.IntRange(1, 3).Draw(s.t, "records"))
		for i := range records {
			s.actions++
			records[i] = sample(fmt.Sprint("act-", s.actions))
		}
		err := log.Append(context.Background(), records...)
		for i := range records {
			s.confirmed[records[i].Name] = err == nil
		}
		if s.killed {
			s.kill(file)
			return
		}
		if err != nil && rapid.Bool().Draw(s.t, "check") {
			_ = log.Check(context.Background())
		}
	}
	if rapid.Bool().Draw(s.t, "recovers") {
		s.odds = 0
	}
	err = log.Close(context.Background())
	if s.killed {
		s.kill(file)
	} else if s.odds == 0 && err != nil {
		s.t.Fatal(err)
	}
}

// kill gives the lock of a process back as its end does.
func (s *schedule) kill(file *audit.File) {
	_ = file.Close() // what fails is the rest of a line that cannot be cut off
}

func (s *schedule) check() {
	// The last process: it tells what the one before left.
	s.killed, s.odds = false, 0
	file, err := audit.OpenFileOn(audit.FaultyDisk{Fault: s.fault}, s.path, audit.FileOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	log, err := audit.Open(audit.Options{Sinks: []audit.Sink{file}, Previous: file.Previous(), Unfinished: file.Unfinished()})
	if err == nil {
		err = log.Close(context.Background())
	}
	if err != nil {
		s.t.Fatal(err)
	}
	read, err := readTrail(s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	names := read.names()
	for name, confirmed := range s.confirmed {
		if confirmed && names[name] != 1 || names[name] > 1 {
			s.t.Fatalf("%s, confirmed %v, is in the trail %d times", name, confirmed, names[name])
		}
	}
}

// TestManyWritersAndFaults is the same with many writers at once, by chance.
func TestManyWritersAndFaults(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	var mu sync.Mutex
	operations := 0
	file, err := audit.OpenFileOn(audit.FaultyDisk{Fault: func(operation string) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		operations++
		if operation == "open" || operations%7 != 0 {
			return 0, nil
		}
		return operations * 37 % 2000, syscall.ENOSPC
	}}, path, audit.FileOptions{MaxSize: 20 << 10})
	if err != nil {
		t.Fatal(err)
	}
	log := openOn(t, file)
	confirmed := map[string]bool{}
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			for j := range 40 {
				name := fmt.Sprintf("act-%d-%d", i, j)
				if log.Append(t.Context(), sample(name)) == nil {
					mu.Lock()
					confirmed[name] = true
					mu.Unlock()
				}
			}
		})
	}
	wait.Wait()
	_ = log.Close(t.Context()) // may meet a fault
	if err := openAt(t, path, audit.FileOptions{}).Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	names := whole(t, path).names()
	kept := 0
	for name := range confirmed {
		kept++
		if names[name] != 1 {
			t.Errorf("%s is in the trail %d times", name, names[name])
		}
	}
	if kept == 0 || kept == 16*40 {
		t.Errorf("%d confirmed", kept)
	}
	t.Logf("%d of %d confirmed, %d in the trail, %d operations", kept, 16*40, len(names), operations)
}
