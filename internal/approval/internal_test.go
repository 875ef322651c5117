// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func TestNothingCountsWithoutARevision(t *testing.T) {
	if got := digest(func() {}); got != "" {
		t.Fatalf("a digest of nothing: %q", got)
	}
	w := *Missing(Key{"shop", "w"})
	w.revision = ""
	c := NewChain([]*Workflow{&w})
	if c.Revision() != "" {
		t.Fatalf("revision %q", c.Revision())
	}
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	entry := v1alpha1.Approval{
		Verdict: v1alpha1.VerdictApprove, Approver: "alice", As: VerbApprove, Stage: anyoneStage,
		Time: microTime(now), SpecDigest: "sha256:aa",
	}
	got := c.Evaluate(Input{Now: now, Digest: "sha256:aa", Approvals: []v1alpha1.Approval{entry}})
	if got.Result != Waiting || len(got.Status.Uncounted) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestTextIsCutAtACharacter(t *testing.T) {
	for text, want := range map[string]string{"": "", "äöü": "äöü", "äöüß": "äöüß", "äöüßx": "äöü…", "\xff\x00": "\xff\x00"} {
		if got := cut(text, 4); got != want {
			t.Errorf("cut %q to %q, want %q", text, got, want)
		}
	}
	if got := readable("\xff\x00é", 4); got != "\uFFFD\\x00é" {
		t.Errorf("%q", got)
	}
	if got := (&tally{}).message(&State{}, nil); got != "" {
		t.Errorf("a result that is none has the message %q", got)
	}
}
