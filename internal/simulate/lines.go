// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// maxLine is more bytes than any audit record has. The largest, one with all the
// text that the schema lets in, has about 1 MiB, six times as much where all of it is
// escaped.
const maxLine = 8 << 20

// lines reads a text line by line, unpacked where it is compressed by gzip.
type lines struct {
	name   string
	from   *bufio.Reader
	number int
	long   []byte // of a line that does not fit into from
}

func newLines(name string, from io.Reader) (*lines, error) {
	buffered := bufio.NewReaderSize(from, 256<<10)
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("%s: unpack: %w", name, err)
		}
		buffered = bufio.NewReaderSize(unpacked, 256<<10)
	}
	return &lines{name: name, from: buffered}, nil
}

// next returns the next line without white space around it, good until the next
// call. It fails with io.EOF at the end.
func (l *lines) next() ([]byte, error) {
	l.number++
	l.long = l.long[:0]
	for {
		part, err := l.from.ReadSlice('\n')
		full := errors.Is(err, bufio.ErrBufferFull)
		switch {
		case len(l.long)+len(part) > maxLine:
			return nil, fmt.Errorf("%s:%d: the line has more than %d MiB, as no audit record has; is this an audit log of the operator?",
				l.name, l.number, maxLine>>20)
		case errors.Is(err, io.ErrUnexpectedEOF):
			return nil, fmt.Errorf("%s:%d: the file ends in the middle of what gzip has packed; fetch all of it, or pipe what there is through gunzip to --audit-log -",
				l.name, l.number)
		case err != nil && !full && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("%s:%d: %w", l.name, l.number, err)
		case full:
			l.long = append(l.long, part...)
			continue
		case len(l.long) > 0:
			l.long = append(l.long, part...)
			part = l.long
		}
		if len(part) == 0 {
			return nil, io.EOF
		}
		return bytes.TrimSpace(part), nil
	}
}
