// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/auditexport"
)

// ErrNotEmpty is for a folder that has something in it: nothing is overwritten.
var ErrNotEmpty = errors.New("the folder is not empty; name another one, or one that is not there yet")

// ErrHere is for the folder that the program runs in: another one cannot take its place.
var ErrHere = errors.New("that is the folder you are in; name one in it, which is not there yet")

// folder is a pack while it is written: beside the place where it will be, so that
// there is never half a pack.
type folder struct {
	path, final string
	files       []*file
}

func newFolder(path string) (*folder, error) {
	final := filepath.Clean(path)
	if isHere(final) {
		return nil, fmt.Errorf("write evidence to %s: %w", final, ErrHere)
	}
	switch entries, err := os.ReadDir(final); {
	case err == nil && len(entries) > 0:
		return nil, fmt.Errorf("write evidence to %s: %w", final, ErrNotEmpty)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("write evidence: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(final), 0o750); err != nil {
		return nil, fmt.Errorf("write evidence: %w", err)
	}
	beside, err := os.MkdirTemp(filepath.Dir(final), ".evidence-*")
	if err != nil {
		return nil, fmt.Errorf("write evidence: %w", err)
	}
	return &folder{path: beside, final: final}, nil
}

func isHere(path string) bool {
	is, err := os.Stat(path)
	here, err2 := os.Stat(".")
	return err == nil && err2 == nil && os.SameFile(is, here)
}

// discard removes what is there of a pack that could not be finished.
func (f *folder) discard() { _ = os.RemoveAll(f.path) }

// finish moves the pack to its place.
func (f *folder) finish() error {
	switch err := os.Remove(f.final); {
	case errors.Is(err, fs.ErrExist): // something is in it by now
		return fmt.Errorf("write evidence to %s: %w", f.final, ErrNotEmpty)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("write evidence: %w", err)
	}
	if err := os.Rename(f.path, f.final); err != nil {
		return fmt.Errorf("write evidence: %w", err)
	}
	return nil
}

// File is a file of the pack, as the manifest has it.
type File struct {
	// Path relative to the pack, with slashes.
	Path    string `json:"path"`
	SHA256  string `json:"sha256"`
	Bytes   int64  `json:"bytes"`
	Records int    `json:"records,omitempty"`
}

// file collects what is written to it, so that there can be more files than may be
// open at once.
type file struct {
	at      string
	name    string
	pending bytes.Buffer
	sum     hash.Hash
	size    int64
	records int
	begun   bool
}

// most bytes that a file keeps back.
const mostPending = 64 << 10

func (f *folder) create(name string) *file {
	created := &file{at: filepath.Join(f.path, filepath.FromSlash(name)), name: name, sum: sha256.New()}
	f.files = append(f.files, created)
	return created
}

// Write implements io.Writer.
func (f *file) Write(text []byte) (int, error) {
	f.pending.Write(text)
	if f.pending.Len() < mostPending {
		return len(text), nil
	}
	return len(text), f.flush()
}

func (f *file) flush() error {
	flags := os.O_WRONLY | os.O_APPEND
	if !f.begun {
		if err := os.MkdirAll(filepath.Dir(f.at), 0o750); err != nil {
			return fmt.Errorf("write evidence: %w", err)
		}
		flags |= os.O_CREATE | os.O_EXCL
	}
	to, err := os.OpenFile(f.at, flags, 0o600)
	if err != nil {
		return fmt.Errorf("write evidence: %w", err)
	}
	f.begun = true
	f.sum.Write(f.pending.Bytes())
	f.size += int64(f.pending.Len())
	_, err = to.Write(f.pending.Bytes())
	f.pending.Reset()
	if err = cmp.Or(err, to.Close()); err != nil {
		return fmt.Errorf("write evidence: %w", err)
	}
	return nil
}

// list writes what is still kept back, and says which files there are, by path.
func (f *folder) list() ([]File, error) {
	var list []File
	for _, written := range f.files {
		if err := written.flush(); err != nil {
			return nil, err
		}
		list = append(list, File{Path: written.name, SHA256: hex.EncodeToString(written.sum.Sum(nil)), Bytes: written.size, Records: written.records})
	}
	slices.SortFunc(list, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return list, nil
}

// shelf is a folder of the pack with records: the lines as they are, and a table.
type shelf struct {
	files   [2]*file
	writers [2]auditexport.Writer
}

func (f *folder) shelf(name string) (*shelf, error) {
	s := &shelf{}
	for i, format := range []auditexport.Format{auditexport.JSONL, auditexport.CSV} {
		s.files[i] = f.create(name + "/records." + string(format))
		var err error
		if s.writers[i], err = auditexport.NewWriter(format, s.files[i]); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *shelf) add(line []byte, r *audit.Record) error {
	for i, writer := range s.writers {
		s.files[i].records++
		if err := writer.Write(line, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *shelf) flush() error {
	return cmp.Or(s.writers[0].Flush(), s.writers[1].Flush())
}
