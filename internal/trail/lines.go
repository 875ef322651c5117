// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
)

// MaxLine is more bytes than any audit record has. The largest, one with all the
// text that the schema lets in, has about 1 MiB, six times as much where all of it is
// escaped.
const MaxLine = 8 << 20

// LineError says from which line on a file cannot be read.
type LineError struct {
	File   string
	Number int
	// Err says why, and what to do.
	Err error
}

// Error implements error.
func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Number, e.Err) }

// Unwrap returns Err.
func (e *LineError) Unwrap() error { return e.Err }

// Lines reads a text line by line, unpacked where it is compressed by gzip; name is
// for messages. It keeps one line in memory, and ends with a *LineError where it
// cannot read on.
func Lines(name string, from io.Reader) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		lines, err := newLines(name, from)
		for err == nil {
			var line Line
			if line, err = lines.next(); err == nil && !yield(line, nil) {
				return
			}
		}
		if !errors.Is(err, io.EOF) {
			yield(Line{}, err)
		}
	}
}

type lines struct {
	name   string
	from   *bufio.Reader
	number int
	long   []byte // of a line that does not fit into from
}

func newLines(name string, from io.Reader) (*lines, error) {
	buffered := bufio.NewReaderSize(from, 256<<10)
	magic, err := buffered.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, &LineError{name, 1, errors.New(reason(err))}
	}
	if len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, &LineError{name, 1, fmt.Errorf("unpack: %s; fetch the file again", reason(err))}
		}
		buffered = bufio.NewReaderSize(unpacked, 256<<10)
	}
	return &lines{name: name, from: buffered}, nil
}

// next returns the next line. It fails with io.EOF, unwrapped, at the end.
func (l *lines) next() (Line, error) {
	l.number++
	l.long = l.long[:0]
	for {
		part, err := l.from.ReadSlice('\n')
		full := errors.Is(err, bufio.ErrBufferFull)
		switch {
		case len(l.long)+len(part) > MaxLine:
			return Line{}, l.failed(fmt.Errorf("the line has more than %d MiB, as no audit record has; is this an audit log of the operator?", MaxLine>>20))
		case errors.Is(err, io.ErrUnexpectedEOF):
			return Line{}, l.failed(errors.New("the file ends in the middle of what gzip has packed; fetch all of it, or pipe what there is through gunzip and read standard input, -"))
		case err != nil && !full && !errors.Is(err, io.EOF):
			return Line{}, l.failed(errors.New(reason(err)))
		case full:
			l.long = append(l.long, part...)
			continue
		case len(l.long) > 0:
			l.long = append(l.long, part...)
			part = l.long
		}
		if len(part) == 0 {
			return Line{}, io.EOF
		}
		line := Line{File: l.name, Number: l.number, Raw: part}
		if last := len(part) - 1; part[last] == '\n' {
			line.Raw, line.Ended = part[:last], true
		}
		return line, nil
	}
}

func (l *lines) failed(err error) error { return &LineError{l.name, l.number, err} }

// reason is an error of reading, without the end of the text in it: that would
// pass for an end in order.
func reason(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the text ends too early"
	}
	return err.Error()
}
