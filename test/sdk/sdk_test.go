// SPDX-License-Identifier: Apache-2.0

// Package sdk_test runs the SDKs as their users do: against a cluster with the
// operator, as `make dev` has it, and through a proxy that lets networks fail.
// One cluster and one proxy serve all tests, which therefore do not run in
// parallel.
package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// root is the checkout, seen from this package.
const root = "../.."

func TestMain(m *testing.M) {
	code := m.Run()
	if err := errors.Join(cluster.stop(), os.RemoveAll(built.temp)); err != nil {
		fmt.Fprintln(os.Stderr, "stop the cluster:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// checkout is the absolute path of root.
func checkout(tb testing.TB) string {
	tb.Helper()
	path, err := filepath.Abs(root)
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// command is one that runs in the checkout, with no setting of the developer's
// own that the SDKs would read, and ends with the test.
func command(tb testing.TB, timeout time.Duration, name string, args ...string) *exec.Cmd {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), timeout)
	tb.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = checkout(tb), bareEnvironment()
	cmd.WaitDelay = 10 * time.Second // what it has started may hold its output
	return cmd
}

func bareEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(pair string) bool {
		if strings.HasPrefix(pair, "PYTHON=") { // which one to take
			return false
		}
		return slices.ContainsFunc([]string{"ASCEND_", "KUBE", "PYTHON", "VIRTUAL_ENV", "MAKEFLAGS", "MFLAGS", "MAKELEVEL"}, func(prefix string) bool {
			return strings.HasPrefix(pair, prefix)
		})
	})
}

// output runs the command and returns its standard output; the test fails, and
// shows everything, if it fails.
func output(tb testing.TB, cmd *exec.Cmd) string {
	tb.Helper()
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("%s: %v\n%s\n%s", strings.Join(cmd.Args, " "), err, tail(string(out)), tail(problems.String()))
	}
	return string(out)
}

// tail is as much of the end of a long text as anybody reads.
func tail(text string) string {
	const most = 30_000
	if len(text) <= most {
		return text
	}
	return "[...]\n" + text[len(text)-most:]
}

// dependOnCheckout opens every file of the checkout. go test remembers a result
// until a file changes that the test has opened; those that its children read it
// does not see.
func dependOnCheckout(tb testing.TB) {
	tb.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // gone since its folder was read
			return nil
		case err != nil:
			return err
		case entry.IsDir() && (slices.Contains([]string{"bin", "__pycache__", "node_modules"}, entry.Name()) || path != root && strings.HasPrefix(entry.Name(), ".")):
			return filepath.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		file, err := os.Open(path)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		return file.Close()
	})
	if err != nil {
		tb.Fatal(err)
	}
}
