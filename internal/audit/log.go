// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Recorder keeps records, several of them together: all or none. Records that
// could not be kept are an error, and what they tell of must then not happen.
type Recorder interface {
	Append(ctx context.Context, records ...Record) error
}

// Log writes records as JSON lines and chains them. It may be used by many
// goroutines at once.
type Log struct {
	mu       sync.Mutex
	out      io.Writer
	chain    string
	sequence uint64
	previous string
	torn     bool  // the last line was not written to its end
	failure  error // of the last write; nil when it succeeded
}

var _ Recorder = (*Log)(nil)

// NewLog returns a log that begins a new chain on out.
func NewLog(out io.Writer) *Log {
	return &Log{out: out, chain: uuid.NewString()}
}

// Append completes the record with chain, sequence and hashes, and writes it
// as one line. When writing fails, the chain stays where it was: the next
// record takes the place of the failed one. What a failed write left behind
// stays as a line of its own that is no JSON, and is no part of the chain.
func (l *Log) Append(ctx context.Context, records ...Record) error {
	for _, record := range records {
		if err := l.append(ctx, record); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) append(_ context.Context, record Record) error {
	request, err := newRequestText(record.Request)
	if err != nil {
		return fmt.Errorf("audit record: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	record.SchemaVersion = SchemaVersion
	record.Chain = l.chain
	record.Sequence = l.sequence + 1
	record.Time = record.Time.UTC()
	record.PreviousHash = l.previous
	record.Hash = ""
	hash, err := request.hash(record)
	if err != nil {
		return fmt.Errorf("hash audit record: %w", err)
	}
	record.Hash = hash
	line, err := request.line(record)
	if err != nil {
		return fmt.Errorf("write audit record as JSON: %w", err)
	}
	if err := l.write(line); err != nil {
		return err
	}
	l.sequence, l.previous = record.Sequence, record.Hash
	return nil
}

// write writes one line, after the end of one that a failure left unfinished.
func (l *Log) write(line []byte) error {
	if l.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := l.out.Write(line)
	if err == nil && n < len(line) {
		err = io.ErrShortWrite
	}
	if err != nil {
		l.torn = l.torn || n > 0
		l.failure = fmt.Errorf("write audit record: %w", err)
		return l.failure
	}
	l.torn, l.failure = false, nil
	return nil
}

// Check says whether records can be kept, for a readiness probe. After a
// failed write it tries again with a record of its own, EventResumed, which
// also tells whoever reads the log that there was a gap. It returns the error
// of that attempt.
func (l *Log) Check(ctx context.Context, now time.Time) error {
	l.mu.Lock()
	failure := l.failure
	l.mu.Unlock()
	if failure == nil {
		return nil
	}
	return l.Append(ctx, Record{Time: now, Event: EventResumed, Message: "records can be kept again; before: " + failure.Error()})
}
