// SPDX-License-Identifier: Apache-2.0

package process

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Child is a process that this one started. It has a process group of its own,
// so that Ctrl-C in a terminal reaches the parent alone, which then stops its
// children in order.
type Child struct {
	Identity
	// Done is closed when the process has ended.
	Done chan struct{}
	err  error
	cmd  *exec.Cmd
}

// Start runs argv with both outputs into log.
//
// On Linux the child is killed by the kernel when the starting THREAD ends, so
// the calling goroutine is locked to its thread for good: call it from the main
// goroutine or from one that lives as long as the child shall.
func Start(argv, env []string, log *os.File) (*Child, error) {
	runtime.LockOSThread()
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:noctx // Stop ends it, after a grace and in the caller's order; a context would kill it at once
	cmd.Env, cmd.Stdout, cmd.Stderr = env, log, log
	cmd.SysProcAttr = childAttributes()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	child := &Child{Done: make(chan struct{}), cmd: cmd}
	// Start returns after the exec, so the executable is the child's own by
	// now. A child that died in the same moment has no identity to record;
	// whoever watches Done learns it.
	child.Identity, _ = Of(cmd.Process.Pid)
	go func() {
		child.err = cmd.Wait()
		close(child.Done)
	}()
	return child, nil
}

// Exit tells how the process ended, e.g. "exit status 1". Call it after Done.
func (c *Child) Exit() string {
	<-c.Done
	if c.err == nil {
		return "exit status 0"
	}
	return strings.TrimSpace(c.err.Error())
}

// Stop ends the child, by force when it has not stopped within grace, and
// returns once it is gone. It reports whether force was needed.
func (c *Child) Stop(grace time.Duration) (forced bool) {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended
	select {
	case <-c.Done:
		return false
	case <-time.After(grace):
	}
	_ = c.cmd.Process.Kill()
	<-c.Done
	return true
}
