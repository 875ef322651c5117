// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/process"
)

// component is one running part of the control plane.
type component struct {
	*process.Child
	name string
	dir  Dir
}

// startComponent starts argv, logging to DIR/logs/<name>.log, and writes down
// who it is in DIR/run/<name>.pid.
func startComponent(dir Dir, name string, argv []string) (*component, error) {
	path := dir.Log(name)
	_ = os.Rename(path, path+".previous") // there is none at the first start
	log, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own by then
	child, err := process.Start(argv, childEnv(os.Environ()), log)
	if err != nil {
		return nil, err
	}
	one := &component{Child: child, name: name, dir: dir}
	if err := writePid(dir.PidFile(name), child.Identity); err != nil {
		one.stop(brokenGrace)
		return nil, fmt.Errorf("write down the pid of %s: %w", name, err)
	}
	return one, nil
}

func writePid(path string, id process.Identity) error {
	text, err := json.Marshal(id)
	if err != nil {
		return err
	}
	return writeFile(path, append(text, '\n'), 0o644)
}

// How long a component may take to stop by itself: in an orderly stop, and when
// another one has died. Without etcd the API server would use up any grace.
const (
	stopGrace   = 15 * time.Second
	brokenGrace = 2 * time.Second
)

// stop ends the component and returns once it is gone.
func (c *component) stop(grace time.Duration) (forced bool) {
	forced = c.Stop(grace)
	_ = os.Remove(c.dir.PidFile(c.name))
	return forced
}

// ended reports whether the component has ended.
func (c *component) ended() bool {
	select {
	case <-c.Done:
		return true
	default:
		return false
	}
}

// diedError says that a component ended by itself.
type diedError struct {
	name, exit, log string
	tail            []string
}

func (e *diedError) Error() string {
	return fmt.Sprintf("%s ended by itself (%s). The last lines of %s:\n\n%s\n", e.name, e.exit, e.log, indent(e.tail))
}

func (c *component) died() error {
	path := c.dir.Log(c.name)
	return &diedError{name: c.name, exit: c.Exit(), log: path, tail: lastLines(path, 15)}
}

// errNotYet is what a check returns while its component is still starting.
var errNotYet = errors.New("not ready yet")

// await calls check until it succeeds. It fails when the component ends, when
// timeout has passed, or with ctx.
func (c *component) await(ctx context.Context, timeout time.Duration, check func(context.Context) error) error {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.Done:
			return c.died()
		case <-deadline.C:
			path := c.dir.Log(c.name)
			return fmt.Errorf("%s is not ready after %s (%w); give it longer with --timeout, or look at %s, whose last lines are:\n\n%s",
				c.name, timeout, err, path, indent(lastLines(path, 15)))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// lastLines returns up to n last lines of a file; nothing if it cannot be read,
// because what it is for is to add to another error.
func lastLines(path string, n int) []string {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	const enough = 64 << 10
	if info, err := file.Stat(); err == nil && info.Size() > enough {
		_, _ = file.Seek(-enough, io.SeekEnd)
	}
	text, _ := io.ReadAll(file)
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return lines[max(0, len(lines)-n):]
}

func indent(lines []string) string {
	return "    " + strings.Join(lines, "\n    ")
}
