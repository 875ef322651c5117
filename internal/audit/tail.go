// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
)

const (
	// tailBlock is how much of the end of a file is read first; twice as much each
	// time it does not do.
	tailBlock = 64 << 10
	// maxTail is how far back a record is looked for.
	maxTail = 64 << 20
)

// readEnd finds the last record before this process, and what follows it.
func (f *File) readEnd() error {
	old, err := Rotated(f.path)
	if err != nil {
		return err
	}
	if len(old) > 0 {
		f.stamp, _ = stampOf(f.path, old[len(old)-1])
	}
	end, err := readEnd(f.handle, f.size)
	if err != nil {
		return err
	}
	for i := len(old) - 1; i >= 0 && end.last == nil; i-- {
		before, err := readEndOf(old[i])
		if err != nil {
			return err
		}
		end = end.after(before)
	}
	f.previous, f.unfinished = end.last, end.unfinished
	if end.beyond == 0 {
		return nil
	}
	if err := f.handle.Truncate(f.size - end.beyond); err != nil {
		return err
	}
	f.size, f.open = f.size-end.beyond, false
	return nil
}

// end is what a file ends with.
type end struct {
	last *Head // of the last record; nil where there is none
	// unfinished is the length in bytes of a line that was not written to its end.
	unfinished int64
	// beyond is the length of a second one after that: of a process that was killed
	// while it wrote its first record, which would have told of the first one. It
	// has to go, for a record tells of one.
	beyond int64
	// alone says that the file has nothing but the unfinished line.
	alone bool
}

// after is the end of a file without records that comes after another one.
func (e end) after(before end) end {
	switch {
	case e.unfinished == 0:
		return before
	case before.unfinished > 0 && e.alone:
		before.beyond = e.unfinished
		return before
	default:
		e.last = before.last
		return e
	}
}

func readEndOf(path string) (end, error) {
	file, err := os.Open(path) //nolint:gosec // a file that was rotated out of the one the administrator names
	if err != nil {
		return end{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return end{}, err
	}
	return readEnd(file, info.Size())
}

// readEnd reads from the end as far back as there is a record. The last line
// may lack its end, and still be a record: all of it was written but that.
func readEnd(file io.ReaderAt, size int64) (end, error) {
	var found end
	for block := int64(tailBlock); ; block *= 2 {
		block = min(block, size)
		text := make([]byte, block)
		if _, err := file.ReadAt(text, size-block); err != nil && !errors.Is(err, io.EOF) {
			return end{}, err
		}
		whole := block == size
		if !whole { // it may begin within a line
			at := bytes.IndexByte(text, '\n')
			if at < 0 && block < maxTail {
				continue
			}
			text = text[at+1:]
		}
		found = endOf(text)
		if found.last != nil || whole || block >= maxTail {
			return found, nil
		}
	}
}

// endOf looks through whole lines, and one that may lack its end.
func endOf(text []byte) end {
	at := bytes.LastIndexByte(text, '\n') + 1
	if last := headOf(text[at:]); last != nil {
		return end{last: last}
	}
	found := end{unfinished: int64(len(text) - at), alone: at == 0}
	for line := 0; at > 0 && found.last == nil; line++ {
		before := bytes.LastIndexByte(text[:at-1], '\n') + 1
		found.last = headOf(text[before : at-1])
		if length := int64(at - 1 - before); line == 0 && found.last == nil && length > 0 {
			found.unfinished, found.beyond = length, found.unfinished
		}
		at = before
	}
	return found
}

// headOf is the head that a line is; nil where it is no record.
func headOf(line []byte) *Head {
	var head Head
	if len(line) == 0 || json.Unmarshal(line, &head) != nil || head.Chain == "" || head.Sequence == 0 || head.Hash == "" {
		return nil
	}
	return &head
}

// endsInLine says whether a file ends in the middle of a line.
func endsInLine(file io.ReaderAt, size int64) (bool, error) {
	if size == 0 {
		return false, nil
	}
	last := make([]byte, 1)
	if _, err := file.ReadAt(last, size-1); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return last[0] != '\n', nil
}
