// SPDX-License-Identifier: Apache-2.0

// Package process names a running process so that it can be recognised later,
// by another process, without mistaking a reused pid for it.
package process

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// ErrGone says that no live process has the pid that was asked for. A zombie
// counts as gone: it holds no file, no port and no lock.
var ErrGone = errors.New("no such process")

// Identity is one process, told apart from every other one that had or will
// have the same pid by its start time and its executable.
type Identity struct {
	PID int `json:"pid"`
	// Started is the start time in whatever form the system tells it; it is
	// compared, never read.
	Started string `json:"started"`
	// Exe is the path of the executable, links resolved.
	Exe string `json:"exe"`
}

// Self returns the identity of the calling process.
func Self() (Identity, error) {
	return Of(os.Getpid())
}

// Alive reports whether this very process still runs: same pid, same start
// time, same executable. Every doubt counts as no, because the caller uses
// the answer to decide whether to send a signal.
func (id Identity) Alive() bool {
	if id.PID <= 0 || id.Started == "" || id.Exe == "" {
		return false
	}
	now, err := Of(id.PID)
	return err == nil && now == id
}

// Signal sends sig if this very process still runs, and returns ErrGone if not.
func (id Identity) Signal(sig syscall.Signal) error {
	if !id.Alive() {
		return ErrGone
	}
	err := syscall.Kill(id.PID, sig)
	if errors.Is(err, syscall.ESRCH) {
		return ErrGone
	}
	if err != nil {
		return fmt.Errorf("send %s to pid %d: %w", sig, id.PID, err)
	}
	return nil
}

// WaitGone waits until the process is gone and reports whether it is, at the
// latest after timeout.
func (id Identity) WaitGone(timeout time.Duration) bool {
	deadline := time.Now().Add(timeout)
	for id.Alive() {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(20 * time.Millisecond)
	}
	return true
}

// End asks the process to stop, ends it by force when it has not stopped within
// grace, and returns once it is gone. A process that is gone already is no error.
func (id Identity) End(grace time.Duration) error {
	if err := id.Signal(syscall.SIGTERM); errors.Is(err, ErrGone) {
		return nil
	} else if err != nil {
		return err
	}
	if id.WaitGone(grace) {
		return nil
	}
	if err := id.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, ErrGone) {
		return err
	}
	if !id.WaitGone(5 * time.Second) {
		return fmt.Errorf("pid %d (%s) is still there after SIGKILL: it probably waits for a disk; look at `ps -o stat,wchan -p %d`",
			id.PID, id.Exe, id.PID)
	}
	return nil
}
