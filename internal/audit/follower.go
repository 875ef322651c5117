// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// maxBehind and maxBehindBytes bound what is kept in memory for a sink that
	// does not take it, under Continue. Under Stop it is one batch.
	maxBehind      = 10_000
	maxBehindBytes = 16 << 20
	// retryInterval is the time between two tries of a follower under Continue.
	retryInterval = time.Second
)

// follower is a sink that gets what the first one has kept, in the same order.
// What it has not taken it is given again, the same lines: it may get them twice.
type follower struct {
	sink Sink

	mu      sync.Mutex
	behind  [][]byte // lines it has not taken, or may not have
	bytes   int
	missed  int   // lines that were too many to wait
	failure error // of the last write
	running bool  // a goroutine gives it what it is behind
}

// add puts lines at the end of what it has to take. With a bound, lines beyond
// it are left out, and counted.
func (f *follower) add(lines [][]byte, bounded bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, line := range lines {
		if bounded && (len(f.behind) >= maxBehind || f.bytes+len(line) > maxBehindBytes) {
			f.missed++
			lostRecordsTotal.WithLabelValues(f.sink.Name()).Inc()
			continue
		}
		f.behind = append(f.behind, line)
		f.bytes += len(line)
	}
}

// flush writes what it has to take, and returns when nothing is left, or the
// sink fails.
func (f *follower) flush(ctx context.Context) error {
	for {
		chunk := f.chunk()
		if len(chunk) == 0 {
			return nil
		}
		err := f.sink.Write(ctx, chunk)
		taken := len(chunk)
		if err != nil {
			taken = min(linesKept(err), taken)
			err = failed(f.sink, err)
		}
		f.took(taken, err)
		if err != nil {
			return err
		}
	}
}

// chunk is as much as goes into one batch.
func (f *follower) chunk() [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	size := 0
	for i, line := range f.behind {
		if size += len(line); i >= maxBatch || i > 0 && size > maxBatchBytes {
			return f.behind[:i]
		}
	}
	return f.behind
}

func (f *follower) took(lines int, failure error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, line := range f.behind[:lines] {
		f.bytes -= len(line)
	}
	if f.behind = f.behind[lines:]; len(f.behind) == 0 {
		f.behind = nil
	}
	f.failure = failure
}

// failed is why it did not take what it was given last; nil when it did.
func (f *follower) failed() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failure
}

// catchUp gives all followers what they are behind. Under Continue it does not
// wait for them.
func (l *Log) catchUp(ctx context.Context) error {
	for _, f := range l.followers {
		if l.options.OnFailure == Continue {
			l.follow(f) //nolint:contextcheck // no caller's context ends what others wait for, too
			continue
		}
		if len(f.chunk()) == 0 {
			continue
		}
		l.writing.Store(&f.sink)
		if err := f.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

// follow starts a goroutine that tries until the follower has everything. There
// is at most one, and none once there is nothing to give.
func (l *Log) follow(f *follower) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running || len(f.behind) == 0 {
		return
	}
	f.running = true
	l.following.Go(func() {
		for !l.tryFollow(f) {
			select {
			case <-l.stopping:
				return
			case <-l.options.Clock.After(retryInterval):
			}
		}
	})
}

// tryFollow returns true when the follower has everything, or the log closes,
// which then does the rest.
func (l *Log) tryFollow(f *follower) bool {
	before := f.failed()
	ctx, cancel := context.WithTimeout(context.Background(), l.options.SinkTimeout)
	defer cancel()
	err := f.flush(ctx)
	switch {
	case err != nil && before == nil:
		healthy.Set(0)
		l.options.Logger.Error(err, "An audit sink fails; the others go on", "onFailure", l.options.OnFailure)
	case err == nil:
		l.caughtUp(f, before)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running = len(f.behind) > 0
	return !f.running
}

// caughtUp has the next record tell what a follower has missed. Where that has
// something else to tell, the follower is asked again after what it gets next.
func (l *Log) caughtUp(f *follower, before error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	missed := 0
	if !l.gap.open {
		missed = f.tellMissed()
	}
	if before == nil && missed == 0 {
		return
	}
	why := fmt.Sprintf("audit sink %s did not take them", f.sink.Name())
	if before != nil {
		why = before.Error()
	}
	l.options.Logger.Info("An audit sink works again", "before", why, "missed", missed)
	if missed > 0 {
		l.gap.open, l.gap.why = true, fmt.Sprintf("%s; it has not got %d records that the others have", why, missed)
	}
	if l.failure == nil {
		l.mended()
	}
}

// tellMissed is how many lines were too many to wait, once.
func (f *follower) tellMissed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	missed := f.missed
	f.missed = 0
	return missed
}
