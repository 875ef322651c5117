// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// maxBatch records and about maxBatchBytes bytes are written together.
	maxBatch      = 512
	maxBatchBytes = 4 << 20
)

// batch is lines that are written together.
type batch struct {
	calls []*call
	lines [][]byte
	heads []Head // after each line
	// started and resumed are the numbers of lines up to and with EventStarted and
	// EventResumed; 0 where the batch has none.
	started, resumed int
	told             gap  // by EventResumed
	released         bool // those who wait have been told that it has not ended in time
	settled          bool // it has ended
}

// compose makes a batch of what waits; nil when nothing does. It is called with
// mu held.
func (l *Log) compose(now time.Time) *batch {
	b := &batch{}
	size := 0
	for len(l.queue) > 0 && len(b.lines) < maxBatch && size < maxBatchBytes {
		c := l.queue[0]
		l.queue = l.queue[1:]
		c.taken = true
		if len(b.calls) == 0 {
			l.preface(b, now)
		}
		added, err := b.add(l.head, c)
		if err != nil {
			c.end(err) // of this one alone
			continue
		}
		size += added
		b.calls = append(b.calls, c)
	}
	if len(b.calls) == 0 && len(b.lines) == 0 {
		return nil
	}
	return b
}

// preface puts first what the trail has to say of itself.
func (l *Log) preface(b *batch, now time.Time) {
	if l.journal && !l.begun && b.started == 0 {
		_, _ = b.add(l.head, &call{entries: []entry{l.startedEntry(now)}}) // text and numbers
		b.started = len(b.lines)
	}
	if l.gap.open && b.resumed == 0 {
		b.told = l.gap
		record := l.gap.record()
		record.Time = now
		_, _ = b.add(l.head, &call{entries: []entry{journalEntry(func(Head) (Record, error) { return record, nil })}})
		b.resumed = len(b.lines)
	}
}

func (l *Log) startedEntry(now time.Time) entry {
	return journalEntry(func(Head) (Record, error) {
		return Record{
			Time: now, Event: EventStarted,
			Message: "audit log of " + l.options.Replica + " begins",
			Journal: &Journal{
				Replica: l.options.Replica, Version: l.options.Version,
				Previous: l.options.Previous, Unfinished: l.options.Unfinished,
			},
		}, nil
	})
}

// add puts the records of a call behind those before, all or none. head is where
// the batch begins.
func (b *batch) add(head Head, c *call) (size int, err error) {
	before := len(b.lines)
	if before > 0 {
		head = b.heads[before-1]
	}
	for _, e := range c.entries {
		line, hash, err := e.line(head)
		if err != nil {
			b.lines, b.heads = b.lines[:before], b.heads[:before]
			return 0, err
		}
		head = Head{Chain: head.Chain, Sequence: head.Sequence + 1, Hash: hash}
		b.lines, b.heads = append(b.lines, line), append(b.heads, head)
		size += len(line)
	}
	return size, nil
}

// commit hands the batch to the sinks and tells those who wait what came of it.
func (l *Log) commit(b *batch) {
	began := l.options.Clock.Now()
	watchdog := l.options.Clock.AfterFunc(l.options.SinkTimeout, func() { l.release(b) })
	ctx, cancel := context.WithTimeout(context.Background(), l.options.SinkTimeout)
	defer cancel()
	kept, err := l.deliver(ctx, b)
	watchdog.Stop()
	took := l.options.Clock.Since(began)

	recordsTotal.Add(float64(kept))
	if err == nil && len(b.lines) > 0 {
		commitSeconds.Observe(took.Seconds())
		batchRecords.Observe(float64(len(b.lines)))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle(b, kept, err)
}

// deliver returns how many of the lines, from the first on, the leading sink has
// kept, and what failed. The chain does not go on before all sinks have what it
// had before, but under Continue.
func (l *Log) deliver(ctx context.Context, b *batch) (kept int, err error) {
	if err := l.catchUp(ctx); err != nil {
		return 0, err
	}
	if len(b.lines) > 0 {
		kept = len(b.lines)
		lead := l.options.Sinks[0]
		l.writing.Store(&lead)
		if err = lead.Write(ctx, b.lines); err != nil {
			kept = min(linesKept(err), len(b.lines))
			err = failed(lead, err)
		}
	}
	for _, f := range l.followers {
		f.add(b.lines[:kept], l.options.OnFailure == Continue)
	}
	if behind := l.catchUp(ctx); err == nil {
		err = behind
	}
	return kept, err
}

// release tells those who wait, and those who come, that the batch has not ended
// in time. What becomes of it is found out when it ends.
func (l *Log) release(b *batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b.settled {
		return
	}
	b.released, l.stuck = true, true
	l.broken(failed(*l.writing.Load(), fmt.Errorf("%w within %s", errHung, l.options.SinkTimeout)))
	for _, c := range b.calls {
		c.end(l.answer(c, l.failure)) // lost or not is known when the write ends
	}
	for _, c := range l.queue {
		c.taken = true
		l.fail(c, l.failure)
	}
	l.queue = nil
}

// errHung is of a sink that may still keep what it was given.
var errHung = errors.New("has not answered")

// answer is what a call is told of a failure.
func (l *Log) answer(c *call, failure error) error {
	if l.options.OnFailure == Continue && !c.strict {
		return nil
	}
	return failure
}

// settle takes over what became of the batch. It is called with mu held.
func (l *Log) settle(b *batch, kept int, err error) {
	b.settled, l.stuck = true, false
	first := l.head.Sequence + 1
	if kept > 0 {
		l.head = b.heads[kept-1]
	}
	if b.started > 0 && b.started <= kept {
		l.begun = true
	}
	if b.resumed > 0 && b.resumed <= kept {
		l.gap.told(b.told)
	}
	switch {
	case err != nil:
		l.broken(err)
	case !b.released:
		l.mended()
	}
	if err != nil || b.released { // also where it ended well after all: the next record tells it
		l.gap.open, l.gap.why = true, l.failure.Error()
		if l.options.OnFailure == Continue {
			l.lose(b.lost(kept))
		} else if kept > 0 {
			l.gap.unconfirmed(first, l.head.Sequence)
		}
	}
	for _, c := range b.calls {
		c.end(l.answer(c, err))
	}
}

// lost is how many records that somebody waits for are not among the lines that
// were kept.
func (b *batch) lost(kept int) int {
	at := len(b.lines)
	for _, c := range b.calls {
		at -= len(c.entries)
	}
	lost := 0
	for _, c := range b.calls {
		for range c.entries {
			at++
			if at > kept && !c.strict {
				lost++
			}
		}
	}
	return lost
}

// broken notes why records cannot be kept. It is called with mu held.
func (l *Log) broken(err error) {
	if l.failure == nil {
		l.options.Logger.Error(err, "Audit records cannot be kept", "onFailure", l.options.OnFailure)
	}
	l.failure = err
	healthy.Set(0)
}

// mended notes that records can be kept. It is called with mu held.
func (l *Log) mended() {
	if l.failure != nil {
		l.options.Logger.Info("Audit records can be kept again", "before", l.failure.Error())
	}
	l.failure = nil
	for _, f := range l.followers {
		if f.failed() != nil {
			return
		}
	}
	healthy.Set(1)
}
