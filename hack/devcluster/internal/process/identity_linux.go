// SPDX-License-Identifier: Apache-2.0

package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// Of returns the identity of the live process with this pid, or ErrGone.
func Of(pid int) (Identity, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if gone(err) {
		return Identity{}, ErrGone
	}
	if err != nil {
		return Identity{}, err
	}
	state, started, err := parseStat(string(stat))
	if err != nil {
		return Identity{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
	}
	if state == "Z" || state == "X" {
		return Identity{}, ErrGone
	}
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if gone(err) {
		return Identity{}, ErrGone
	}
	if err != nil {
		return Identity{}, err
	}
	// The kernel adds this when the file was replaced or removed under the
	// running process, e.g. by a new build; it is the same process.
	exe = strings.TrimSuffix(exe, " (deleted)")
	return Identity{PID: pid, Started: started, Exe: exe}, nil
}

func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}

// parseStat takes state (field 3) and start time in clock ticks since boot
// (field 22) out of a line of /proc/PID/stat, see proc_pid_stat(5). The second
// field, the command in parentheses, may itself hold blanks and parentheses.
func parseStat(line string) (state, started string, err error) {
	end := strings.LastIndexByte(line, ')')
	if end < 0 {
		return "", "", errors.New("no command in parentheses")
	}
	fields := strings.Fields(line[end+1:])
	if len(fields) < 20 {
		return "", "", fmt.Errorf("%d fields after the command, want at least 20", len(fields))
	}
	return fields[0], fields[19], nil
}
