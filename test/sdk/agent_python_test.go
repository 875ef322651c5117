// SPDX-License-Identifier: Apache-2.0

package sdk_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// agentPython is the example agent of the Python SDK.
const agentPython = "examples/agent-python"

// The example agent runs as its README says and prints what that says, while
// somebody approves. It then runs by its manifests alone, and leaves undone what
// nobody approves in time.
func TestAgentPython(t *testing.T) {
	s := theStack(t)
	text, err := os.ReadFile(filepath.Join(root, agentPython, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, says, _ := strings.Cut(string(text), "```text\n")
	says, _, found := strings.Cut(says, "```")
	if !found {
		t.Fatal("its README does not say what it prints")
	}
	interpreter := user(t)
	agent := func(line string, env ...string) *exec.Cmd {
		cmd := command(t, 6*time.Minute, "bash", "-c", `. "`+filepath.Join(s.dir, "env")+`" && `+line)
		cmd.Env = append(cmd.Env, "AGENT_PYTHON="+interpreter, "PYTHONDONTWRITEBYTECODE=1", "PYTHONUTF8=1")
		cmd.Env = append(cmd.Env, env...)
		return cmd
	}
	program := `exec "$AGENT_PYTHON" ` + agentPython + "/agent.py"

	t.Run("as its README says", func(t *testing.T) {
		before := s.waiting(t)
		cmd := agent(program)
		var out, errOut strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &errOut
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		s.approveNext(t, before, ended)
		if err := <-ended; err != nil || errOut.Len() > 0 || out.String() != says {
			t.Errorf("%v\n%s\ninstead of\n%s--- stderr\n%s", err, &out, says, &errOut)
		}
	})
	t.Run("by its manifests", func(t *testing.T) {
		manifests := filepath.Join(root, agentPython, "manifests")
		if manifests, err = filepath.Abs(manifests); err != nil {
			t.Fatal(err)
		}
		s.kubectl(t, "apply -f "+manifests)
		defer s.kubectl(t, "delete --wait=false -f "+manifests) // not by Cleanup, which comes after the test's context
		s.kubectl(t, "wait agents.governance.ascendowkai.com/agent-python -n default --for=condition=Ready --timeout=120s")
		token := strings.TrimSpace(s.kubectl(t, "create token agent-python -n default"))
		got := output(t, agent(`export ASCEND_API_KEY="$AGENT_TOKEN" ASCEND_AGENT_ID=agent-python; `+program+" --wait 1", "AGENT_TOKEN="+token))
		want := "TIMEOUT: no decision within 1 s: it waited for group:ascend-approvers"
		if !strings.Contains(got, "books, music\n  done") || !strings.Contains(got, want) || strings.Contains(got, "cust_789") {
			t.Errorf("it printed\n%s", got)
		}
	})
}
