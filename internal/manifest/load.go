// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Stdin among the paths of Load stands for the standard input.
const Stdin = "-"

// Options of Load. The zero value will do where Stdin is not among the paths.
type Options struct {
	// Namespace of objects that name none. Default "default".
	Namespace string
	// Stdin is read once, for the path "-".
	Stdin io.Reader
}

// Load reads what is at the paths: files, folders, and "-" for the standard
// input. A folder with a kustomization at its top is built as kubectl apply -k
// does, without the network; naming the kustomization's file does the same.
// Any other folder is walked for *.yaml, *.yml and *.json files: hidden folders
// and kustomizations are passed over, and links out of it are not followed. A
// file that is reached twice is read once.
//
// The problems are all there is to say against what is in the files, in the
// order of file and line. The error is of what stops everything, such as a path
// that does not exist.
func Load(paths []string, o Options) (*Set, []Problem, error) {
	if len(paths) == 0 {
		return nil, nil, errors.New("no file and no folder is named; name one, or - for the standard input")
	}
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	l := &loader{options: o, set: &Set{}, files: map[string]int{}, read: map[string]bool{}, objects: map[Key]*Object{}}
	for _, path := range paths {
		if err := l.path(path); err != nil {
			return nil, nil, err
		}
	}
	sortProblems(l.problems, l.files)
	return l.set, slices.Compact(l.problems), nil
}

// loader gathers what is read.
type loader struct {
	options  Options
	set      *Set
	problems []Problem
	files    map[string]int  // the order in which files were read, by the name that is shown
	read     map[string]bool // by absolute path
	objects  map[Key]*Object
	count    int // of documents
}

func (l *loader) path(path string) error {
	if path == Stdin {
		return l.stdin()
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("there is no file or folder %q", path)
	case err != nil:
		return err
	case info.IsDir():
		return l.folder(path)
	case isKustomization(filepath.Base(path)):
		return l.kustomization(filepath.Dir(path))
	case !l.first(path):
		return nil
	}
	file, err := os.Open(path) //nolint:gosec // the user named it
	if err != nil {
		return err
	}
	defer file.Close()
	return l.stream(path, file)
}

func (l *loader) stdin() error {
	if l.options.Stdin == nil {
		return errors.New("there is no standard input to read")
	}
	if !l.first(Stdin) {
		return nil
	}
	return l.stream(FileStdin, l.options.Stdin)
}

// stream reads what somebody named.
func (l *loader) stream(name string, from io.Reader) error {
	text, err := readAll(from)
	if errors.Is(err, errTooLarge) {
		l.problem(Position{File: name}, err.Error())
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	l.text(name, text, true)
	return nil
}

// first says whether a path has not been read yet, and notes that it now is.
func (l *loader) first(path string) bool {
	absolute := path
	if path != Stdin {
		if found, err := filepath.Abs(path); err == nil {
			absolute = found
		}
		if found, err := filepath.EvalSymlinks(absolute); err == nil {
			absolute = found
		}
	}
	if l.read[absolute] {
		return false
	}
	l.read[absolute] = true
	return true
}

// text reads the documents of a file. named is whether the user named it.
func (l *loader) text(name string, text []byte, named bool) {
	for _, document := range l.parse(name, text) {
		l.document(document, named)
	}
}

// parse returns the documents of a file and notes its problems.
func (l *loader) parse(name string, text []byte) []*Document {
	l.order(name)
	found, problems := documents(name, text, maxDocuments-l.count)
	l.count += len(found)
	l.problems = append(l.problems, problems...)
	return found
}

func (l *loader) order(name string) {
	if _, known := l.files[name]; !known {
		l.files[name] = len(l.files)
	}
}

func (l *loader) problem(at Position, message string) {
	l.order(at.File)
	l.problems = append(l.problems, Problem{Position: at, Message: message})
}

// isManifest says whether a file of this name is read in a folder.
func isManifest(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return !isKustomization(name)
	}
	return false
}
