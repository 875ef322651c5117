// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"
)

// FileOptions say how a File grows.
type FileOptions struct {
	// MaxSize in bytes after which the file is rotated out; 0 is never. A batch is
	// not split, so that a file may be larger by one.
	MaxSize int64
	// MaxFiles that were rotated out are kept; 0 keeps all.
	MaxFiles int
	// Clock for the names of files that are rotated out; that of the machine when nil.
	Clock clock.PassiveClock
	// Logger tells of what does not keep lines from being written.
	Logger logr.Logger
}

// File is a sink on a file of its own. What Write has returned nil for is
// synced to the disk. What a failed write has left is cut off again, before
// anything else is written at the latest, so that the file ends with the last
// line that was kept.
//
// A file that grows beyond MaxSize is renamed, FILE.EXT to
// FILE-20261122T201312.123456Z.EXT, and a new one begun; sorted by name those are
// in the order in which they were written.
type File struct {
	path    string
	options FileOptions
	disk    disk

	handle handle
	size   int64 // up to the end of the last line that was kept
	torn   bool  // there may be something after size
	// open says that the file ends in the middle of a line: that of a process which
	// was killed.
	open bool
	// away says that the file is renamed already, and the next one could not be made.
	away  bool
	stamp time.Time // in the name of the newest file that was rotated out
	buf   []byte

	previous   *Head
	unfinished int64
}

var _ Sink = (*File)(nil)

// OpenFile opens or makes a file that nobody else writes, and finds out what is
// at its end. It fails where the file cannot be written, and where another
// process does.
func OpenFile(path string, options FileOptions) (*File, error) {
	return openFile(path, options, theDisk{})
}

const (
	// lockPatience is how long a file may be held by a process that is about to
	// end, or by a child of one that has not yet become another program.
	lockPatience = time.Second
	lockPoll     = 20 * time.Millisecond
)

func openFile(path string, options FileOptions, on disk) (*File, error) {
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	f := &File{path: path, options: options, disk: on}
	err := f.begin()
	for began := time.Now(); errors.Is(err, errLocked) && time.Since(began) < lockPatience; err = f.begin() {
		time.Sleep(lockPoll)
	}
	if err != nil {
		return nil, err
	}
	if err := f.readEnd(); err != nil {
		return nil, fmt.Errorf("read the end of %s: %w", path, errorAndClose(err, f.handle))
	}
	return f, nil
}

// Name implements Sink.
func (f *File) Name() string { return "file" }

// Previous is the last record that was in the file, or in the one that was
// rotated out before it, when it was opened; nil where there was none.
func (f *File) Previous() *Head { return f.previous }

// Unfinished is the length in bytes of a line behind Previous that was not
// written to its end.
func (f *File) Unfinished() int64 { return f.unfinished }

// Close implements Sink.
func (f *File) Close() error {
	err := f.mend()
	return errorAndClose(err, f.handle)
}

// begin opens the file and makes its name durable.
func (f *File) begin() error {
	opened, err := f.disk.open(f.path)
	if err != nil {
		return err
	}
	info, err := opened.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: f.path, Err: errNotRegular}
	}
	if err == nil && info.Size() == 0 {
		err = f.disk.sync(filepath.Dir(f.path))
	}
	open := false
	if err == nil && info.Size() > 0 {
		open, err = endsInLine(opened, info.Size())
	}
	if err != nil {
		return errorAndClose(err, opened)
	}
	f.handle, f.size, f.open, f.torn, f.away = opened, info.Size(), open, false, false
	return nil
}

var errNotRegular = fmt.Errorf("not a regular file: %w", fs.ErrInvalid)

// Write implements Sink.
func (f *File) Write(_ context.Context, lines [][]byte) error {
	f.buf = f.buf[:0]
	if err := f.ready(lines); err != nil {
		return err
	}
	if f.open {
		f.buf = append(f.buf, '\n')
	}
	f.buf = appendLines(f.buf, lines)
	n, err := f.handle.Write(f.buf)
	if err == nil && n < len(f.buf) {
		err = io.ErrShortWrite
	}
	if err == nil {
		err = f.handle.Sync()
	}
	if err != nil {
		// A sync that failed once may succeed later without having written
		// anything, so that nothing of this may stay.
		f.torn = true
		_ = f.mend() // else before the next write
		return err
	}
	f.size += int64(n)
	f.open = false
	return nil
}

// ready sees to it that lines can be added: behind the last line that was kept,
// in the file that the path leads to.
func (f *File) ready(lines [][]byte) error {
	if err := f.mend(); err != nil {
		return err
	}
	if err := f.find(); err != nil {
		return err
	}
	length := int64(len(lines))
	for _, line := range lines {
		length += int64(len(line))
	}
	// A line that is not finished stays before the record that tells of it.
	if f.away || f.options.MaxSize > 0 && f.size > 0 && !f.open && f.size+length > f.options.MaxSize {
		f.rotate()
	}
	return nil
}

// mend cuts off what a failed write has left.
func (f *File) mend() error {
	if !f.torn {
		return nil
	}
	if err := f.handle.Truncate(f.size); err != nil {
		return fmt.Errorf("cut off what a failed write has left: %w", err)
	}
	f.torn = false
	return nil
}

// find looks whether the path still leads to the file, and the file still ends
// where it did. Where somebody has moved or removed it, a new one is begun:
// nobody would find the lines in the old one.
func (f *File) find() error {
	info, err := f.handle.Stat()
	if err != nil {
		return err
	}
	if info.Size() != f.size {
		f.options.Logger.Error(nil, "Somebody else has written to the audit log, or cut it", "file", f.path, "bytes", info.Size(), "expected", f.size)
		if f.open, err = endsInLine(f.handle, info.Size()); err != nil {
			return err
		}
		f.size = info.Size()
	}
	if f.away {
		return nil
	}
	there, err := f.disk.stat(f.path)
	if err == nil && os.SameFile(there, info) {
		return nil
	}
	old := f.handle
	if err := f.begin(); err != nil {
		return err
	}
	f.options.Logger.Error(err, "Somebody has moved or removed the audit log; going on in a new file", "file", f.path)
	_ = old.Close() // all in it is synced
	return nil
}

func errorAndClose(err error, c io.Closer) error {
	closed := c.Close()
	if err == nil {
		err = closed
	}
	return err
}
