// SPDX-License-Identifier: Apache-2.0

//go:build unix

package ruletest

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A folder is found through a link, too, and nothing waits for a pipe in it.
func TestLoadFollowsALinkAndPassesOverPipes(t *testing.T) {
	dir := write(t, map[string]string{"tests/a.yaml": suiteOf("a", "cases:"+oneCase)})
	if err := syscall.Mkfifo(filepath.Join(dir, "tests", "b.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("tests", link); err != nil {
		t.Fatal(err)
	}
	suites, problems, err := Load([]string{link})
	if err != nil || len(problems) > 0 || len(suites) != 1 || suites[0].File != filepath.Join(link, "a.yaml") {
		t.Errorf("Load = %v, %v, %v; want the suite a", suites, problems, err)
	}
}
