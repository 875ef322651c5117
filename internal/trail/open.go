// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
)

// StandardInput is the File of lines that come from "-".
const StandardInput = "standard input"

// Open gives the lines of audit logs, one file after the other: those of a file after
// those that were rotated out of it, see Rotated; of a folder all the audit logs in
// it and in the folders below; "-" is stdin. Files may be compressed by gzip. One
// that is named several times is read once. It reads while it is asked for lines,
// keeps one of them in memory, and ends with an error for what cannot be read.
func Open(paths []string, stdin io.Reader) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		r := &reader{stdin: stdin, seen: map[string]bool{}, yield: yield}
		for _, path := range paths {
			if err := r.path(path); err != nil {
				if !errors.Is(err, errEnough) {
					yield(Line{}, err)
				}
				return
			}
		}
	}
}

// errEnough: nobody asks for more lines.
var errEnough = errors.New("enough")

// reader reads paths one after the other.
type reader struct {
	stdin io.Reader
	seen  map[string]bool // the files that were read, by path
	yield func(Line, error) bool
}

func (r *reader) path(path string) error {
	if path == "-" {
		if r.seen[path] {
			return nil
		}
		r.seen[path] = true
		return r.lines(StandardInput, r.stdin)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	if info.IsDir() {
		return r.folder(path)
	}
	return r.set(path)
}

// set reads a file after those that were rotated out of it. It opens the file
// before it looks for them, so that none is missed or read twice that is rotated
// out meanwhile.
func (r *reader) set(path string) error {
	if r.read(path) {
		return nil
	}
	current, err := os.Open(path) //nolint:gosec // the file that the user names
	if err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	defer current.Close()
	info, err := current.Stat()
	if err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	rotated, err := Rotated(path)
	if err != nil {
		return err
	}
	for _, older := range rotated {
		if is, err := os.Stat(older); err == nil && os.SameFile(is, info) {
			continue
		}
		if err := r.file(older); err != nil {
			return err
		}
	}
	return r.lines(path, current)
}

// file reads one file alone.
func (r *reader) file(path string) error {
	if r.read(path) {
		return nil
	}
	file, err := os.Open(path) //nolint:gosec // a file that the user names, or one beside it
	if err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	defer file.Close()
	return r.lines(path, file)
}

// read notes that a file is read, and says whether it was before.
func (r *reader) read(path string) bool {
	name, err := filepath.Abs(path)
	if err != nil {
		name = filepath.Clean(path)
	}
	before := r.seen[name]
	r.seen[name] = true
	return before
}

func (r *reader) lines(name string, from io.Reader) error {
	for line, err := range Lines(name, from) {
		if err != nil {
			return err
		}
		if !r.yield(line, nil) {
			return errEnough
		}
	}
	return nil
}

func (r *reader) folder(path string) error {
	files, err := logsIn(path)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no audit log is in %s: no file there ends in one of %s, also with .gz; name the file", path, extensionWords())
	}
	written := map[set]bool{} // the sets of which there is the file that is written now
	for _, file := range files {
		if p := placeOf(file); p.current() && !p.packed {
			written[p.set()] = true
		}
	}
	for _, file := range files {
		read := r.file
		switch p := placeOf(file); {
		case p.current() && !p.packed:
			read = r.set // it may be rotated out while the others are read
		case written[p.set()]:
			continue // with its set
		}
		if err := read(file); err != nil {
			return err
		}
	}
	return nil
}
