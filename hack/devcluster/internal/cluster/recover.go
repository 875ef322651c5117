// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/process"
)

// endOrphans ends the components that a killed driver left behind, those that
// use etcd before etcd. A pid file counts only if the process it names is still
// the one that was started: same start time, same executable. The caller holds
// DIR/lock, so no live driver owns them.
func (d Dir) endOrphans(say func(string, ...any)) error {
	// Relative to the folder, whose own path may hold what a pattern would take
	// for a wildcard.
	run := filepath.Dir(d.PidFile("any"))
	files, err := fs.Glob(os.DirFS(run), "*.pid")
	if err != nil {
		return err
	}
	for i, name := range files {
		files[i] = filepath.Join(run, name)
	}
	rank := func(path string) int { return slices.Index(startOrder, nameOf(path)) }
	slices.SortFunc(files, func(a, b string) int { return rank(b) - rank(a) })
	for _, path := range files {
		id, err := ReadPid(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		// A file that cannot be read names nobody, and nobody is ended for it.
		if err == nil && id.Alive() {
			say("ending %s of an earlier run that was killed (pid %d)", nameOf(path), id.PID)
			if err := id.End(stopGrace); err != nil {
				return fmt.Errorf("end %s of an earlier run: %w", nameOf(path), err)
			}
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

func nameOf(pidFile string) string {
	return strings.TrimSuffix(filepath.Base(pidFile), ".pid")
}

// ReadPid returns the component that a pid file names; it may have ended.
func ReadPid(path string) (process.Identity, error) {
	var id process.Identity
	text, err := os.ReadFile(path)
	if err != nil {
		return id, err
	}
	err = json.Unmarshal(text, &id)
	return id, err
}
