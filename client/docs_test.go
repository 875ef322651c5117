// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The programs of docs/sdk-go.md compile, as programs of this module that are
// on no disk.
func TestProgramsOfTheDocs(t *testing.T) {
	page, err := os.ReadFile("../docs/sdk-go.md")
	if err != nil {
		t.Fatal(err)
	}
	docs, err := filepath.Abs("../docs")
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{}
	blocks := strings.Split(string(page), "```go\n")[1:]
	for i, block := range blocks {
		program, _, _ := strings.Cut(block, "```")
		file := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(docs, fmt.Sprintf("program%d", i), "main.go")] = file
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlayFile := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range blocks {
		build := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlayFile, "-o", os.DevNull, fmt.Sprintf("./program%d", i))
		build.Dir = docs
		if said, err := build.CombinedOutput(); err != nil {
			t.Errorf("program %d: %v\n%s", i+1, err, said)
		}
	}
	if len(blocks) < 3 {
		t.Errorf("there are %d programs", len(blocks))
	}
}
