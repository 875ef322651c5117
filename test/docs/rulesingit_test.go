// SPDX-License-Identifier: Apache-2.0

package docs_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// exampleDir is the repository that docs/rules-in-git.md speaks of. The script in it
// names the starter policy by its place beside it.
const exampleDir = "docs/examples/rules-in-git"

// The example's pipeline passes as it stands, and stops at what it is there to stop.
func TestRulesInGit(t *testing.T) {
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, "ascend"), "./cmd/ascend")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build ascend: %v\n%s", err, out)
	}
	for name, tc := range map[string]struct {
		file, old, changed string
		code               int
		says               string
	}{
		"as it stands":        {says: "5 passed, 0 failed"},
		"a misspelt field":    {"policy/rules.yaml", "conditions:", "condition:", 3, "did you mean conditions?"},
		"a rule that changed": {"policy/rules.yaml", "amount > 500", "amount > 5000", 3, "4 passed, 1 failed"},
		"a rule without test": {"policy/rules.yaml", "name: large-refunds", "name: other-refunds", 3, "there is no rule"},
		"a missing workflow":  {"policy/workflows.yaml", "name: finance\nspec", "name: treasury\nspec", 3, "MissingWorkflow"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			example := filepath.Join(root, filepath.FromSlash(exampleDir))
			copyTree(t, filepath.Join("..", "..", filepath.FromSlash(exampleDir)), example)
			copyTree(t, "../../config/starter-policy", filepath.Join(root, "config", "starter-policy"))
			if tc.file != "" {
				edit(t, filepath.Join(example, tc.file), tc.old, tc.changed)
			}
			cmd := exec.CommandContext(t.Context(), "sh", filepath.Join(example, "check.sh"))
			cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "KUBECONFIG=/nowhere", "AUDIT_LOG=")
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			err := cmd.Run()
			code := 0
			if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
				code = exit.ExitCode()
			} else if err != nil {
				t.Fatal(err)
			}
			if code != tc.code || !strings.Contains(out.String(), tc.says) {
				t.Errorf("exit code %d, want %d and %q:\n%s", code, tc.code, tc.says, out.String())
			}
		})
	}
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// edit changes the first place in a file that has the text.
func edit(t *testing.T, path, old, changed string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(text, []byte(old)) {
		t.Fatalf("%s has no %q: %v", path, old, err)
	}
	text = bytes.Replace(text, []byte(old), []byte(changed), 1)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
