// SPDX-License-Identifier: Apache-2.0

package lockfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/process"
)

func TestDescribe(t *testing.T) {
	since := time.Date(2026, 3, 1, 15, 4, 5, 0, time.Local)
	tests := map[string]struct {
		holder Holder
		after  time.Duration
		want   string
	}{
		"today":        {Holder{process.Identity{PID: 41}, since}, 130 * time.Second, "pid 41 since 15:04:05 (2m10s)"},
		"days ago":     {Holder{process.Identity{PID: 41}, since}, 25 * time.Hour, "pid 41 since 2026-03-01 15:04:05 (25h0m0s)"},
		"not yet told": {Holder{}, 0, "a process that has not written its pid yet"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.holder.Describe(since.Add(tt.after)); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestSecondAcquireLearnsTheHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	lock, err := Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Acquire(path)
	var held *HeldError
	if !errors.As(err, &held) {
		t.Fatalf("second Acquire: %v, want *HeldError", err)
	}
	if held.Holder.PID != os.Getpid() || !held.Holder.Alive() {
		t.Errorf("holder %+v, want this process", held.Holder)
	}
	if !strings.Contains(err.Error(), path) {
		t.Errorf("the message does not name the file: %v", err)
	}
	lock.Release()
	if holder := Read(path); holder.PID != 0 {
		t.Errorf("after Release the file names %+v", holder)
	}
	again, err := Acquire(path)
	if err != nil {
		t.Fatalf("after Release: %v", err)
	}
	again.Release()
}

func TestFileOfAKilledHolderDoesNotLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if err := os.WriteFile(path, []byte(`{"pid":1,"started":"0","exe":"/gone","since":"2026-03-01T00:00:00Z"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	lock, err := Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	lock.Release()
}

func TestWaitTellsOnceAndTakesOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	second, err := Wait(t.Context(), path, func(holder Holder) {
		told++
		if holder.PID != os.Getpid() {
			t.Errorf("waiting for %+v", holder)
		}
		first.Release()
	})
	if err != nil || told != 1 {
		t.Fatalf("Wait: %v, told %d times", err, told)
	}
	second.Release()
}

func TestWaitEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Release()
	ctx, cancel := context.WithCancel(t.Context())
	_, err = Wait(ctx, path, func(Holder) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v, want context.Canceled", err)
	}
}
