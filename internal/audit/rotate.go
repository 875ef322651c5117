// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// stampLayout is the time in the name of a file that was rotated out. It sorts as
// text.
const stampLayout = "20060102T150405.000000Z"

// rotate puts the file aside and begins another. Where that does not work, lines
// go on to the file there is, and the next write tries again: better a file that
// is too large than no decisions.
func (f *File) rotate() {
	if err := f.putAside(); err != nil {
		f.options.Logger.Error(err, "Cannot rotate the audit log; it goes on growing", "file", f.path, "bytes", f.size)
		return
	}
	old := f.handle
	if err := f.begin(); err != nil {
		f.options.Logger.Error(err, "Cannot begin another audit log; going on in the one that was renamed", "file", f.path)
		return
	}
	if err := f.admit(old); err != nil {
		f.options.Logger.Error(err, "Those who may read the audit log that was rotated out may not all read the next one", "file", f.path)
	}
	_ = old.Close() // all in it is synced
	f.removeOld()
}

// admit lets those read the file who may read the one before it, such as the
// group of a log shipper.
func (f *File) admit(before handle) error {
	info, err := before.Stat()
	if err != nil {
		return err
	}
	return f.handle.Chmod(info.Mode().Perm())
}

// putAside renames the file to a name that sorts behind all those before.
func (f *File) putAside() error {
	if f.away {
		return nil
	}
	stamp := f.options.Clock.Now().UTC().Truncate(time.Microsecond)
	if !stamp.After(f.stamp) { // the clock was set back
		stamp = f.stamp.Add(time.Microsecond)
	}
	target := asidePath(f.path, stamp)
	if _, err := f.disk.stat(target); !errors.Is(err, fs.ErrNotExist) {
		return &fs.PathError{Op: "rename", Path: target, Err: errors.Join(err, fs.ErrExist)}
	}
	if err := f.disk.rename(f.path, target); err != nil {
		return err
	}
	f.away, f.stamp = true, stamp
	return nil
}

// removeOld removes files that are too many, the oldest first.
func (f *File) removeOld() {
	if f.options.MaxFiles <= 0 {
		return
	}
	old, err := Rotated(f.path)
	if err != nil {
		f.options.Logger.Error(err, "Cannot look for old audit logs", "file", f.path)
		return
	}
	for _, path := range old[:max(0, len(old)-f.options.MaxFiles)] {
		if err := f.disk.remove(path); err != nil {
			f.options.Logger.Error(err, "Cannot remove an old audit log", "file", path)
		}
	}
}

// asidePath is where a file is put at a time.
func asidePath(path string, stamp time.Time) string {
	extension := filepath.Ext(path)
	return strings.TrimSuffix(path, extension) + "-" + stamp.Format(stampLayout) + extension
}

// Rotated returns the files that were rotated out of a path, the oldest first.
func Rotated(path string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(path)) // sorted by name
	if err != nil {
		return nil, err
	}
	var found []string
	for _, entry := range entries {
		aside := filepath.Join(filepath.Dir(path), entry.Name())
		if _, isOne := stampOf(path, aside); isOne && entry.Type().IsRegular() {
			found = append(found, aside)
		}
	}
	return found, nil
}

// stampOf is when a file was put aside; false where its name is another.
func stampOf(path, aside string) (time.Time, bool) {
	extension := filepath.Ext(path)
	name, before := strings.CutPrefix(filepath.Base(aside), strings.TrimSuffix(filepath.Base(path), extension)+"-")
	name, after := strings.CutSuffix(name, extension)
	stamp, err := time.Parse(stampLayout, name)
	return stamp, before && after && err == nil
}
