// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/process"
)

// orphan starts a process that outlives its driver, as far as the folder knows.
func orphan(t *testing.T) process.Identity {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reaped := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(reaped)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-reaped
	})
	id, err := process.Of(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestEndOrphans(t *testing.T) {
	tests := map[string]struct {
		change func(*process.Identity)
		ended  bool
	}{
		"the very process":            {func(*process.Identity) {}, true},
		"its pid belongs to another":  {func(id *process.Identity) { id.Started = "1" }, false},
		"another program has its pid": {func(id *process.Identity) { id.Exe = "/bin/etcd" }, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir, id := newDir(t), orphan(t)
			noted := id
			tt.change(&noted)
			if err := writePid(dir.PidFile("etcd"), noted); err != nil {
				t.Fatal(err)
			}
			var said []string
			err := dir.endOrphans(func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) })
			if err != nil {
				t.Fatal(err)
			}
			if id.Alive() == tt.ended {
				t.Errorf("alive: %t", id.Alive())
			}
			if tt.ended && (len(said) != 1 || !strings.Contains(said[0], strconv.Itoa(id.PID))) {
				t.Errorf("said %q", said)
			}
			if _, err := os.Stat(dir.PidFile("etcd")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the pid file stays: %v", err)
			}
		})
	}
}

func TestEndOrphansUsersBeforeTheStore(t *testing.T) {
	dir := newDir(t)
	for _, name := range startOrder {
		if err := writePid(dir.PidFile(name), orphan(t)); err != nil {
			t.Fatal(err)
		}
	}
	var order []string
	if err := dir.endOrphans(func(_ string, args ...any) { order = append(order, fmt.Sprint(args[0])) }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, " "); got != "kube-controller-manager kube-apiserver etcd" {
		t.Errorf("ended in the order %s", got)
	}
}

func TestDamagedPidFileEndsNobody(t *testing.T) {
	dir := newDir(t)
	if err := os.WriteFile(dir.PidFile("etcd"), []byte("{half"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := dir.endOrphans(t.Logf); err != nil {
		t.Error(err)
	}
}

func TestNothingRuns(t *testing.T) {
	for name, dir := range map[string]Dir{"empty folder": newDir(t), "no folder": Dir(t.TempDir() + "/none")} {
		t.Run(name, func(t *testing.T) {
			if was, err := dir.Stop(t.Logf); was || err != nil {
				t.Errorf("Stop: %t, %v", was, err)
			}
			if holder := dir.Holder(); holder != nil {
				t.Errorf("Holder: %+v", holder)
			}
			if status, err := dir.Status(t.Context()); err != nil || status.Ready || status.Holder != nil {
				t.Errorf("Status: %+v, %v", status, err)
			}
		})
	}
}
