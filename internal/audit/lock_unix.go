// SPDX-License-Identifier: Apache-2.0

//go:build unix && !solaris && !aix

package audit

import (
	"errors"
	"os"
	"syscall"
	"time"
)

const (
	// lockPatience is how long a file may be held by a process that is about to
	// end, or by a child of one that has not yet become another program.
	lockPatience = 3 * time.Second
	lockPoll     = 20 * time.Millisecond
)

// lock takes the file for this process, until it is closed or the process ends.
// Where the file system knows no locks it does nothing.
func lock(file *os.File) error {
	err := tryLock(file)
	for began := time.Now(); errors.Is(err, errLocked) && time.Since(began) < lockPatience; err = tryLock(file) {
		time.Sleep(lockPoll)
	}
	return err
}

func tryLock(file *os.File) error {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return errLocked
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.ENOLCK):
		return nil
	default:
		return err
	}
}
