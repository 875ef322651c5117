// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// child is a process that runs beside this one. It has a process group of its
// own, so that Ctrl-C in a terminal reaches this program alone, which then
// stops its children in order.
type child struct {
	name string
	log  string // path of the file with both of its outputs
	done chan struct{}
	err  error
	cmd  *exec.Cmd
}

// startChild starts argv with both outputs into the file log, which begins
// anew. Call it from the main goroutine: see init in main.go.
func startChild(name string, argv, env []string, log string) (*child, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	//nolint:noctx // it is stopped by its stop method, in order, and not killed when a context ends
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, out, out
	cmd.SysProcAttr = childAttributes()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the %s: %w", name, err)
	}
	c := &child{name: name, log: log, done: make(chan struct{}), cmd: cmd}
	go func() {
		c.err = cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// ended says whether the process has ended.
func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// died is the error that says that the process ended by itself, with the last
// lines that it printed.
func (c *child) died() error {
	<-c.done
	how := "exit status 0"
	if c.err != nil {
		how = c.err.Error()
	}
	return fmt.Errorf("the %s ended by itself (%s). The end of its log, %s:\n%s", c.name, how, c.log, lastLines(c.log, 15))
}

// stop asks the process to stop, ends it by force after grace, and returns
// once it is gone.
func (c *child) stop(grace time.Duration) {
	if c == nil {
		return
	}
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended
	select {
	case <-c.done:
		return
	case <-time.After(grace):
	}
	say("the %s did not stop within %s and is ended by force", c.name, grace)
	_ = c.cmd.Process.Kill()
	<-c.done
}

// logTail is how many bytes at the end of a log are looked at.
const logTail = 64 << 10

// lastLines returns the last n lines of a file, indented; a hint when there
// are none.
func lastLines(path string, n int) string {
	file, err := os.Open(path)
	if err != nil {
		return "  (" + err.Error() + ")"
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > logTail {
		if _, err := file.Seek(-logTail, io.SeekEnd); err != nil {
			return "  (" + err.Error() + ")"
		}
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return "  (" + err.Error() + ")"
	}
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return "  (nothing)"
	}
	lines := strings.Split(string(text), "\n")
	lines = lines[max(0, len(lines)-n):]
	return "  " + strings.Join(lines, "\n  ")
}
