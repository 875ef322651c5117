// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/lockfile"
)

// Holder tells who runs the cluster in the folder; nil if nobody does. It only
// looks: taking the lock to try it would make an `up` of the same moment fail.
func (d Dir) Holder() *lockfile.Holder {
	holder := lockfile.Read(d.Lock())
	if !holder.Alive() {
		return nil
	}
	return &holder
}

// downTimeout covers three components that each need their whole grace.
const downTimeout = 3*stopGrace + 5*time.Second

// Stop stops the cluster that runs in the folder and returns once it is gone.
// It reports whether one was running. What a killed run left is ended too.
func (d Dir) Stop(say func(string, ...any)) (wasRunning bool, err error) {
	// No lock file means that no cluster ever ran there: leave the folder alone.
	if _, err := os.Stat(d.Lock()); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	lock, err := lockfile.Acquire(d.Lock())
	if held, ok := errors.AsType[*lockfile.HeldError](err); ok {
		return true, stopHolder(held.Holder)
	}
	if err != nil {
		return false, err
	}
	defer lock.Release()
	if err := d.endOrphans(say); err != nil {
		return false, err
	}
	if err := os.Remove(d.Ready()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return false, nil
}

// stopHolder ends the driver that holds the lock by asking it; the driver stops
// its components. It is never killed, because that would skip their order.
func stopHolder(holder lockfile.Holder) error {
	if !holder.Alive() {
		return fmt.Errorf("the folder is locked, but its holder (%s) is not a process that can be seen from here: "+
			"it may run in another container; stop it there", holder.Describe(time.Now()))
	}
	if err := holder.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if !holder.WaitGone(downTimeout) {
		return fmt.Errorf("pid %d has not stopped within %s: end it with `kill -9 %d`; the next `up` or `down` cleans up after it",
			holder.PID, downTimeout, holder.PID)
	}
	return nil
}

// Status is what can be told about a folder from outside.
type Status struct {
	Holder *lockfile.Holder // nil: not running
	State  State            // of the latest run; zero while the first one starts
	Ready  bool
	// Trouble says why a running cluster does not answer; "" if it does.
	Trouble string
}

// Status looks at the folder and, if a cluster runs in it, asks its API server.
func (d Dir) Status(ctx context.Context) (Status, error) {
	holder := d.Holder()
	state, err := d.ReadState()
	if err != nil {
		return Status{}, err
	}
	status := Status{Holder: holder, State: state}
	if holder == nil {
		return status, nil
	}
	if _, err := os.Stat(d.Ready()); err != nil {
		status.Trouble = "it is still starting, or on its way down"
		return status, nil //nolint:nilerr // without the file the cluster is not ready, which is what Status tells
	}
	api, err := d.newClient(state.APIServer, "ca", "admin")
	if err == nil {
		_, err = api.get(ctx, "/readyz")
	}
	if err != nil {
		status.Trouble = err.Error()
		return status, nil //nolint:nilerr // why the cluster does not answer is part of its status
	}
	status.Ready = true
	return status, nil
}
