// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"errors"
	"fmt"
)

// Close ends the chain: records that wait are written, EventStopped follows as
// the last one, and the sinks are closed. Append then fails with ErrClosed. It
// fails where the trail does not end that way, when ctx ends at the latest. A
// second call does nothing.
func (l *Log) Close(ctx context.Context) error {
	last := &call{strict: true, done: make(chan struct{})}
	if l.journal {
		now := l.options.Clock.Now()
		last.entries = []entry{journalEntry(func(Head) (Record, error) {
			return Record{Time: now, Event: EventStopped, Message: "audit log of " + l.options.Replica + " ends"}, nil
		})}
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	close(l.stopping)
	if l.stuck {
		last.end(l.failure)
	} else {
		l.enqueue(last) //nolint:contextcheck // no caller's context ends what others wait for, too
	}
	l.mu.Unlock()

	err := wait(ctx, last.done)
	if err == nil {
		err = last.err
	}
	if err != nil {
		err = fmt.Errorf("the audit trail ends without %s: %w", EventStopped, err)
	}
	return errors.Join(err, l.closeSinks(ctx))
}

// closeSinks gives followers the rest, and closes what no write is under way in.
func (l *Log) closeSinks(ctx context.Context) error {
	idle := make(chan struct{})
	l.mu.Lock()
	if l.running {
		l.idle = idle
	} else {
		close(idle)
	}
	l.mu.Unlock()
	if err := wait(ctx, idle); err != nil {
		return err // a sink hangs; closing it would hang, too
	}
	followed := make(chan struct{})
	go func() {
		l.following.Wait()
		close(followed)
	}()
	if err := wait(ctx, followed); err != nil {
		return err
	}
	var errs []error
	for _, f := range l.followers {
		errs = append(errs, f.flush(ctx))
	}
	for _, sink := range l.options.Sinks {
		if err := sink.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close audit sink %s: %w", sink.Name(), err))
		}
	}
	return errors.Join(errs...)
}

func wait(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the audit sinks: %w", context.Cause(ctx))
	}
}
