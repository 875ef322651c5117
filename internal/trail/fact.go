// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/ow-kai/ascend-operator/internal/canonical"
)

// fact is what a line says by itself, without those before it. Its texts are
// parts of the line.
type fact struct {
	file   string
	number int
	raw    []byte
	ended  bool
	place  int64 // in the order of the trail

	// problem is why the line is no record of the operator; empty where it is one.
	problem string
	// whole: nothing but the newline is missing.
	whole bool
	// changed: it is a record, and its hash is that of another one.
	changed bool

	previous, hash []byte
	journal        []byte // JSON; nil where it has none
	Outline
}

// Outline is what a record says of an action. Its texts are those of the JSON, without
// quotation marks.
type Outline struct {
	Chain, Time, Event, Kind, UID, ResourceVersion, Decision, Reason, SpecDigest, PolicyRevision []byte

	Sequence uint64 // in the chain
}

// examiner reads lines. It may not be used by several goroutines at once.
type examiner struct{ scanner canonical.Scanner }

// examine fills in what the line says.
func (e *examiner) examine(f *fact) {
	e.take(f)
	if !f.ended {
		f.whole = f.sound()
		f.problem = "the line is not finished: no newline ends it"
	}
}

func (e *examiner) take(f *fact) {
	text, err := e.scanner.Object(f.raw, "hash")
	if err != nil {
		f.problem = "the line is not written as the operator writes it: " + spelling(err)
		return
	}
	if f.problem = f.read(e.scanner.Members()); f.problem != "" {
		return
	}
	const prefix = "sha256:"
	sum := sha256.Sum256(text)
	var digits [2 * sha256.Size]byte
	hex.Encode(digits[:], sum[:])
	f.changed = !bytes.HasPrefix(f.hash, []byte(prefix)) || !bytes.Equal(f.hash[len(prefix):], digits[:])
}

func spelling(err error) string {
	if wrong, is := errors.AsType[*canonical.SpellingError](err); is {
		return fmt.Sprintf("column %d: %s", wrong.Offset+1, wrong.Problem)
	}
	return err.Error()
}

// What is kept of chains has no more bytes than that, whatever somebody has written: a
// UUID, a time, a hash; and of the trail itself the names of a Pod, of a key and of
// the chain before, with a signature.
const (
	maxName    = 128
	maxJournal = 4 << 10
)

// read takes the fields that matter, and returns what is wrong with them.
func (f *fact) read(members []canonical.Member) (problem string) {
	for _, m := range members {
		switch string(m.Key) {
		case "sequence":
			if n, err := strconv.ParseUint(string(m.Value), 10, 53); err == nil { // what a double can count
				f.Sequence = n
			}
			continue
		case "journal":
			if len(m.Value) > maxJournal {
				return fmt.Sprintf("the line is no audit record: its field journal has more than %d bytes", maxJournal)
			}
			f.journal = m.Value
			continue
		}
		into := f.text(m.Key)
		if into == nil {
			continue
		}
		if m.Value[0] != '"' {
			return fmt.Sprintf("the line is no audit record: its field %s is no text", m.Key)
		}
		*into = m.Value[1 : len(m.Value)-1]
	}
	if max(len(f.Chain), len(f.previous), len(f.hash), len(f.Time), len(f.ResourceVersion)) > maxName {
		return fmt.Sprintf("the line is no audit record: one of chain, time, resourceVersion, previousHash and hash has more than %d bytes", maxName)
	}
	if f.Sequence == 0 || len(f.Chain) == 0 || len(f.Event) == 0 || len(f.hash) == 0 {
		return "the line is no audit record: it lacks one of chain, sequence, event and hash"
	}
	return ""
}

// text is where the text of a field goes; nil where it does not matter.
func (f *fact) text(key []byte) *[]byte {
	switch string(key) {
	case "chain":
		return &f.Chain
	case "previousHash":
		return &f.previous
	case "hash":
		return &f.hash
	}
	return f.outline(key)
}

func (f *fact) outline(key []byte) *[]byte {
	switch string(key) {
	case "time":
		return &f.Time
	case "event":
		return &f.Event
	case "kind":
		return &f.Kind
	case "uid":
		return &f.UID
	case "decision":
		return &f.Decision
	case "reason":
		return &f.Reason
	case "specDigest":
		return &f.SpecDigest
	case "policyRevision":
		return &f.PolicyRevision
	case "resourceVersion":
		return &f.ResourceVersion
	}
	return nil
}

// marks are of every record, far from each other: a byte that is changed leaves
// some of them.
var marks = [][]byte{[]byte(`"schemaVersion":"`), []byte(`"sequence":`), []byte(`"previousHash":"sha256:`), []byte(`"hash":"sha256:`)}

// resemblesRecord tells a record that was damaged from a line of somebody else.
func (f *fact) resemblesRecord() bool {
	for _, mark := range marks {
		if bytes.Contains(f.raw, mark) {
			return true
		}
	}
	return false
}
