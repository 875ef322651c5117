// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// Whoever can write the file and the anchors, and has no key that is known, cannot
// make up a trail, or a chain in one, that passes for the operator's.
func TestWhatNobodyVouchesFor(t *testing.T) {
	t.Parallel()
	const nothing = "nothing that is signed with a known key vouches for the chain that begins here"
	keys := []ed25519.PublicKey{public(theKey)}
	forged := chainOf(6)
	forged.write(audit.Record{Event: audit.EventCheckpoint, Journal: &audit.Journal{Checkpoint: forged.sign(otherKey)}})
	open := []audit.Checkpoint{*forged.sign(otherKey)}
	forged.stop()
	stopped := []audit.Checkpoint{*forged.sign(otherKey)}

	killed := newScribe("killed") // before it has signed anything
	killed.start(nil, 0)
	next := killed.next("next", 0)
	next.checkpoint()
	next.stop()
	beside := newScribe("beside")
	beside.start(nil, 0)
	beside.decide(1)
	beside.stop()
	appended := newScribe("killed")
	appended.start(nil, 0)
	appended = appended.next("appended", 0)
	appended.stop()

	for name, c := range map[string]struct {
		lines   [][]byte
		options VerifyOptions
		want    []string
	}{
		"another key, which nobody has checked":     {forged.lines, VerifyOptions{Anchors: stopped}, nil},
		"all of it by another key":                  {forged.lines, VerifyOptions{Keys: keys, Anchors: stopped}, []string{"file0:1: " + nothing}},
		"all of it by another key, without an end":  {forged.lines[:len(forged.lines)-1], VerifyOptions{Keys: keys, Anchors: open}, []string{"file0:1: " + nothing, fmt.Sprintf("file0:%d: nothing proves that the chain ends", len(forged.lines)-1)}},
		"nothing signed":                            {beside.lines, VerifyOptions{Keys: keys}, []string{"file0:1: " + nothing}},
		"a chain beside the operator's":             {append(slices.Clone(next.lines), beside.lines...), VerifyOptions{Keys: keys}, []string{fmt.Sprintf("file0:%d: %s", len(next.lines)+1, nothing)}},
		"a chain behind one that was killed":        {appended.lines, VerifyOptions{Keys: keys}, []string{"file0:1: " + nothing, "file0:2: " + nothing}},
		"one that was killed, and the one after it": {next.lines, VerifyOptions{Keys: keys}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			noted := verified(t, c.options, c.lines)
			wantFaults(t, noted)
			if said := strings.Contains(strings.Join(noted.Notes, " "), "vouches for"); said != (len(c.want) > 0) {
				t.Errorf("notes %q", noted.Notes)
			}
			c.options.RequireProof = true
			wantFaults(t, verified(t, c.options, c.lines), c.want...)
		})
	}
}
