// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/cluster"
	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/lockfile"
	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/process"
)

// asDriver makes this test binary the driver itself, so that the integration
// test can start it as a process without compiling it again.
const asDriver = "DEVCLUSTER_TEST_AS_DRIVER"

func TestMain(m *testing.M) {
	if os.Getenv(asDriver) != "" {
		main()
	}
	os.Exit(m.Run())
}

// captured runs f and returns what it wrote to standard output.
func captured(t *testing.T, f func()) string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stdout
	os.Stdout = write
	f()
	os.Stdout = before
	_ = write.Close()
	text, err := io.ReadAll(read)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryCommandHasHelp(t *testing.T) {
	overview := captured(t, func() {
		if err := run(t.Context(), []string{"--help"}); err != nil {
			t.Error(err)
		}
	})
	for _, c := range commands() {
		if !strings.Contains(overview, c.name) {
			t.Errorf("`--help` does not name %s", c.name)
		}
		for _, args := range [][]string{{c.name, "--help"}, {c.name, "-h"}, {"help", c.name}} {
			text := captured(t, func() {
				if err := run(t.Context(), args); err != nil {
					t.Errorf("%q: %v", args, err)
				}
			})
			if !strings.Contains(text, "usage: devcluster "+c.name) || !strings.Contains(text, c.summary) {
				t.Errorf("%q prints %q", args, text)
			}
		}
	}
}

func TestWrongCommandLines(t *testing.T) {
	tests := map[string]struct {
		args []string
		want string // part of the message
	}{
		"no command":         {nil, "build, assets, up, kubectl, status, down"},
		"unknown command":    {[]string{"start"}, `no command "start"; there are build, assets`},
		"unknown flag":       {[]string{"up", "--bogus"}, "-bogus"},
		"stray argument":     {[]string{"down", "now"}, `"now"`},
		"no folder":          {[]string{"status", "--dir", ""}, "--dir"},
		"port not a number":  {[]string{"up", "--etcd-port", "x"}, "etcd-port"},
		"port out of range":  {[]string{"up", "--apiserver-port", "70000"}, "--apiserver-port 70000"},
		"port given twice":   {[]string{"up", "--etcd-port", "7000", "--etcd-peer-port", "7000"}, "7000"},
		"argument no pair":   {[]string{"up", "--apiserver-arg", "v"}, "key=value"},
		"no time":            {[]string{"up", "--timeout", "0s"}, "--timeout"},
		"no such policy":     {[]string{"up", "--audit-policy", "/no/such/file"}, "/no/such/file"},
		"kubectl, no folder": {[]string{"kubectl", "--dir"}, "--dir"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), tt.args)
			var usage usageError
			if !errors.As(err, &usage) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want a usageError with %q", err, tt.want)
			}
			if code := exitCode(err); code != exitUsage {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

func TestParseUp(t *testing.T) {
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(policy, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := parseUp(upCommand, []string{"--dir", "/x", "--apiserver-port", "6443", "--etcd-port=2379", "--etcd-peer-port", "2380",
		"--reset", "--fsync", "--timeout", "5m", "--audit-policy", policy,
		"--apiserver-arg", "v=4", "--apiserver-arg", "--feature-gates=A=true", "--controller-manager-arg", "v=5"})
	if err != nil {
		t.Fatal(err)
	}
	if want := (cluster.Ports{APIServer: 6443, Etcd: 2379, EtcdPeer: 2380}); got.Ports != want {
		t.Errorf("ports %+v", got.Ports)
	}
	if got.Dir != "/x" || !got.Reset || !got.Fsync || got.Timeout != 5*time.Minute || got.AuditPolicy != policy {
		t.Errorf("got %+v", got)
	}
	if want := []cluster.Arg{{Key: "v", Value: "4"}, {Key: "feature-gates", Value: "A=true"}}; !slices.Equal(got.APIServerArgs, want) {
		t.Errorf("arguments of the API server %+v", got.APIServerArgs)
	}
	if want := []cluster.Arg{{Key: "v", Value: "5"}}; !slices.Equal(got.ControllerManagerArgs, want) {
		t.Errorf("arguments of the controller manager %+v", got.ControllerManagerArgs)
	}
	plain, err := parseUp(upCommand, nil)
	if err != nil || plain.Reset || plain.Fsync || !strings.HasSuffix(string(plain.Dir), "/"+defaultDir) {
		t.Errorf("without flags: %+v, %v", plain, err)
	}
}

func TestSplitDir(t *testing.T) {
	tests := map[string]struct {
		args []string
		dir  string
		rest []string
	}{
		"nothing":       {nil, defaultDir, nil},
		"default":       {[]string{"get", "ns"}, defaultDir, []string{"get", "ns"}},
		"two words":     {[]string{"--dir", "x", "get", "ns"}, "x", []string{"get", "ns"}},
		"one word":      {[]string{"--dir=x", "get"}, "x", []string{"get"}},
		"kubectl's own": {[]string{"get", "--dir", "x"}, defaultDir, []string{"get", "--dir", "x"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir, rest, err := splitDir(tt.args)
			if err != nil || dir != tt.dir || !slices.Equal(rest, tt.rest) {
				t.Errorf("got %q, %q, %v", dir, rest, err)
			}
		})
	}
}

func TestNamesKubeconfig(t *testing.T) {
	for text, want := range map[string]bool{
		"get ns":                       false,
		"--kubeconfig k get ns":        true,
		"get ns --kubeconfig=k":        true,
		"exec p -- cmd --kubeconfig k": false,
	} {
		if got := namesKubeconfig(strings.Fields(text)); got != want {
			t.Errorf("namesKubeconfig(%q) = %t", text, got)
		}
	}
}

func TestInUseNamesTheHolderAndTheWayOut(t *testing.T) {
	now := time.Now()
	holder := lockfile.Holder{Identity: process.Identity{PID: 4711}, Since: now.Add(-3 * time.Minute)}
	text := inUse("/elsewhere/x", holder, now).Error()
	for _, part := range []string{"pid 4711", holder.Since.Format("15:04:05"), "(3m0s)", "devcluster down --dir /elsewhere/x"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q lacks %q", text, part)
		}
	}
}

func TestStatusText(t *testing.T) {
	now := time.Now()
	holder := &lockfile.Holder{Identity: process.Identity{PID: 4711}, Since: now}
	state := cluster.State{APIServer: "https://127.0.0.1:6443", Etcd: "https://127.0.0.1:2379", Version: "v1.36.3"}
	tests := map[string]struct {
		status cluster.Status
		want   []string
	}{
		"not running": {cluster.Status{State: state}, []string{"not running", "devcluster up --dir /x"}},
		"starting":    {cluster.Status{Holder: holder, Trouble: "it is still starting"}, []string{"not ready: it is still starting", "pid 4711"}},
		"ready":       {cluster.Status{Holder: holder, State: state, Ready: true}, []string{"running, ready", "pid 4711", state.APIServer, state.Etcd, state.Version, "/x/kubeconfig"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text := statusText("/x", tt.status, now)
			for _, part := range tt.want {
				if !strings.Contains(text, part) {
					t.Errorf("lacks %q:\n%s", part, text)
				}
			}
		})
	}
}
