// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Recorder keeps records, several of them together: all or none. Records that
// could not be kept are an error, and what they tell of must then not happen.
type Recorder interface {
	Append(ctx context.Context, records ...Record) error
}

// ErrClosed is of records that come after Close.
var ErrClosed = errors.New("the audit log is closed")

// Log chains records and writes them as JSON lines. It may be used by many
// goroutines at once: what comes while a batch is being written waits for the
// next one, so that one sync of a disk serves many. There is no goroutine while
// there is nothing to write.
//
// When a write fails, Append says so, nothing is lost that Append has confirmed,
// and the next record is EventResumed, which tells what became of those that it
// has not. A sink that does not answer in time counts as failed; what it keeps
// later all the same is told as unconfirmed.
type Log struct {
	options   Options
	chain     string
	followers []*follower
	journal   bool                 // tells of its beginning and end
	writing   atomic.Pointer[Sink] // the one that was given something last
	stopping  chan struct{}        // closed by Close
	following sync.WaitGroup       // the goroutines of followers

	mu      sync.Mutex
	queue   []*call
	running bool          // a goroutine works on the queue
	closed  bool          // no more records
	stuck   bool          // a batch has not ended in time, and is under way still
	begun   bool          // EventStarted is in the trail
	head    Head          // the last record that is in the trail
	gap     gap           // to be told
	failure error         // why records cannot be kept; nil when they can
	idle    chan struct{} // where not nil: closed when the queue has been worked off
}

var _ Recorder = (*Log)(nil)

// call is one Append.
type call struct {
	entries []entry
	probe   bool // nothing but to see whether records can be kept
	strict  bool // told the truth under Continue, too

	done  chan struct{} // closed when err is known
	err   error
	taken bool // it is in a batch
	over  bool // done is closed
}

// Append chains the records and returns when they are kept. It fails, and none
// of them counts, when they cannot be kept; then they may stand in the trail all
// the same, told as unconfirmed by a later record. When ctx ends before the
// records are being written they are never written; once they are, it is waited
// for what becomes of them.
func (l *Log) Append(ctx context.Context, records ...Record) error {
	if len(records) == 0 {
		return nil
	}
	c := &call{}
	for i := range records {
		record := records[i]
		if record.Time.IsZero() {
			record.Time = l.options.Clock.Now()
		}
		record.SchemaVersion, record.Chain, record.Time = SchemaVersion, l.chain, record.Time.UTC()
		record.PreviousHash, record.Hash = "", ""
		e, err := prepare(record)
		if err != nil {
			return fmt.Errorf("audit record: %w", err)
		}
		c.entries = append(c.entries, e)
	}
	return l.submit(ctx, c)
}

// do is submit for what nobody calls off.
func (l *Log) do(c *call) error { return l.submit(context.Background(), c) }

// submit puts a call into the queue and waits for it.
func (l *Log) submit(ctx context.Context, c *call) error {
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("audit record: %w", err)
	}
	c.done = make(chan struct{})
	l.mu.Lock()
	switch {
	case l.closed:
		l.mu.Unlock()
		return ErrClosed
	case l.stuck:
		defer l.mu.Unlock()
		l.fail(c, l.failure)
		return c.err
	}
	l.enqueue(c) //nolint:contextcheck // no caller's context ends what others wait for, too
	l.mu.Unlock()
	select {
	case <-c.done:
	case <-ctx.Done():
		if l.withdraw(c) {
			return fmt.Errorf("audit record: %w", context.Cause(ctx))
		}
		<-c.done
	}
	return c.err
}

// enqueue is called with mu held.
func (l *Log) enqueue(c *call) {
	l.queue = append(l.queue, c)
	if !l.running {
		l.running = true
		go l.work()
	}
}

// withdraw takes a call out of the queue; false when it is too late.
func (l *Log) withdraw(c *call) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.taken || c.over {
		return false
	}
	l.queue = slices.DeleteFunc(l.queue, func(other *call) bool { return other == c })
	return true
}

// work writes batch after batch until nothing waits.
func (l *Log) work() {
	for {
		now := l.options.Clock.Now()
		l.mu.Lock()
		b := l.compose(now)
		if b == nil {
			l.running = false
			if l.idle != nil {
				close(l.idle)
				l.idle = nil
			}
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		l.commit(b)
	}
}

// end tells a call what became of it. It is called with mu held.
func (c *call) end(err error) {
	if !c.over {
		c.err, c.over = err, true
		close(c.done)
	}
}

// fail ends a call whose records are not kept. It is called with mu held.
func (l *Log) fail(c *call, err error) {
	if c.over {
		return
	}
	if l.options.OnFailure == Continue && !c.strict {
		l.lose(len(c.entries))
		err = nil
	}
	c.end(err)
}

// lose counts records that are lost. It is called with mu held.
func (l *Log) lose(records int) {
	l.gap.lost += uint64(records) //nolint:gosec // a length
	lostRecordsTotal.WithLabelValues(l.options.Sinks[0].Name()).Add(float64(records))
}

// Check says whether records can be kept, for a readiness probe. After a failure
// it tries again, with EventResumed, and returns what comes of that. Under
// Continue it tries, too, and always returns nil: what goes on without records
// must not be held up by them.
func (l *Log) Check(ctx context.Context) error {
	l.mu.Lock()
	failure, stuck := l.failure, l.stuck
	l.mu.Unlock()
	if failure != nil && !stuck {
		failure = l.submit(ctx, &call{probe: true, strict: true})
	}
	if l.options.OnFailure == Continue {
		return nil
	}
	return failure
}

// Head is the last record that is in the trail.
func (l *Log) Head() Head {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head
}
