// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/cluster"
	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/multicall"
	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/process"
)

// driver is a running `devcluster up`.
type driver struct {
	cmd    *exec.Cmd
	output bytes.Buffer // read it after done
	done   chan error
}

// devcluster makes the command line of the driver.
func devcluster(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asDriver+"=1", "KUBECONFIG=")
	return cmd
}

// output runs the driver and returns all that it says.
func output(t *testing.T, args ...string) (text string, code int) {
	t.Helper()
	cmd := devcluster(t.Context(), args...)
	said, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(said), cmd.ProcessState.ExitCode()
}

// up starts a cluster and returns once it is ready.
func up(t *testing.T, dir cluster.Dir, args ...string) *driver {
	t.Helper()
	d := &driver{cmd: devcluster(t.Context(), append([]string{"up", "--dir", string(dir)}, args...)...), done: make(chan error, 1)}
	d.cmd.Stdout, d.cmd.Stderr = &d.output, &d.output
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { d.done <- d.cmd.Wait() }()
	for {
		// `ready` of an earlier run may still be there; status asks the API server.
		if _, code := output(t, "status", "--dir", string(dir)); code == 0 {
			return d
		}
		select {
		case err := <-d.done:
			t.Fatalf("up ended: %v\n%s", err, d.output.String())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// end sends sig to the driver and returns how it ended.
func (d *driver) end(t *testing.T, sig syscall.Signal) error {
	t.Helper()
	if err := d.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-d.done:
		return err
	case <-time.After(time.Minute):
		t.Fatalf("the driver does not end on %s", sig)
		return nil
	}
}

// components returns who runs for the folder, by the pid files.
func components(t *testing.T, dir cluster.Dir) map[string]process.Identity {
	t.Helper()
	found := map[string]process.Identity{}
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager"} {
		id, err := cluster.ReadPid(dir.PidFile(name))
		if err != nil || !id.Alive() {
			t.Fatalf("%s: %+v, %v", name, id, err)
		}
		found[name] = id
	}
	return found
}

func allGone(t *testing.T, ids map[string]process.Identity) {
	t.Helper()
	for name, id := range ids {
		if !id.WaitGone(5 * time.Second) {
			t.Errorf("%s (pid %d) is still there", name, id.PID)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestUp plays the life of one cluster: each step needs the one before.
func TestUp(t *testing.T) {
	folder, code := output(t, "assets") // builds it if need be
	if code != 0 {
		t.Fatal(folder)
	}
	dir := cluster.Dir(filepath.Join(t.TempDir(), "dev"))
	kubectl := func(args ...string) string {
		t.Helper()
		text, code := output(t, append([]string{"kubectl", "--dir", string(dir)}, args...)...)
		if code != 0 {
			t.Fatalf("kubectl %q: exit code %d\n%s", args, code, text)
		}
		return text
	}

	first := up(t, dir)
	ours := components(t, dir)
	version, err := multicall.KubernetesVersion(sources)
	if err != nil {
		t.Fatal(err)
	}
	if text := kubectl("version"); strings.Count(text, " Version: "+version.Git+"\n") != 2 {
		t.Errorf("client and server are not both %s:\n%s", version.Git, text)
	}
	kubectl("create", "namespace", "kept")
	kubectl("create", "serviceaccount", "robot", "--namespace", "kept")
	if token := kubectl("create", "token", "robot", "--namespace", "kept"); strings.Count(token, ".") != 2 {
		t.Errorf("no token: %q", token)
	}
	kubectl("create", "namespace", "passing")
	kubectl("delete", "namespace", "passing", "--timeout=60s") // waits for the controller manager's work
	if text, code := output(t, "kubectl", "--dir", string(dir), "get", "namespace", "passing"); code != 1 || !strings.Contains(text, "NotFound") {
		t.Errorf("exit code %d of kubectl is not passed on, or the namespace stays:\n%s", code, text)
	}

	text, code := output(t, "up", "--dir", string(dir))
	if code != exitFailed || !strings.Contains(text, fmt.Sprintf("pid %d ", first.cmd.Process.Pid)) || !strings.Contains(text, "devcluster down") {
		t.Errorf("second up: exit code %d\n%s", code, text)
	}

	_ = first.end(t, syscall.SIGKILL)
	if !exists(dir.Ready()) {
		t.Error("a killed driver cannot have removed ready")
	}
	if text, code := output(t, "status", "--dir", string(dir)); code != exitNotRunning || !strings.Contains(text, "not running") {
		t.Errorf("status after the kill: exit code %d\n%s", code, text)
	}
	second := up(t, dir)
	allGone(t, ours)
	kubectl("get", "namespace", "kept") // the same cluster
	ours = components(t, dir)

	if err := second.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("SIGTERM: %v\n%s", err, second.output.String())
	}
	allGone(t, ours)
	if exists(dir.Ready()) {
		t.Error("ready stays after SIGTERM")
	}
}

// TestUpEndsWithAComponent: a control plane that is not whole is none.
func TestUpEndsWithAComponent(t *testing.T) {
	dir := cluster.Dir(filepath.Join(t.TempDir(), "dev"))
	running := up(t, dir)
	ours := components(t, dir)
	if err := ours["etcd"].Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-running.done:
		if code := running.cmd.ProcessState.ExitCode(); code != exitFailed {
			t.Errorf("exit code %d (%v)", code, err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the driver stays though etcd is dead")
	}
	if text := running.output.String(); !strings.Contains(text, "etcd ended by itself") || !strings.Contains(text, dir.Log("etcd")) {
		t.Errorf("the driver says:\n%s", text)
	}
	allGone(t, ours)
	if exists(dir.Ready()) {
		t.Error("ready stays")
	}
}

// TestWrongArgumentShowsTheLog: what a component says of its own flags arrives.
func TestWrongArgumentShowsTheLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dev")
	text, code := output(t, "up", "--dir", dir, "--apiserver-arg", "no-such-flag=1")
	if code != exitFailed || !strings.Contains(text, "unknown flag: --no-such-flag") {
		t.Errorf("exit code %d\n%s", code, text)
	}
}
