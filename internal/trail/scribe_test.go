// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/canonical"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// theKey signs the checkpoints of all tests, otherKey none that is right.
var (
	theKey   = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	otherKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize))
)

func public(key ed25519.PrivateKey) ed25519.PublicKey {
	return ed25519.PublicKey(key[ed25519.SeedSize:]) // RFC 8032: the seed, and then the public key
}

// scribe writes chains as the operator does, by the book and not by its code: what
// it signs and hashes is spelled out here once more.
type scribe struct {
	chain    string
	sequence uint64
	previous string
	now      time.Time
	lines    [][]byte
}

func newScribe(chain string) *scribe { return &scribe{chain: chain, now: noon} }

// write adds a record and returns it.
func (s *scribe) write(record audit.Record) audit.Record {
	s.sequence++
	s.now = s.now.Add(time.Millisecond)
	record.SchemaVersion, record.Chain, record.Sequence, record.Time = audit.SchemaVersion, s.chain, s.sequence, s.now
	record.PreviousHash, record.Hash = s.previous, ""
	text := must(json.Marshal(record))
	sum := sha256.Sum256(must(canonical.JSON(json.RawMessage(text))))
	record.Hash = "sha256:" + hex.EncodeToString(sum[:])
	s.previous = record.Hash
	s.lines = append(s.lines, must(json.Marshal(record)))
	return record
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func (s *scribe) head() audit.Head {
	return audit.Head{Chain: s.chain, Sequence: s.sequence, Hash: s.previous}
}

// next begins the chain that comes after.
func (s *scribe) next(chain string, unfinished int64) *scribe {
	head := s.head()
	after := &scribe{chain: chain, now: s.now, lines: s.lines}
	after.start(&head, unfinished)
	return after
}

func (s *scribe) start(previous *audit.Head, unfinished int64) {
	s.write(audit.Record{Event: audit.EventStarted, Message: "audit log of pod-1 begins",
		Journal: &audit.Journal{Replica: "pod-1", Version: "v0.1.0", Previous: previous, Unfinished: unfinished}})
}

func (s *scribe) stop() { s.write(audit.Record{Event: audit.EventStopped, Message: "audit log ends"}) }

// sign signs the head.
func (s *scribe) sign(key ed25519.PrivateKey) *audit.Checkpoint {
	id := sha256.Sum256(public(key))
	c := &audit.Checkpoint{Head: s.head(), Time: s.now, KeyID: hex.EncodeToString(id[:8])}
	c.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(key, must(canonical.JSON(*c))))
	return c
}

func (s *scribe) checkpoint() {
	c := s.sign(theKey)
	s.write(audit.Record{Event: audit.EventCheckpoint, Message: "signed", Journal: &audit.Journal{Checkpoint: c}})
}

// decide adds the records of an action; every third one is approved by a person,
// and the first record of a decision has the request in it.
func (s *scribe) decide(i int) {
	action := audit.Record{
		Namespace: "shop", Name: fmt.Sprintf("act-%05d", i), UID: fmt.Sprintf("6f2c0f1e-9f0a-4a0e-8f55-%012d", i), ResourceVersion: strconv.Itoa(1000 + i),
		Agent: "tutorial-agent", Requester: "system:serviceaccount:shop:tutorial-agent", ActionType: "database_read", Resource: "customers",
		SpecDigest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", PolicyRevision: "b5bb9d8014a0f9b1",
	}
	submitted := action
	submitted.Event, submitted.Actor = v1alpha1.EventActionSubmitted, action.Requester
	s.write(submitted)

	action.RiskScore, action.RiskLevel, action.MatchedRules = "2.1", v1alpha1.RiskLevelLow, []string{"ascend-system/large-reads Escalate Enforce"}
	decided := action
	decided.Event, decided.Decision, decided.Reason = v1alpha1.EventActionApproved, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved
	decided.Message = "Low risk (2.1) is approved by workflow ascend-system/risk-low: <b>&</b> \u2028é"
	decided.Request = &audit.Request{
		ActionType: "database_read", Description: "Read customer contact information for support ticket", Resource: "customers",
		Parameters: json.RawMessage(fmt.Sprintf(`{"affected_rows":%d,"classification":"pii","fraction":0.25,"table":"customers"}`, i)),
		Requester:  audit.Requester{Username: action.Requester, Groups: []v1alpha1.UserName{"system:authenticated"}}, SubmittedAt: s.now,
	}
	if i%3 == 2 {
		waits := decided
		waits.Event, waits.Decision, waits.Reason = v1alpha1.EventActionPending, v1alpha1.DecisionPending, "ApprovalRequired"
		s.write(waits)
		decided.Request, decided.Actor = nil, "alice"
		decided.Approvals = []audit.Approval{{Approver: "alice", Stage: "approval", Verdict: v1alpha1.VerdictApprove, Comment: "ticket \"4711\"\n"}}
	}
	s.write(decided)
}

// small is a trail of one replica with all that can be in one: two chains, the
// first killed in the middle of a line, gaps, checkpoints, and a rotated file.
type small struct {
	lines [][]byte
	// rotated is how many of the lines are in the rotated file.
	rotated int
	// torn is the index of the unfinished line; the next chain starts behind it.
	torn    int
	anchors []audit.Checkpoint
}

func newSmall() small {
	s := newScribe("0a7a3c6e-0000-4000-8000-00000000000a")
	s.start(nil, 0)
	for i := range 5 {
		s.decide(i)
	}
	s.checkpoint()
	rotated := len(s.lines)
	s.write(audit.Record{Event: audit.EventResumed, Message: "records can be kept again", Journal: &audit.Journal{UnconfirmedFrom: 5, UnconfirmedTo: 6, Lost: 2}})
	s.decide(5)
	s.checkpoint()
	s.decide(6)
	first := *s.sign(theKey)
	torn := len(s.lines)
	s.lines = append(s.lines, []byte(`{"schemaVersion":"v1alpha1","chain":"0a7a3c6e-0000-4000-8000-00000000000a","sequ`))
	b := s.next("1b7a3c6e-0000-4000-8000-00000000000b", int64(len(s.lines[torn])))
	for i := range 7 {
		b.decide(7 + i)
	}
	b.checkpoint()
	b.stop()
	return small{lines: b.lines, rotated: rotated, torn: torn, anchors: []audit.Checkpoint{first, *b.sign(theKey)}}
}

func (s small) options() VerifyOptions {
	return VerifyOptions{Anchors: s.anchors, Keys: []ed25519.PublicKey{public(theKey)}}
}

// text is lines as a file.
func text(lines [][]byte) []byte {
	var out []byte
	for _, line := range lines {
		out = append(append(out, line...), '\n')
	}
	return out
}

// linesOf are the lines of texts, one file each, numbered through.
func linesOf(texts ...[]byte) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		for i, text := range texts {
			number := 0
			for raw := range bytes.Lines(text) {
				number++
				line := Line{File: fmt.Sprint("file", i), Number: number, Raw: raw}
				line.Raw, line.Ended = bytes.CutSuffix(raw, []byte("\n"))
				if !yield(line, nil) {
					return
				}
			}
		}
	}
}

// without, swapped and repeated are lines with one change.
func without(lines [][]byte, i int) [][]byte {
	return slices.Delete(slices.Clone(lines), i, i+1)
}

func swapped(lines [][]byte, i, j int) [][]byte {
	out := slices.Clone(lines)
	out[i], out[j] = out[j], out[i]
	return out
}

func repeated(lines [][]byte, i, before int) [][]byte {
	return slices.Insert(slices.Clone(lines), before, lines[i])
}
