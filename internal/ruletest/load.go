// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/json"

	"github.com/ow-kai/ascend-operator/internal/manifest"
)

// ErrNoTests says that there are no test files where they were looked for: a
// check that tests nothing must not pass.
var ErrNoTests = errors.New("no tests")

// Load reads every document of kind RuleTest in the files, and in the folders and
// the folders in them: *.yaml, *.yml and *.json, but for hidden folders. Unlike
// policy, tests are found beside a kustomization.yaml too. A file that is named
// must hold a test; files in folders are passed over where they do not.
//
// The suites are those that can be read, in the order of the paths, and of the
// names in a folder. Everything else is in the problems, in the same order. It
// fails with ErrNoTests where there is neither a suite nor a problem, and for
// what cannot be read at all.
func Load(paths []string) ([]*Suite, []manifest.Problem, error) {
	var suites []*Suite
	var problems []manifest.Problem
	known := map[string]bool{}
	for _, path := range paths {
		files, err := findFiles(path)
		if err != nil {
			return nil, nil, err
		}
		for _, file := range files {
			if known[file] {
				continue
			}
			known[file] = true
			found, wrong, err := loadFile(file)
			if err != nil {
				return nil, nil, err
			}
			if file == filepath.Clean(path) && len(found)+len(wrong) == 0 {
				return nil, nil, noTests(path)
			}
			suites, problems = append(suites, found...), append(problems, wrong...)
		}
	}
	if len(suites)+len(problems) == 0 {
		return nil, nil, noTests(strings.Join(paths, ", "))
	}
	return suites, problems, nil
}

func noTests(where string) error {
	return fmt.Errorf("%w in %s: a test file holds a document of apiVersion %s, kind %s", ErrNoTests, where, APIVersion, Kind)
}

// findFiles are the files that a path stands for, also where it is a link. In a
// folder only ordinary files count: reading a pipe would wait forever.
func findFiles(path string) ([]string, error) {
	var files []string
	root := filepath.Clean(path)
	start := root
	if info, err := os.Stat(root); err == nil && info.IsDir() {
		start += string(filepath.Separator) // WalkDir does not follow a link without it
	}
	err := filepath.WalkDir(start, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && file != start && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case entry.IsDir():
		case file == root:
			files = append(files, file)
		case slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(file)):
			info, err := os.Stat(file)
			if err != nil {
				return err
			}
			if info.Mode().IsRegular() {
				files = append(files, file)
			}
		}
		return nil
	})
	return files, err
}

// The lines by which a document shows that it was meant as a test, so that a slip
// of the pen elsewhere in it does not make the test disappear.
var (
	kindLine  = regexp.MustCompile(`(?m)^[ \t{,"']*kind["']?[ \t]*:[ \t]*["']?` + Kind + `\b`)
	groupLine = regexp.MustCompile(`(?m)^[ \t{,"']*apiVersion["']?[ \t]*:[ \t]*["']?` + regexp.QuoteMeta(Group))
)

// loadFile reads the tests in a file. One that does not look as if it held any is
// passed over, whatever else it is.
func loadFile(file string) ([]*Suite, []manifest.Problem, error) {
	content, err := readStart(file)
	if err != nil {
		return nil, nil, err
	}
	groups := groupLine.FindAllIndex(content, -1)
	if len(groups) == 0 && !kindLine.Match(content) {
		return nil, nil, nil
	}
	set, problems, err := manifest.Load([]string{file}, manifest.Options{})
	if err != nil {
		return nil, nil, err
	}
	if len(problems) == 0 && len(set.Tests) < len(groups) {
		line := strings.Count(string(content[:groups[0][0]]), "\n") + 1
		problems = append(problems, problemAt(manifest.Position{File: file, Line: line, Column: 1}, "kind",
			"a document of apiVersion %s must be of kind %s", APIVersion, Kind))
	}
	var suites []*Suite
	for _, document := range set.Tests {
		suite, wrong := Read(document)
		problems = append(problems, wrong...)
		if suite != nil {
			suites = append(suites, suite)
		}
	}
	return suites, problems, nil
}

// maxLooked is how far into a file is looked for a test, in bytes. Manifest reads
// none that is larger, and says so.
const maxLooked = 16 << 20

func readStart(path string) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // a file that the user names
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxLooked))
}

// Read reads a document of kind RuleTest. Paths in it are relative to the folder
// of its file. The suite is nil where there are problems.
func Read(document *manifest.Document) (*Suite, []manifest.Problem) {
	if document.Node == nil {
		return nil, []manifest.Problem{document.Problem("", "the lines of this document cannot be told apart; write it in plain YAML")}
	}
	var value any
	if err := json.UnmarshalCaseSensitivePreserveInts(document.JSON, &value); err != nil {
		return nil, []manifest.Problem{document.Problem("", "it cannot be read: %v", err)}
	}
	r := &reader{file: document.File}
	suite := r.suite(spot{node: document.Node, value: value})
	if len(r.problems) > 0 {
		slices.SortStableFunc(r.problems, func(a, b manifest.Problem) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		return nil, r.problems
	}
	return suite, nil
}
