// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"cmp"
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// takeAnchors leaves those out that were signed wrongly.
func (v *verifier) takeAnchors() {
	v.anchors = map[string][]audit.Checkpoint{}
	unknown := map[string]bool{}
	for _, checkpoint := range v.options.Anchors {
		switch key, known := v.keys[checkpoint.KeyID]; {
		case known && checkpoint.Verify(key) != nil:
			v.found(nil, Fault{
				Chain: checkpoint.Chain, Sequence: checkpoint.Sequence,
				What:   fmt.Sprintf("the anchor of chain %s is not signed by key %s, as it says: the anchors were tampered with", checkpoint.Chain, checkpoint.KeyID),
				Advice: "Find out who may write the ConfigMap with the anchors, and compare it with a backup.",
			})
			continue
		case !known:
			unknown[checkpoint.KeyID] = true
		}
		v.anchors[checkpoint.Chain] = append(v.anchors[checkpoint.Chain], checkpoint)
	}
	for _, of := range v.anchors {
		slices.SortFunc(of, func(a, b audit.Checkpoint) int { return cmp.Compare(a.Sequence, b.Sequence) })
	}
	for _, id := range slices.Sorted(maps.Keys(unknown)) {
		v.notef("anchors are signed with key %s, whose public key is not known: their signatures were not checked", id)
	}
}

// compareAnchors compares a record with what is anchored of it.
func (v *verifier) compareAnchors(c *chain, f *fact) {
	of := v.anchors[c.id]
	if len(of) == 0 {
		return
	}
	at, _ := slices.BinarySearchFunc(of, f.Sequence, func(a audit.Checkpoint, sequence uint64) int { return cmp.Compare(a.Sequence, sequence) })
	for ; at < len(of) && of[at].Sequence == f.Sequence; at++ {
		if of[at].Hash != string(f.hash) {
			v.fault(c, f, fmt.Sprintf("the chain was rewritten up to here: its anchor of %s is another record", moment(of[at].Time)), compareAdvice)
			continue
		}
		if v.trusts(of[at].KeyID) {
			c.anchored = max(c.anchored, f.Sequence)
		}
	}
}

// trusts says whether what is signed with a key proves anything. Where no key is
// known, it is the user who vouches for the anchors.
func (v *verifier) trusts(keyID string) bool { return len(v.keys) == 0 || v.keys[keyID] != nil }

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// checkpoint judges a signature over the record before.
func (v *verifier) checkpoint(c *chain, f *fact, signed *audit.Checkpoint) {
	if signed == nil {
		v.fault(c, f, "the checkpoint has no signature", compareAdvice)
		return
	}
	c.checkpoints++
	if signed.Chain != c.id || signed.Sequence+1 != f.Sequence || signed.Hash != string(f.previous) {
		v.fault(c, f, "the checkpoint is not about the record before it", compareAdvice)
		return
	}
	switch key, known := v.keys[signed.KeyID]; {
	case !known:
		if c.unknownKeys == nil {
			c.unknownKeys = map[string]bool{}
		}
		if len(c.unknownKeys) < MaxFaults {
			c.unknownKeys[signed.KeyID] = true
		}
	case signed.Verify(key) != nil:
		v.fault(c, f, fmt.Sprintf("the checkpoint is not signed by key %s, as it says", signed.KeyID),
			"Whoever wrote this chain does not have the operator's key: trust nothing of it after the last checkpoint that is right.")
	default:
		c.signed = signed.Sequence
	}
}

// finish judges ends, and what is missing as a whole.
func (v *verifier) finish() {
	v.settle(nil)
	v.vouching()
	for _, c := range v.order {
		chain := c.report()
		v.ending(c, chain)
		chain.Faults = c.faults
		v.report.Chains = append(v.report.Chains, chain)
	}
	v.missingChains()
	if v.report.Records == 0 && v.report.FaultsTotal == 0 {
		v.found(nil, Fault{What: "there is no audit record in the trail", Advice: "Is this the operator's audit log? An empty one proves nothing: all of it may have been removed."})
	}
}

// vouching finds chains that anybody could have written who can write the file: with
// nothing in them that is signed with a known key, nor in those that came after them and
// name their last hash.
func (v *verifier) vouching() {
	if len(v.keys) == 0 {
		return
	}
	var nothing []*chain
	for _, c := range slices.Backward(v.order) {
		follower := v.chains[c.followedBy]
		c.vouched = c.signed > 0 || c.anchored > 0 || follower != nil && follower.vouched
		if !c.vouched {
			nothing = append(nothing, c)
		}
	}
	if len(nothing) == 0 {
		return
	}
	if !v.options.RequireProof {
		which := "chain " + nothing[len(nothing)-1].id
		if len(nothing) > 1 {
			which = fmt.Sprintf("%d chains, such as %s", len(nothing), nothing[len(nothing)-1].id)
		}
		v.notef("nothing that is signed with a known key vouches for %s: whoever can write the file may have written that", which)
		return
	}
	for _, c := range slices.Backward(nothing) {
		v.found(c, Fault{
			File: c.begins.file, Line: c.begins.number, Chain: c.id, Sequence: c.first, place: 2 * c.begins.place,
			What: "nothing that is signed with a known key vouches for the chain that begins here: whoever can write the file may have written it",
			Advice: "If it was signed with another key of the operator, give that public key, too. An operator that runs signs its newest records within --audit-anchor-interval. " +
				"A process that was killed before then, and that no other followed in its file, has signed nothing.",
		})
	}
}

func (c *chain) report() *Chain {
	end := EndUnproven
	switch {
	case c.anchored == c.last:
		end = EndAnchored
	case c.end != nil:
		end = EndStopped
	case c.follower != nil:
		end = EndFollowed
	}
	return &Chain{
		ID: c.id, Replica: c.replica, Version: c.version, First: c.first, Last: c.last, Records: c.records,
		Begin: c.time(c.beginTime), Until: c.time(string(c.untilTime)), From: c.begins.String(), To: c.head.place.String(),
		LastHash: c.head.hash, End: end, Signed: c.signed, Anchored: c.anchored, Checkpoints: c.checkpoints,
		UnknownKeys: slices.Sorted(maps.Keys(c.unknownKeys)), Unconfirmed: c.unconfirmed, Lost: c.lost,
	}
}

// ending judges where a chain ends.
func (v *verifier) ending(c *chain, reported *Chain) {
	behind := Fault{File: c.head.place.file, Line: c.head.place.number, Chain: c.id, Sequence: c.last, place: 2*c.head.place.place + 1}
	behind.place = max(behind.place, 2*v.damage+1) // what is missing may have begun there
	if of := v.anchors[c.id]; len(of) > 0 && of[len(of)-1].Sequence > c.last {
		newest := of[len(of)-1]
		behind.What = fmt.Sprintf("the chain was cut off after this line: its anchor of %s is record %d", moment(newest.Time), newest.Sequence)
		behind.Advice = "If this is a copy, and older than the anchor, copy the trail again. If there are newer files of this replica, name them, too. Otherwise " +
			"somebody has removed records: look for them in another copy of the trail."
		v.found(c, behind)
		return
	}
	if v.options.RequireProof && reported.End == EndUnproven {
		behind.What = "nothing proves that the chain ends with this line"
		behind.Advice = "Give the anchors of the cluster, with --against-cluster or --anchors. The newest records of an operator that runs are anchored within --audit-anchor-interval; a process that was killed is followed by the next one in the same file."
		v.found(c, behind)
	}
}

// missingChains are those of which there is nothing but an anchor.
func (v *verifier) missingChains() {
	begin := time.Time{}
	for _, c := range v.report.Chains {
		if !c.Begin.IsZero() && (begin.IsZero() || c.Begin.Before(begin)) {
			begin = c.Begin
		}
	}
	older := 0
	for _, id := range slices.Sorted(maps.Keys(v.anchors)) {
		of := v.anchors[id]
		newest := of[len(of)-1]
		switch {
		case v.chains[id] != nil:
		case v.options.Partial && newest.Time.Before(begin):
			older++
		default:
			v.found(nil, Fault{
				Chain: id, Sequence: newest.Sequence, place: 2*v.report.Lines + 2,
				What: fmt.Sprintf("chain %s is missing: its anchor of %s is record %d", id, moment(newest.Time), newest.Sequence),
				Advice: "Name the files of all replicas, also the rotated ones, or their folders. If files as old as that were removed on purpose, use --partial. " +
					"If this is a copy, and older than the anchor, copy the trail again.",
			})
		}
	}
	if older > 0 {
		v.notef("%d older chains that have an anchor are not here", older)
	}
}

// keysByID are keys by their id.
func keysByID(keys []ed25519.PublicKey) map[string]ed25519.PublicKey {
	byID := map[string]ed25519.PublicKey{}
	for _, key := range keys {
		byID[audit.KeyID(key)] = key
	}
	return byID
}
