// SPDX-License-Identifier: Apache-2.0

package sdk_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// tutorial is the code of ASCEND's tutorial, its steps 1 to 7 in order.
const tutorial = "sdk/python/tests/tutorial/tutorial.py"

// approvedBy is how somebody approves, in this cluster.
const approvedBy = " --as alice --as-group ascend-approvers --comment 'Verified by phone'"

// tutorialSays is what the tutorial prints, with NAME for the names of actions.
const tutorialSays = `Client initialized successfully!

LOW-RISK ACTION RESULT
======================
Action ID: NAME
Decision: APPROVED
Risk Score: 2.1
Risk Level: LOW


MEDIUM-RISK ACTION RESULT
=========================
Action ID: NAME
Decision: APPROVED
Risk Score: 5.3
Risk Level: MEDIUM
CVSS Vector: CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N


HIGH-RISK ACTION RESULT
=======================
Action ID: NAME
Decision: PENDING
Risk Score: 7.2
Risk Level: HIGH

Approval received - proceeding with action
Current status: APPROVED

ACTION DENIED
=============
Reason: Bulk delete operations require manager approval
Rule ID: rule-no-bulk-delete
Rule Name: Block Bulk Deletions
Suggested actions:
1. Review the triggering rule
2. Request an exception if appropriate
3. Modify the action to comply with policy

✅ Approved (Risk: MEDIUM)
Executing report generation...
`

// The tutorial of ASCEND runs as it is written, with the SDK as it is installed
// and the environment that `make dev` writes down. While it waits, somebody
// approves.
func TestTutorial(t *testing.T) {
	s := theStack(t)
	before := s.waiting(t)
	sourced := `. "` + filepath.Join(s.dir, "env") + `" && `
	cmd := command(t, 6*time.Minute, "bash", "-c", sourced+`exec "$TUTORIAL_PYTHON" -u `+tutorial)
	cmd.Env = append(cmd.Env, "TUTORIAL_PYTHON="+user(t), "PYTHONDONTWRITEBYTECODE=1", "PYTHONUTF8=1")
	var out, errOut strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	s.approveNext(t, before, ended)
	if err := <-ended; err != nil || errOut.Len() > 0 {
		t.Fatalf("the tutorial: %v\n%s--- stderr\n%s", err, &out, &errOut)
	}
	names := regexp.MustCompile(`(?m)^(Action ID:) (act-[a-z0-9]{26})$`)
	if got := names.ReplaceAllString(out.String(), "$1 NAME"); got != tutorialSays {
		t.Errorf("the tutorial printed\n%s\ninstead of\n%s", got, tutorialSays)
	}
	var ids []string
	for _, found := range names.FindAllStringSubmatch(out.String(), -1) {
		ids = append(ids, found[2])
	}

	t.Run("its verification", func(t *testing.T) {
		cmd := command(t, 5*time.Minute, "bash", "-c", sourced+"ascend actions list --agent-id tutorial-agent --limit 10")
		checkList(t, output(t, cmd), ids)
	})
	t.Run("its webhook", func(t *testing.T) {
		// The operator says that it can read the Secret and would send.
		s.kubectl(t, "wait webhooksubscription/tutorial-agent-webhook --for=condition=Ready --timeout=120s")
		if got := s.kubectl(t, "get webhooksubscription/tutorial-agent-webhook -o jsonpath='{.spec.url} {.spec.events} {.spec.agentRef.name}'"); got !=
			`https://your-app.com/webhooks/ascend ["action.approved","action.denied"] tutorial-agent` {
			t.Error(got)
		}
		s.kubectl(t, "delete webhooksubscription/tutorial-agent-webhook")
	})
}

// waiting are the names of the actions that wait for people.
func (s *stack) waiting(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for name := range strings.FieldsSeq(s.kubectl(t, "get agentactions -n default --field-selector status.decision=Pending -o name")) {
		names[name] = true
	}
	return names
}

// approveNext approves the first action that waits and was not there before. It
// returns when that is done, or the program has ended.
func (s *stack) approveNext(t *testing.T, before map[string]bool, ended chan error) {
	t.Helper()
	poll := time.NewTicker(200 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case err := <-ended:
			ended <- err
			return
		case <-poll.C:
		}
		for name := range s.waiting(t) {
			if !before[name] {
				s.kubectl(t, "approve "+filepath.Base(name)+approvedBy)
				return
			}
		}
	}
}

// checkList checks the columns ID TYPE RISK DECISION TIME and the newest rows.
func checkList(t *testing.T, list string, ids []string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(list), "\n")
	if got := strings.Fields(lines[0]); strings.Join(got, " ") != "ID TYPE RISK DECISION TIME" {
		t.Errorf("the columns are %q", got)
	}
	want := []string{
		`database_read LOW APPROVED`, `database_read MEDIUM APPROVED`, `database_write HIGH APPROVED`, `database_delete \S+ DENIED`,
	}
	if len(ids) != 3 || len(lines) < 1+len(want) || len(lines) > 11 {
		t.Fatalf("%d actions, and a list\n%s", len(ids), list)
	}
	for i, row := range lines[len(lines)-len(want):] {
		pattern := `^act-[a-z0-9]{26} ` + want[i] + ` (just now|\d+ (sec|min) ago)$`
		if got := strings.Join(strings.Fields(row), " "); !regexp.MustCompile(pattern).MatchString(got) {
			t.Errorf("row %q is not %s", got, pattern)
		}
		if i < len(ids) && !strings.HasPrefix(row, ids[i]+" ") {
			t.Errorf("row %q is not of %s", row, ids[i])
		}
	}
}

// published is the SHA-256 of the published code's lines, without indentation.
const published = "049302bb2f14a66c827abdec841aa0bcfccb408210cb05af7239acf93d012e87"

// No formatter and nobody else has touched the code.
func TestTutorialAsPublished(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, tutorial))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		lines = append(lines, strings.TrimSpace(line))
	}
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(lines, "\n")))); got != published {
		t.Errorf("%s is no longer the code as it was published: %s", tutorial, got)
	}
}
