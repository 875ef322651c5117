// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// shell runs commands in the checkout as a user would: with bin/ and the
// cluster's kubectl in PATH, and a kubeconfig.
type shell struct {
	root   string // of the checkout
	folder folder
}

// environ is the environment of commands that use that kubeconfig.
func (s shell) environ(kubeconfig string) []string {
	env := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains([]string{"KUBECONFIG", "PATH", "KUBECACHEDIR", "KUBECTL_EXTERNAL_DIFF", "NO_COLOR"}, name)
	})
	path := []string{filepath.Join(s.root, "bin"), s.folder.bin(), os.Getenv("PATH")}
	return append(env,
		"PATH="+strings.Join(path, string(os.PathListSeparator)),
		"KUBECONFIG="+kubeconfig,
		// Otherwise kubectl remembers the kinds of this cluster in the user's home.
		"KUBECACHEDIR="+s.folder.join("cache"),
		"NO_COLOR=1",
	)
}

// kubectl runs kubectl as administrator and returns what it printed. The error
// holds what it complained about.
func (s shell) kubectl(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.folder.bin(), "kubectl"), args...)
	cmd.Dir, cmd.Env = s.root, s.environ(s.folder.kubeconfig())
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return string(out), nil
}

// run runs a command line of the shell with that kubeconfig and returns
// everything that it printed.
func (s shell) run(ctx context.Context, line, kubeconfig string) (string, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Env = s.root, s.environ(kubeconfig)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	return string(out), err
}

// shown is a path as one would type it in the checkout: relative where it is
// inside.
func (s shell) shown(path string) string {
	relative, err := filepath.Rel(s.root, path)
	if err != nil || strings.HasPrefix(relative, "..") {
		return path
	}
	return relative
}
