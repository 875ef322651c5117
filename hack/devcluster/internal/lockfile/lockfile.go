// SPDX-License-Identifier: Apache-2.0

// Package lockfile makes sure that one process at a time does a thing, and lets
// the others say who does it. The lock is flock(2), so it ends with its holder
// however the holder ends; the file's content only names the holder.
package lockfile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/process"
)

// Holder is who holds a lock. The zero value means that it is not known.
type Holder struct {
	process.Identity
	Since time.Time `json:"since"`
}

// Describe words the holder for a message: "pid 41 since 15:04:05 (2m10s)".
func (h Holder) Describe(now time.Time) string {
	if h.PID == 0 {
		return "a process that has not written its pid yet"
	}
	since := h.Since.Local().Format("15:04:05")
	if age := now.Sub(h.Since); age >= 24*time.Hour {
		since = h.Since.Local().Format("2006-01-02 15:04:05")
	}
	return fmt.Sprintf("pid %d since %s (%s)", h.PID, since, now.Sub(h.Since).Round(time.Second))
}

// HeldError says that another process holds the lock.
type HeldError struct {
	Path   string
	Holder Holder
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("%s is locked by %s", e.Path, e.Holder.Describe(time.Now()))
}

// Lock is a held lock.
type Lock struct{ file *os.File }

// Acquire takes the lock at path, making the file if needed, and writes the
// caller into it. It never waits: if another process holds the lock it returns
// a *HeldError.
func Acquire(path string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		_ = file.Close()
		return nil, &HeldError{Path: path, Holder: readHolder(path)}
	}
	if err == nil {
		err = writeHolder(file)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return &Lock{file: file}, nil
}

// Wait takes the lock, waiting for the other holder if there is one. It calls
// waiting once, before it starts to wait.
func Wait(ctx context.Context, path string, waiting func(Holder)) (*Lock, error) {
	told := false
	for {
		lock, err := Acquire(path)
		var held *HeldError
		if !errors.As(err, &held) {
			return lock, err
		}
		if !told {
			told = true
			waiting(held.Holder)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("gave up waiting for %s: %w", held.Holder.Describe(time.Now()), ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Release gives the lock up. The file stays: removing it would let two
// processes hold locks on two files of the same name.
func (l *Lock) Release() {
	_ = l.file.Truncate(0)
	_ = l.file.Close()
}

func writeHolder(file *os.File) error {
	self, err := process.Self()
	if err != nil {
		return err
	}
	text, err := json.Marshal(Holder{Identity: self, Since: time.Now()})
	if err != nil {
		return err
	}
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err = file.WriteAt(append(text, '\n'), 0)
	return err
}

// Read returns the holder that the file names, without touching the lock. It
// may name one that has ended: ask its Alive. No file, or none that can be
// read, names nobody.
func Read(path string) Holder {
	var holder Holder
	text, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(text, &holder) != nil {
		return Holder{}
	}
	return holder
}

// readHolder reads the holder's name out of a file that is locked. Between
// taking the lock and writing the name there is a moment in which the file is
// empty, names the holder before, or holds half a name: hence the second looks.
func readHolder(path string) Holder {
	for range 20 {
		if holder := Read(path); holder.Alive() {
			return holder
		}
		time.Sleep(10 * time.Millisecond)
	}
	return Read(path)
}
