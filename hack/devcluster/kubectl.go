// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/cluster"
)

var kubectlCommand = command{
	name:    "kubectl",
	args:    "[--dir DIR] arguments of kubectl...",
	summary: "run kubectl against the cluster in a folder",
	help: `Uses DIR/kubeconfig unless KUBECONFIG is set or --kubeconfig is given. --dir must
come first; everything after it is kubectl's. The exit code is kubectl's.`,
	run: runKubectl,
}

// runKubectl becomes kubectl, so that signals, the terminal and the exit code
// are its own. It returns only if that fails.
func runKubectl(ctx context.Context, c command, args []string) error {
	if wantsHelp(args) {
		c.printHelp(c.flags())
		fmt.Println("\n`devcluster kubectl help` is kubectl's own help.")
		return nil
	}
	path, rest, err := splitDir(args)
	if err != nil {
		return usageError{err}
	}
	var dir cluster.Dir
	if err := resolve(path, &dir); err != nil {
		return err
	}
	folder, err := assets(ctx)
	if err != nil {
		return err
	}
	env := os.Environ()
	if os.Getenv("KUBECONFIG") == "" && !namesKubeconfig(rest) {
		if _, err := os.Stat(dir.Kubeconfig()); err != nil {
			// No error: some commands of kubectl need no cluster.
			fmt.Fprintf(os.Stderr, "devcluster: there is no cluster in %s yet; `devcluster up --dir %s` starts one\n",
				shown(string(dir)), shown(string(dir)))
		}
		env = append(slices.DeleteFunc(env, func(pair string) bool { return strings.HasPrefix(pair, "KUBECONFIG=") }),
			"KUBECONFIG="+dir.Kubeconfig())
	}
	program := filepath.Join(folder, "kubectl")
	if err := syscall.Exec(program, append([]string{program}, rest...), env); err != nil { //nolint:gosec // G702: kubectl out of our own cache, with the arguments that the user typed for it
		return fmt.Errorf("run %s: %w; remove its folder and run `devcluster build`", program, err)
	}
	return nil
}

// splitDir takes a leading --dir off the arguments.
func splitDir(args []string) (dir string, rest []string, err error) {
	if len(args) == 0 {
		return defaultDir, nil, nil
	}
	name, value, joined := strings.Cut(args[0], "=")
	if name != "--dir" && name != "-dir" {
		return defaultDir, args, nil
	}
	if joined {
		return value, args[1:], nil
	}
	if len(args) < 2 {
		return "", nil, fmt.Errorf("kubectl: --dir needs a folder, e.g. --dir %s", defaultDir)
	}
	return args[1], args[2:], nil
}

// namesKubeconfig reports whether kubectl is told its kubeconfig by a flag.
// What follows "--" is not kubectl's.
func namesKubeconfig(args []string) bool {
	for _, arg := range args {
		if arg == "--" {
			return false
		}
		if arg == "--kubeconfig" || strings.HasPrefix(arg, "--kubeconfig=") {
			return true
		}
	}
	return false
}
