// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"fmt"
	"time"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// at is where a line stands.
type at struct {
	file   string
	number int
	place  int64
}

func (f *fact) at() at { return at{f.file, f.number, f.place} }

// String is FILE:NUMBER.
func (a at) String() string { return fmt.Sprintf("%s:%d", a.file, a.number) }

// head is a record that another one may follow.
type head struct {
	sequence uint64
	hash     string
	unsure   bool // the record was changed, so its hash is not known
	place    at
}

func (h *head) isFollowedBy(f *fact) bool {
	return f.Sequence == h.sequence+1 && (h.unsure || string(f.previous) == h.hash)
}

// remembered is how many of the last hashes are kept of a chain that was collected:
// more than the operator writes at once, and may write again.
const remembered = 4096

// chain is what is known of one that is being read.
type chain struct {
	id               string
	replica, version string
	first, last      uint64
	records          uint64
	begins           at
	beginTime        string
	untilTime        []byte
	head             head
	// aside is the head before a record that was out of its place: the chain goes on
	// behind one of both.
	aside *head
	// end is audit.stopped; nil while there is none.
	end *at
	// follower is where the next chain of the file tells that this one has ended.
	follower     *at
	followedBy   string // its id
	vouched      bool   // by something that is signed with a known key; see vouching
	toldOfEnd    bool   // a fault behind its end was reported
	checkpoints  int
	signed       uint64
	anchored     uint64
	unknownKeys  map[string]bool
	unconfirmed  uint64
	lost         uint64
	faults       int
	recentHashes map[uint64]string // of the last records, by sequence%remembered; in a collected trail
}

// begin makes the chain of a record that is the first of it.
func (v *verifier) begin(f *fact) *chain {
	c := &chain{id: string(f.Chain), first: f.Sequence, last: f.Sequence, begins: f.at(), beginTime: string(f.Time)}
	if v.options.Collected {
		c.recentHashes = map[uint64]string{}
	}
	v.chains[c.id] = c
	v.order = append(v.order, c)
	return c
}

// follow takes a sound record at its place in its chain.
func (v *verifier) follow(f *fact) {
	if v.options.Visit != nil {
		v.options.Visit(f.Outline)
	}
	c := v.chains[string(f.Chain)]
	if c == nil {
		c = v.begin(f)
		v.beginning(c, f)
	} else if v.repeats(c, f) {
		v.report.Repeated++
		return
	} else {
		v.place(c, f)
	}
	v.tells(c, f)
	v.compareAnchors(c, f)
	c.records++
	c.last = max(c.last, f.Sequence)
	c.untilTime = append(c.untilTime[:0], f.Time...)
	c.head = head{sequence: f.Sequence, hash: string(f.hash), place: f.at()}
	if c.recentHashes != nil {
		c.recentHashes[f.Sequence%remembered] = c.head.hash
	}
}

// repeats says whether a record of a collected trail was there before: what a sink
// may not have taken it is given again.
func (v *verifier) repeats(c *chain, f *fact) bool {
	return c.recentHashes != nil && f.Sequence <= c.last && c.recentHashes[f.Sequence%remembered] == string(f.hash)
}

// beginning judges the first record of a chain that there is.
func (v *verifier) beginning(c *chain, f *fact) {
	switch {
	case f.Sequence == 1 && len(f.previous) > 0:
		v.fault(c, f, "the first record of a chain names one before it", compareAdvice)
	case f.Sequence == 1:
	case v.damaged > 0 && f.Sequence == 2:
		v.damaged--
	case v.mayBegin():
		v.notef("chain %s begins with record %d, at %s: the older ones are not here", c.id, f.Sequence, f.at())
	default:
		v.fault(c, f, fmt.Sprintf("the beginning of the chain is missing: %s", span(1, f.Sequence-1)),
			v.missingAdvice())
	}
}

// missingAdvice is for what is missing where a chain begins.
func (v *verifier) missingAdvice() string {
	const files = "Name the older files, too, the oldest first, or their folder. "
	if !v.options.Partial {
		return files + "If they were removed on purpose, use --partial."
	}
	return files + "--partial is only about what came before the first record of a file and of those that were rotated out of it: name the files of several replicas " +
		"one by one, or use --collected if these lines were collected from the operator's output. " + compareAdvice
}

// span is "record 3" or "records 3 to 7".
func span(from, to uint64) string {
	if from == to {
		return fmt.Sprintf("record %d", from)
	}
	return fmt.Sprintf("records %d to %d", from, to)
}

// place judges a record that is not the first.
func (v *verifier) place(c *chain, f *fact) {
	before := c.head
	if before.isFollowedBy(f) || c.aside != nil && c.aside.isFollowedBy(f) {
		if !before.isFollowedBy(f) {
			c.aside = &before
		}
		v.afterEnd(c, f)
		return
	}
	c.toldOfEnd = c.end != nil || c.follower != nil // what is out of its place is told as that
	c.aside = &before
	switch {
	case f.Sequence == before.sequence+1:
		v.found(c, Fault{
			File: before.place.file, Line: before.place.number, Chain: c.id, Sequence: before.sequence, place: 2 * before.place.place,
			What:   fmt.Sprintf("the record was rewritten: the one after it, at %s, follows another", f.at()),
			Advice: compareAdvice,
		})
	case f.Sequence > before.sequence+1:
		if f.Sequence == before.sequence+2 && v.damaged > 0 {
			v.damaged--
			return
		}
		v.fault(c, f, fmt.Sprintf("%s of the chain should stand before this line, after %s: removed or moved", span(before.sequence+1, f.Sequence-1), before.place),
			"If there are other files of this replica, name them, too, the oldest first, or their folder. "+compareAdvice)
	default:
		v.fault(c, f, fmt.Sprintf("the line was repeated or moved: record %d of the chain was read before, at %s", before.sequence, before.place),
			"If the same records were given twice, such as by a copy of a file, leave one out. "+compareAdvice)
	}
}

// afterEnd judges a record that follows the last one of its chain.
func (v *verifier) afterEnd(c *chain, f *fact) {
	switch {
	case c.toldOfEnd:
		return
	case c.end != nil:
		v.fault(c, f, fmt.Sprintf("the chain ended in order at %s, and nothing may follow", c.end), compareAdvice)
	case c.follower != nil:
		v.fault(c, f, fmt.Sprintf("the chain ended before this, as the one that begins at %s tells", c.follower), compareAdvice)
	default:
		return
	}
	c.toldOfEnd = true
}

// tells takes in what a record says of the trail itself.
func (v *verifier) tells(c *chain, f *fact) {
	if f.journal == nil && !isEvent(f, audit.EventStopped) {
		return
	}
	journal := journalOf(f)
	switch {
	case isEvent(f, audit.EventStarted):
		if f.Sequence != 1 {
			v.fault(c, f, "a chain begins in the middle of another", compareAdvice)
		}
		c.replica, c.version = journal.Replica, journal.Version
		if journal.Previous != nil {
			v.comesAfter(c, f, *journal.Previous)
		}
	case isEvent(f, audit.EventStopped):
		place := f.at()
		c.end = &place
	case isEvent(f, audit.EventCheckpoint):
		v.checkpoint(c, f, journal.Checkpoint)
	case isEvent(f, audit.EventResumed):
		if from, to := journal.UnconfirmedFrom, journal.UnconfirmedTo; from > 0 && to >= from {
			c.unconfirmed += to - from + 1
		}
		c.lost += journal.Lost
	}
	if n := journal.Unfinished; n > 0 && !v.explained && !v.options.Collected && !v.mayBegin() {
		v.fault(c, f, fmt.Sprintf("the line before this should be an unfinished one of %d bytes, and is not", n), compareAdvice)
	}
}

func isEvent[T ~string](f *fact, event T) bool { return string(f.Event) == string(event) }

// comesAfter judges what a chain says of where the one before it ended.
func (v *verifier) comesAfter(c *chain, f *fact, previous audit.Head) {
	before := v.chains[previous.Chain]
	const advice = "If there is another file of this replica, name it, too, the older one first, or their folder. " + compareAdvice
	if before == nil {
		switch {
		case v.mayBegin():
			v.notef("chain %s, which came before the one at %s, is not here", previous.Chain, f.at())
		case v.damaged > 0: // its only line
			v.damaged--
		default:
			v.fault(c, f, fmt.Sprintf("chain %s, which came before this one and has %s, is missing", previous.Chain, span(1, previous.Sequence)),
				v.missingAdvice())
		}
		return
	}
	switch {
	case before.hadMore(previous):
		return // the file had lost what was collected
	case before.last+1 == previous.Sequence && v.damaged > 0:
		v.damaged--
	case before.last < previous.Sequence:
		v.fault(c, f, fmt.Sprintf("the chain before this one, %s, was cut off: %s should stand before this line, after %s",
			previous.Chain, span(before.last+1, previous.Sequence), before.head.place), advice)
	case !before.head.is(previous):
		v.fault(c, f, fmt.Sprintf("the chain before this one, %s, does not end here at %s as this one tells: it was rewritten, or lines were moved", previous.Chain, before.head.place), compareAdvice)
	}
	if before.follower == nil {
		place := f.at()
		before.follower, before.followedBy = &place, c.id
	}
}

// is says whether it is that record, as far as it is known.
func (h *head) is(other audit.Head) bool {
	return h.sequence == other.Sequence && (h.unsure || h.hash == other.Hash)
}

// hadMore says whether a collected chain went on behind a record.
func (c *chain) hadMore(than audit.Head) bool {
	return c.recentHashes != nil && c.last > than.Sequence && c.recentHashes[than.Sequence%remembered] == than.Hash
}

// time reads that of a record; zero where it cannot be read.
func (c *chain) time(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
