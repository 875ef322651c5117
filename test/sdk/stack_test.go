// SPDX-License-Identifier: Apache-2.0

package sdk_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/ow-kai/ascend-operator/test/faultproxy"
)

const (
	buildTakes  = 20 * time.Minute // on a machine that has built nothing yet
	stackStarts = 5 * time.Minute  // it takes about ten seconds
	stackStops  = 2 * time.Minute
)

// stack is a control plane with the operator, admission and the starter policy,
// as `make dev` runs it, and a proxy before it.
type stack struct {
	// dir is the folder of `dev up`: env has the tutorial agent's key, kubeconfig
	// is the administrator's.
	dir string
	// proxy is before its API server.
	proxy *faultproxy.Proxy
	// admin may do everything. It goes past the proxy.
	admin *rest.Config
	// agent has the tutorial agent's token. It goes past the proxy, too.
	agent *rest.Config

	once    sync.Once
	problem error
	process *exec.Cmd
	ended   chan struct{} // closed when it has, with how in exit
	exit    error
	said    bytes.Buffer
	temp    string
	closing func() // of the proxy
}

var cluster = &stack{}

// theStack is the stack, started by the first test that asks.
func theStack(t *testing.T) *stack {
	t.Helper()
	dependOnCheckout(t)
	cluster.once.Do(func() { cluster.problem = cluster.start(t) })
	if cluster.problem != nil {
		t.Fatalf("start the cluster: %v", cluster.problem)
	}
	return cluster
}

func (s *stack) start(t *testing.T) error {
	t.Helper()
	output(t, command(t, buildTakes, "make", "build"))
	var err error
	if s.temp, err = os.MkdirTemp("", "ascend-sdk-"); err != nil { //nolint:usetesting // it outlives the test
		return err
	}
	s.dir = filepath.Join(s.temp, "cluster")
	program := filepath.Join(s.temp, "dev")
	output(t, command(t, buildTakes, "go", "build", "-o", program, "./hack/dev"))
	// No context ends it, but SIGTERM, so that it can stop its own children.
	s.process = exec.Command(program, "up", "--dir", s.dir)
	s.process.Dir, s.process.Env = checkout(t), bareEnvironment()
	s.process.Stdout, s.process.Stderr = &s.said, &s.said
	if err := s.process.Start(); err != nil {
		s.process = nil
		return err
	}
	s.ended = make(chan struct{})
	go func() {
		s.exit = s.process.Wait()
		close(s.ended)
	}()
	if err := s.awaitReady(); err != nil {
		return err
	}
	if s.admin, err = clientcmd.BuildConfigFromFlags("", filepath.Join(s.dir, "kubeconfig")); err != nil {
		return err
	}
	if s.agent, err = clientcmd.BuildConfigFromFlags("", filepath.Join(s.dir, "identities", "tutorial-agent.kubeconfig")); err != nil {
		return err
	}
	s.proxy, s.closing, err = faultproxy.Run(s.admin, s.temp)
	return err
}

func (s *stack) awaitReady() error {
	deadline := time.NewTimer(stackStarts)
	defer deadline.Stop()
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-s.ended:
			return fmt.Errorf("dev up has ended: %w\n%s", s.exit, &s.said)
		case <-deadline.C:
			return fmt.Errorf("it is not ready after %s; logs are in %s", stackStarts, s.dir)
		case <-poll.C:
			if _, err := os.Stat(filepath.Join(s.dir, "ready")); err == nil {
				return nil
			}
		}
	}
}

// stop stops what was started, if anything was.
func (s *stack) stop() error {
	var problems []error
	if s.closing != nil {
		s.closing()
	}
	if s.process != nil {
		if err := s.process.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			problems = append(problems, err)
		}
		select {
		case <-s.ended:
			if s.exit != nil {
				problems = append(problems, fmt.Errorf("dev up: %w\n%s", s.exit, &s.said))
			}
		case <-time.After(stackStops):
			problems = append(problems, fmt.Errorf("dev up does not stop; its folder is %s", s.dir), s.process.Process.Kill())
		}
	}
	if s.temp != "" {
		problems = append(problems, os.RemoveAll(s.temp))
	}
	return errors.Join(problems...)
}

// kubectl runs kubectl as the administrator, with the plugins of bin/, and
// returns what it printed.
func (s *stack) kubectl(t *testing.T, line string) string {
	t.Helper()
	cmd := command(t, 5*time.Minute, "bash", "-c", "kubectl "+line)
	path := strings.Join([]string{filepath.Join(checkout(t), "bin"), filepath.Join(s.dir, "bin"), os.Getenv("PATH")}, string(os.PathListSeparator))
	cmd.Env = append(cmd.Env, "PATH="+path, "KUBECONFIG="+filepath.Join(s.dir, "kubeconfig"), "KUBECACHEDIR="+filepath.Join(s.temp, "cache"))
	return output(t, cmd)
}
