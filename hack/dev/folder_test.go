// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

func TestEnvironmentFileIsReadBackByAShell(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's a folder")
	s := &stack{shell: shell{root: dir, folder: folder(filepath.Join(dir, ".dev"))}, agent: identity{token: "se.cr.et"}}
	file := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(file, []byte(s.environmentFile("https://127.0.0.1:1234")), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(context.Background(), "sh", "-c", ". "+quoted(file)+
		`; printf '%s\n' "$ASCEND_API_KEY" "$ASCEND_API_URL" "$ASCEND_CA_FILE" "$ASCEND_NAMESPACE" "$ASCEND_AGENT_ID" "$ASCEND_AUDIT_LOG" "${PATH%%:*}"`).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := strings.Join([]string{"se.cr.et", "https://127.0.0.1:1234", dir + "/.dev/ca.crt", "default", "tutorial-agent", dir + "/.dev/audit.log", dir + "/bin", ""}, "\n")
	if string(out) != want {
		t.Errorf("a shell reads\n%s\nwant\n%s", out, want)
	}
}

func TestStartedByGoRun(t *testing.T) {
	for name, c := range map[string]struct {
		program, starter string
		want             bool
	}{
		"built anew":         {"/tmp/go-build12/b001/exe/dev", "", true},
		"out of the cache":   {"/home/x/.cache/go-build/35/34-d/dev", "", true},
		"a cache of its own": {"/mnt/cache/35/34-d/dev", "/usr/local/go/bin/go", true},
		"by a shell":         {"/src/bin/dev", "/bin/bash", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := startedByGoRun(c.program, c.starter); got != c.want {
				t.Errorf("startedByGoRun: %v", got)
			}
		})
	}
}

func TestChainOfTheAuditLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	log := audit.NewLog(file)
	for _, name := range []string{"one", "two", "three"} {
		if err := log.Append(context.Background(), audit.Record{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	records, err := readAudit(path)
	if err != nil || len(records) != 3 {
		t.Fatalf("readAudit: %d records, %v", len(records), err)
	}
	if err := checkChain(records); err != nil {
		t.Error(err)
	}
	changed := append([]audit.Record(nil), records...)
	changed[1].Name = "2"
	if err := checkChain(changed); err == nil {
		t.Error("a changed record passed")
	}
	if err := checkChain(append(records[:1:1], records[2])); err == nil {
		t.Error("a missing record passed")
	}
}

func TestTableAlignsColumns(t *testing.T) {
	got := table([][]string{{"A", "B"}, {"long", "x"}, {"s", ""}})
	if want := "A     B\nlong  x\ns\n"; got != want {
		t.Errorf("table:\n%q\nwant:\n%q", got, want)
	}
}
