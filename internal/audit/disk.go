// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// disk is what a File needs of the operating system. Tests let it fail.
type disk interface {
	// open opens a file to read and to append to, makes it where there is none, and
	// locks it for this process.
	open(path string) (handle, error)
	// stat does not follow a link.
	stat(path string) (fs.FileInfo, error)
	rename(from, to string) error
	remove(path string) error
	// sync makes the entries of a folder durable.
	sync(folder string) error
}

// handle is an open file.
type handle interface {
	io.Writer
	io.ReaderAt
	io.Closer
	Stat() (fs.FileInfo, error)
	Truncate(size int64) error
	Chmod(mode fs.FileMode) error
	Sync() error
}

// errLocked is of a file that another process writes.
var errLocked = errors.New("another process writes this file; give each replica a file of its own")

// theDisk is the one of the machine.
type theDisk struct{}

// errLink is of a path that leads to a file elsewhere: what is rotated out would
// be the link, and the next file would be beside it.
var errLink = errors.New("a symbolic link; name the file that it leads to")

func (theDisk) open(path string) (handle, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errLink}
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the file the operator's administrator names
	if err != nil {
		return nil, err
	}
	if err := lock(file); err != nil {
		return nil, errors.Join(&fs.PathError{Op: "lock", Path: path, Err: err}, file.Close())
	}
	return file, nil
}

func (theDisk) stat(path string) (fs.FileInfo, error) { return os.Lstat(path) }
func (theDisk) rename(from, to string) error          { return os.Rename(from, to) }
func (theDisk) remove(path string) error              { return os.Remove(path) }

func (theDisk) sync(folder string) error {
	opened, err := os.Open(filepath.Clean(folder))
	if err != nil {
		return err
	}
	err = opened.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // a file system that does it by itself, or not at all
	}
	return errors.Join(err, opened.Close())
}
