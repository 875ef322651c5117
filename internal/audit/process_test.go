// SPDX-License-Identifier: Apache-2.0

//go:build unix

package audit_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// asWriter makes this test binary a process that writes to the file, and asLimit
// is how large it may get.
const (
	asWriter = "ASCEND_TEST_AS_WRITER"
	asLimit  = "ASCEND_TEST_LIMIT"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(asWriter); path != "" {
		os.Exit(write(path, os.Getenv(asLimit)))
	}
	os.Exit(m.Run())
}

// write keeps records from 8 goroutines until it is killed, or until it cannot,
// and prints the name of each that is confirmed.
func write(path, limit string) int {
	if limit != "" {
		var bytes uint64
		if _, err := fmt.Sscan(limit, &bytes); err != nil {
			return 3
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: bytes}); err != nil {
			return 4
		}
	}
	file, err := audit.OpenFile(path, audit.FileOptions{MaxSize: 50 << 10})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 5
	}
	log, err := audit.Open(audit.Options{Sinks: []audit.Sink{file}, Previous: file.Previous(), Unfinished: file.Unfinished()})
	if err != nil {
		return 6
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := 0; ; j++ {
				name := fmt.Sprintf("act-%d-%d-%d", os.Getpid(), i, j)
				record := sample(name)
				record.Request = asked(300)
				if err := log.Append(context.Background(), record); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				fmt.Println(name)
			}
		})
	}
	all.Wait()
	return 7
}

// runWriter returns the records that a process has confirmed by the time it was
// killed, or ended by itself, and what it complained of.
func runWriter(t *testing.T, path, limit string, killAfter time.Duration) (confirmed []string, complaint string) {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), asWriter+"="+path, asLimit+"="+limit)
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if confirmed = append(confirmed, lines.Text()); len(confirmed) == 1 && killAfter > 0 {
			time.AfterFunc(killAfter, func() { _ = command.Process.Kill() })
		}
	}
	var exit *exec.ExitError
	if err := command.Wait(); !errors.As(err, &exit) {
		t.Fatalf("the process ended with %v", err)
	}
	return confirmed, stderr.String()
}

func TestAKilledProcessLosesNothingThatWasConfirmed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	confirmed := map[string]bool{}
	for range 20 {
		names, complaint := runWriter(t, path, "", time.Duration(rand.IntN(30_000))*time.Microsecond)
		if complaint != "" {
			t.Fatal(complaint)
		}
		for _, name := range names {
			confirmed[name] = true
		}
	}
	if err := openAt(t, path, audit.FileOptions{}).Close(t.Context()); err != nil { // tells what the last one left
		t.Fatal(err)
	}
	read := whole(t, path)
	names := read.names()
	for name := range confirmed {
		if names[name] != 1 {
			t.Errorf("%s was confirmed and is in the trail %d times", name, names[name])
		}
	}
	if len(read.order) != 21 {
		t.Errorf("%d chains of 21 processes", len(read.order))
	}
	t.Logf("20 kills: %d records confirmed, %d in the trail, 0 lost", len(confirmed), len(names))
}

func TestAFileAtItsLimitIsLikeAFullDisk(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	confirmed, complaint := runWriter(t, path, "20000", 0)
	if !strings.Contains(complaint, "file too large") || len(confirmed) == 0 {
		t.Fatalf("%d confirmed, complaint %q", len(confirmed), complaint)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 20_000 {
		t.Errorf("%v (error %v)", info, err)
	}
	if err := openAt(t, path, audit.FileOptions{}).Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	names := whole(t, path).names()
	for _, name := range confirmed {
		if names[name] != 1 {
			t.Errorf("%s was confirmed and is in the trail %d times", name, names[name])
		}
	}
	if len(names) != len(confirmed) {
		t.Errorf("%d confirmed, %d in the trail", len(confirmed), len(names))
	}
}
