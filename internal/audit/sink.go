// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// Sink is a place where lines are kept. A Log calls it from one goroutine at a
// time.
type Sink interface {
	// Write keeps lines, in this order after those before, each without its end of
	// line. It returns nil when all of them are durable, as far as the place can
	// tell. After an error none of them is kept, but for what a PartialError says.
	Write(ctx context.Context, lines [][]byte) error
	// Close ends the use of the place. No Write is under way.
	Close() error
	// Name says in messages and metrics which sink it is, in one word.
	Name() string
}

// PartialError is of a write that failed after some lines were kept, which
// cannot be taken back.
type PartialError struct {
	// Lines is how many of the lines, from the first on, are kept, or will be
	// before any other is.
	Lines int
	// Err is why the others are not.
	Err error
}

func (e *PartialError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *PartialError) Unwrap() error { return e.Err }

// Writer is a sink on something that bytes can only be added to, such as
// standard output. It cannot tell whether they are durable.
type Writer struct {
	name string
	out  io.Writer
	// rest of a line that a failed write left unfinished. It is written before
	// anything else, so that no line is ever broken.
	rest []byte
	buf  []byte
}

var _ Sink = (*Writer)(nil)

// NewWriter returns a sink on out. Where out is an io.Closer, the caller closes it.
func NewWriter(name string, out io.Writer) *Writer { return &Writer{name: name, out: out} }

// Name implements Sink.
func (w *Writer) Name() string { return w.name }

// Close implements Sink.
func (w *Writer) Close() error { return nil }

// Write implements Sink. A line that was written in part counts as kept: its
// rest is written first when there is a next time.
func (w *Writer) Write(_ context.Context, lines [][]byte) error {
	w.buf = appendLines(append(w.buf[:0], w.rest...), lines)
	n, err := w.out.Write(w.buf)
	if err == nil && n < len(w.buf) {
		err = io.ErrShortWrite
	}
	if err == nil {
		w.rest = w.rest[:0]
		return nil
	}
	n = min(max(n, 0), len(w.buf))
	if n < len(w.rest) {
		w.rest = append([]byte(nil), w.rest[n:]...)
		return err
	}
	written := w.buf[len(w.rest):n]
	kept := bytes.Count(written, []byte{'\n'})
	end := bytes.LastIndexByte(written, '\n') + 1
	w.rest = w.rest[:0]
	if end < len(written) { // in the middle of a line
		broken := lines[kept]
		w.rest = append(append([]byte(nil), broken[len(written)-end:]...), '\n')
		kept++
	}
	if kept == 0 {
		return err
	}
	return &PartialError{Lines: kept, Err: err}
}

// appendLines adds lines with their ends.
func appendLines(buf []byte, lines [][]byte) []byte {
	for _, line := range lines {
		buf = append(append(buf, line...), '\n')
	}
	return buf
}

// failed is a failure of a sink, counted and with its name.
func failed(sink Sink, err error) error {
	writeFailuresTotal.WithLabelValues(sink.Name()).Inc()
	return fmt.Errorf("audit sink %s: %w", sink.Name(), err)
}

// linesKept is how many lines a failed write has kept.
func linesKept(err error) int {
	if partial, is := errors.AsType[*PartialError](err); is {
		return partial.Lines
	}
	return 0
}
