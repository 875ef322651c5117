// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// extensions are those of the files that count as audit logs in a folder.
var extensions = []string{".log", ".jsonl", ".ndjson", ".json"}

func extensionWords() string { return strings.Join(extensions, ", ") }

var (
	// stamped is the name of a file that the operator rotated out: the time stands
	// before the extension.
	stamped = regexp.MustCompile(`^(.*)-(\d{8}T\d{6}\.\d{6}Z)(\.[^.]*)?$`)
	// counted is the name that logrotate gives: the higher the number, the older.
	counted = regexp.MustCompile(`^(.*)\.(\d{1,6})$`)
)

// place is where a file stands in its set.
type place struct {
	path   string
	folder string
	base   string // the name of the file that is written now
	age    int    // of those that logrotate counts
	stamp  string // of those that the operator rotated out
	packed bool
}

// set is a file and those that were rotated out of it.
type set struct{ folder, base string }

func (p place) set() set { return set{p.folder, p.base} }

// current: nothing was rotated into this file.
func (p place) current() bool { return p.stamp == "" && p.age == 0 }

func placeOf(path string) place {
	folder, name := filepath.Split(path)
	name, packed := strings.CutSuffix(name, ".gz")
	p := place{path: path, folder: folder, base: name, packed: packed}
	if m := stamped.FindStringSubmatch(name); m != nil {
		p.base, p.stamp = m[1]+m[3], m[2]
	} else if m := counted.FindStringSubmatch(name); m != nil {
		p.base = m[1]
		p.age, _ = strconv.Atoi(m[2]) // at most six digits
		p.age++                       // 0 is a name of logrotate, too
	}
	return p
}

// before orders the files of a folder: sets by name, the oldest file first.
func (p place) before(q place) int {
	last := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(p.folder, q.folder),
		cmp.Compare(p.base, q.base),
		cmp.Compare(last(p.current()), last(q.current())),
		cmp.Compare(q.age, p.age),
		cmp.Compare(p.stamp, q.stamp),
		cmp.Compare(last(p.packed), last(q.packed)),
		cmp.Compare(p.path, q.path),
	)
}

// sorted is the files in order, without those of which there is an unpacked copy.
func sorted(paths []string) []string {
	places := make([]place, len(paths))
	for i, path := range paths {
		places[i] = placeOf(path)
	}
	slices.SortFunc(places, place.before)
	var out []string
	for i, p := range places {
		if i > 0 && p.packed && !places[i-1].packed && strings.TrimSuffix(p.path, ".gz") == places[i-1].path {
			continue
		}
		out = append(out, p.path)
	}
	return out
}

// Rotated are the files that were rotated out of the one at the path, the oldest
// first: of audit.log those that the operator names audit-20261122T201312.123456Z.log
// and logrotate audit.log.1, also with .gz.
func Rotated(path string) ([]string, error) {
	folder, name := filepath.Split(path)
	where := folder
	if where == "" {
		where = "."
	}
	entries, err := os.ReadDir(where)
	if err != nil {
		return nil, fmt.Errorf("look for rotated audit logs: %w", err)
	}
	var found []string
	for _, entry := range entries {
		if p := placeOf(folder + entry.Name()); !entry.IsDir() && p.base == name && !p.current() {
			found = append(found, p.path)
		}
	}
	return sorted(found), nil
}

// logsIn are the audit logs in a folder and those below, but for hidden ones.
func logsIn(root string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path == root {
			return nil
		}
		hidden := strings.HasPrefix(entry.Name(), ".")
		switch {
		case entry.IsDir() && hidden:
			return filepath.SkipDir
		case entry.IsDir() || hidden:
			return nil
		}
		if slices.Contains(extensions, filepath.Ext(placeOf(path).base)) {
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for audit logs: %w", err)
	}
	return sorted(found), nil
}
