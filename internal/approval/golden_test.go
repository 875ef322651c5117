// SPDX-License-Identifier: Apache-2.0

package approval_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
)

// step is a moment of a scenario: somebody may say something, and the chain is
// evaluated with the status of the step before, as the controller does.
type step struct {
	after time.Duration
	title string
	says  []v1alpha1.Approval
	chain approval.Chain // from this step on, when not empty
}

// TestTimelines plays whole stories and compares every State of them with
// testdata/golden. `go test ./internal/approval -update` writes the files anew.
func TestTimelines(t *testing.T) {
	crit := ask(chain(sound(t, v1alpha1.GlobalNamespace, "critical", critical)))
	approver := func(a v1alpha1.Approval) v1alpha1.Approval { return as("group:ascend-approvers", a) }
	escalated := func(a v1alpha1.Approval) v1alpha1.Approval { return as("group:ascend-escalation", a) }
	emergency := func(a v1alpha1.Approval) v1alpha1.Approval { return as("group:ascend-emergency", a) }

	pair := ask(chain(sound(t, "shop", "w", twoPeople)))
	edited := ask(chain(sound(t, "shop", "w", "requireComment: true\n"+twoPeople)))
	const round2 = "review@2026-01-02T12:20:00.000000Z"

	scenarios := map[string]struct {
		round round
		steps []step
	}{
		"critical-two-different-people": {crit, []step{
			{after: 0, title: "approval is asked for"},
			{after: 10 * minute, title: "alice passes the first stage", says: []v1alpha1.Approval{approver(crit.yes("alice", "first-review", 10*minute))}},
			{after: 12 * minute, title: "alice tries the second stage too", says: []v1alpha1.Approval{approver(crit.yes("alice", "second-review", 12*minute))}},
			{after: 15 * minute, title: "so does the requester", says: []v1alpha1.Approval{approver(crit.yes(parties.Requester, "second-review", 15*minute))}},
			{after: 40 * minute, title: "30 minutes after it began, the second stage escalates"},
			{after: 45 * minute, title: "boss, who has joined, passes it", says: []v1alpha1.Approval{escalated(crit.yes("boss", "second-review", 45*minute))}},
		}},
		"critical-nobody-in-time": {crit, []step{
			{after: 0, title: "approval is asked for"},
			{after: 30 * minute, title: "the first stage escalates"},
			{after: 119 * minute, title: "alice passes the first stage in the last minute", says: []v1alpha1.Approval{approver(crit.yes("alice", "first-review", 119*minute))}},
			{after: 120 * minute, title: "two hours are over"},
		}},
		"critical-break-glass": {crit, []step{
			{after: minute, title: "dan breaks the glass", says: []v1alpha1.Approval{emergency(crit.override("dan", minute))}},
			{after: 2 * minute, title: "erin agrees", says: []v1alpha1.Approval{emergency(crit.override("erin", 2*minute))}},
		}},
		"critical-denied": {crit, []step{
			{after: 10 * minute, title: "alice passes the first stage", says: []v1alpha1.Approval{approver(crit.yes("alice", "first-review", 10*minute))}},
			{after: 11 * minute, title: "bob says no", says: []v1alpha1.Approval{comment("not during the freeze", approver(crit.no("bob", "second-review", 11*minute)))}},
		}},
		"workflow-edited-half-way": {pair, []step{
			{after: 10 * minute, title: "alice approves", says: []v1alpha1.Approval{pair.yes("alice", "review", 10*minute)}},
			{after: 20 * minute, title: "the workflow is edited", chain: edited.chain},
			{after: 21 * minute, title: "alice approves again", says: []v1alpha1.Approval{comment("still fine", edited.yes("alice", round2, 21*minute))}},
			{after: 22 * minute, title: "bob approves", says: []v1alpha1.Approval{comment("ok", edited.yes("bob", round2, 22*minute))}},
		}},
	}
	for name, scenario := range scenarios {
		t.Run(name, func(t *testing.T) { golden(t, name, play(t, scenario.round, scenario.steps)) })
	}
}

// play tells a story, and the State after each of its steps.
func play(t *testing.T, r round, steps []step) string {
	t.Helper()
	first := r.chain.Evaluate(approval.Input{Now: noon, Digest: asked, Parties: r.parties})
	prior := &first.Status
	var said []v1alpha1.Approval
	var b strings.Builder
	for _, s := range steps {
		if !s.chain.Empty() {
			r.chain = s.chain
		}
		said = append(said, s.says...)
		state := r.with(s.after, prior, said...)
		prior = state.Status.DeepCopy()
		fmt.Fprintf(&b, "# %s: %s\n%s\n", s.after, s.title, show(t, state))
	}
	return b.String()
}

// show writes a State as YAML.
func show(t *testing.T, s approval.State) string {
	t.Helper()
	view := struct {
		Result           approval.Result         `json:"result"`
		Message          string                  `json:"message"`
		Overridden       bool                    `json:"overridden,omitempty"`
		By               string                  `json:"by,omitempty"`
		Comment          string                  `json:"comment,omitempty"`
		ValidFor         string                  `json:"validFor"`
		NextChange       string                  `json:"nextChange,omitempty"`
		OnTimeout        v1alpha1.TimeoutPolicy  `json:"onTimeout,omitempty"`
		DecidingWorkflow string                  `json:"decidingWorkflow"`
		Status           v1alpha1.ApprovalStatus `json:"status"`
	}{
		s.Result, s.Message, s.Overridden, s.By, s.Comment, s.ValidFor.String(), "", s.OnTimeout, s.DecidingWorkflow.String(), s.Status,
	}
	if !s.NextChange.IsZero() {
		view.NextChange = s.NextChange.Format(time.RFC3339)
	}
	out, err := yaml.Marshal(view)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name+".yaml")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it by go test ./internal/approval -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what comes out (-want +got); if that is right, run go test ./internal/approval -update\n%s", path, diff)
	}
}
