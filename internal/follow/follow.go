// SPDX-License-Identifier: Apache-2.0

// Package follow reads an audit log while it is written: also where it is rotated,
// where what a failed write left is taken back, and where it is begun anew.
package follow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"time"

	"k8s.io/utils/clock"

	"github.com/ow-kai/ascend-operator/internal/trail"
)

// Interval is how often a file is looked at.
const Interval = 250 * time.Millisecond

// kept is how many lines are remembered, to find the place where a file that became
// shorter goes on.
const kept = 1024

// Follower follows one file.
type Follower struct {
	Path  string
	Clock clock.WithTicker

	file   *os.File
	at     int64 // where the next line begins
	number int
	last   []span // the lines before that place, the newest last
	seed   maphash.Seed
}

// span is a line that was read.
type span struct {
	begin, end int64
	sum        uint64
}

// Run hands each line that is in the file, and then each that is added, to a
// function. A line without an end is not handed over before its file is rotated out.
// Idle is called whenever there is nothing more for now. Lines that were in the file
// and are not any more have been handed over; where the file becomes shorter and goes
// on otherwise, the lines that are other ones follow. It ends with ctx, whose error it
// returns, with the first error of a function, or where the file cannot be read. A
// file that is gone is waited for, but the first one has to be there.
func (f *Follower) Run(ctx context.Context, each func(trail.Line) error, idle func() error) error {
	f.seed = maphash.MakeSeed()
	if err := f.open(); err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	defer func() { f.file.Close() }()
	ticker := f.Clock.NewTicker(Interval)
	defer ticker.Stop()
	for {
		if err := f.catchUp(each); err != nil {
			return err
		}
		if err := idle(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C():
		}
	}
}

func (f *Follower) open() error {
	file, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	f.file, f.at, f.number, f.last = file, 0, 0, nil
	return nil
}

// catchUp reads what there is, over any rotation.
func (f *Follower) catchUp(each func(trail.Line) error) error {
	for {
		replaced, err := f.replaced() // before the last look at the file, so that nothing is missed
		if err != nil {
			return err
		}
		if err := f.resync(); err != nil {
			return fmt.Errorf("read %s: %w", f.Path, err)
		}
		if err := f.read(each); err != nil || !replaced {
			return err
		}
		if err := f.leave(each); err != nil {
			return err
		}
	}
}

// replaced says whether the path is another file now.
func (f *Follower) replaced() (bool, error) {
	now, err := os.Stat(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // it is just being rotated
	}
	was, err2 := f.file.Stat()
	if err := errors.Join(err, err2); err != nil {
		return false, fmt.Errorf("read the audit log: %w", err)
	}
	return !os.SameFile(was, now), nil
}

// leave goes on from a file that was rotated out to those that were after it, and
// to the one that is there now.
func (f *Follower) leave(each func(trail.Line) error) error {
	if rest, err := io.ReadAll(io.NewSectionReader(f.file, f.at, trail.MaxLine)); err == nil && len(rest) > 0 {
		if err := each(trail.Line{File: f.Path, Number: f.number + 1, Raw: rest}); err != nil {
			return err
		}
	}
	was, err := f.file.Stat()
	if err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	old := f.file
	if err := f.open(); err != nil {
		if errors.Is(err, fs.ErrNotExist) { // rotated once more; the next look finds it
			return nil
		}
		return fmt.Errorf("read the audit log: %w", err)
	}
	defer old.Close()
	now, err := f.file.Stat()
	if err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	between, err := between(f.Path, was, now)
	if err != nil {
		return err
	}
	for _, path := range between {
		if err := whole(path, each); err != nil {
			return err
		}
	}
	return nil
}

// between are the files that were rotated out after one, up to another.
func between(path string, after, before fs.FileInfo) ([]string, error) {
	rotated, err := trail.Rotated(path)
	if err != nil {
		return nil, err
	}
	var found []string
	seen := false
	for _, name := range rotated {
		info, err := os.Stat(name)
		switch {
		case err != nil: // removed meanwhile
		case os.SameFile(info, after):
			seen, found = true, nil
		case os.SameFile(info, before):
			return found, nil
		case seen:
			found = append(found, name)
		}
	}
	return found, nil
}

// whole hands over all lines of a file.
func whole(path string, each func(trail.Line) error) error {
	file, err := os.Open(path) //nolint:gosec // a file beside the one that the user names
	if err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	defer file.Close()
	for line, err := range trail.Lines(path, file) {
		if err != nil {
			return err
		}
		if err := each(line); err != nil {
			return err
		}
	}
	return nil
}

// read hands over the lines that have an end.
func (f *Follower) read(each func(trail.Line) error) error {
	rest := io.NewSectionReader(f.file, f.at, 1<<62)
	for line, err := range trail.Lines(f.Path, rest) {
		if err != nil {
			return err
		}
		if !line.Ended {
			return nil
		}
		f.number++
		line.Number = f.number
		end := f.at + int64(len(line.Raw)) + 1
		if f.last = append(f.last, span{f.at, end, maphash.Bytes(f.seed, line.Raw)}); len(f.last) > 2*kept {
			f.last = append([]span(nil), f.last[kept:]...)
		}
		f.at = end
		if err := each(line); err != nil {
			return err
		}
	}
	return nil
}

// resync goes back behind the last line that is still what it was, where the last
// one is not: the file was cut, and may have grown again. Of a file that has none of
// the lines that are remembered, all is new.
func (f *Follower) resync() error {
	for n := len(f.last); n > 0; n-- {
		same, err := f.same(f.last[n-1])
		if err != nil {
			return err
		}
		if same {
			f.number -= len(f.last) - n
			f.last, f.at = f.last[:n], f.last[n-1].end
			return nil
		}
	}
	f.last, f.at, f.number = nil, 0, 0
	return nil
}

// same says whether a line is where it was.
func (f *Follower) same(line span) (bool, error) {
	text := make([]byte, line.end-line.begin)
	n, err := f.file.ReadAt(text, line.begin)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	raw, ended := bytes.CutSuffix(text[:n], []byte("\n"))
	return ended && n == len(text) && maphash.Bytes(f.seed, raw) == line.sum, nil
}
