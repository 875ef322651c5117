// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package process

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// Of returns the identity of the live process with this pid, or ErrGone. It
// asks ps, because these systems have no /proc.
func Of(pid int) (Identity, error) {
	out, err := exec.Command("ps", "-o", "stat=,lstart=,comm=", "-p", strconv.Itoa(pid)).Output() //nolint:noctx // ps answers at once
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return Identity{}, ErrGone
	}
	if err != nil {
		return Identity{}, fmt.Errorf("ask ps about pid %d: %w", pid, err)
	}
	return parsePS(pid, string(out))
}

// parsePS reads "STAT Day Mon DD HH:MM:SS YYYY command", the line that ps prints.
func parsePS(pid int, line string) (Identity, error) {
	fields := strings.Fields(line)
	if len(fields) < 7 {
		return Identity{}, fmt.Errorf("ps about pid %d: cannot read %q", pid, line)
	}
	if strings.HasPrefix(fields[0], "Z") {
		return Identity{}, ErrGone
	}
	return Identity{
		PID:     pid,
		Started: strings.Join(fields[1:6], " "),
		Exe:     strings.Join(fields[6:], " "),
	}, nil
}
