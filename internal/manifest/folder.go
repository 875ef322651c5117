// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// folder reads a folder, by kustomize where it is a kustomization.
func (l *loader) folder(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if isKustomization(entry.Name()) && !entry.IsDir() {
			return l.kustomization(path)
		}
	}
	return l.walk(path, l.text)
}

// walk gives the text of each manifest of a folder to take, in the order of
// their names. It does not leave the folder by links.
func (l *loader) walk(folder string, take func(name string, text []byte, named bool)) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("read folder %s: %w", folder, err)
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		name := filepath.Join(folder, filepath.FromSlash(path))
		if err != nil {
			l.problem(Position{File: name}, "it cannot be read: "+reason(err))
			return nil
		}
		if entry.IsDir() {
			if path != "." && strings.HasPrefix(entry.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		if !isManifest(entry.Name()) || !l.first(name) {
			return nil
		}
		text, err := readIn(root, path)
		if err != nil {
			l.problem(Position{File: name}, reason(err))
			return nil
		}
		if text != nil {
			take(name, text, false)
		}
		return nil
	})
}

// readIn reads a file of a folder; nil where it is no ordinary file.
func readIn(root *os.Root, path string) ([]byte, error) {
	info, err := root.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil
	}
	file, err := root.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readAll(file)
}

// reason says why a file of a folder is not read.
func reason(err error) string {
	var pathError *fs.PathError
	switch {
	case errors.Is(err, errTooLarge):
		return err.Error()
	case errors.Is(err, fs.ErrPermission):
		return "it cannot be read: permission denied"
	case errors.Is(err, fs.ErrNotExist):
		return "it is a link to a file that does not exist; remove it"
	case errors.As(err, &pathError) && strings.Contains(pathError.Err.Error(), "escapes"):
		return "it is a link out of the folder and is not followed; put the file in its place, or name it beside the folder"
	}
	return "it cannot be read: " + err.Error()
}

// tests takes the tests alone out of a folder that kustomize builds, where they
// are no part of what is applied.
func (l *loader) tests(folder string) error {
	return l.walk(folder, func(name string, text []byte, _ bool) {
		if !bytes.Contains(text, []byte(KindRuleTest)) {
			return
		}
		for _, document := range l.parse(name, text) {
			value, err := document.value()
			if err != nil {
				continue
			}
			if _, role := classify(value, false); role == test {
				l.set.Tests = append(l.set.Tests, document)
			}
		}
	})
}
