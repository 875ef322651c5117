// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/cluster"
	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/lockfile"
)

// defaultDir is the folder of the cluster unless --dir names another.
const defaultDir = ".dev"

var upCommand = command{
	name:    "up",
	args:    "[--dir DIR] [flags]",
	summary: "run a cluster in the foreground until SIGINT or SIGTERM",
	help: `Starts etcd, kube-apiserver and kube-controller-manager on 127.0.0.1, writes
DIR/kubeconfig (administrator) and, once everything answers, DIR/ready. It stays in
the foreground and stops everything on SIGINT or SIGTERM; a second one stops at once.
If a component dies, the others are stopped and the exit code is 1.

A stopped cluster goes on from where it was at the next up on the same folder.
Webhooks must be reached by clientConfig.url: no proxy routes Services.`,
	run: runUp,
}

func runUp(ctx context.Context, c command, args []string) error {
	options, err := parseUp(c, args)
	if err != nil {
		return err
	}
	// Before the build, which can take minutes; Run looks again, with the lock.
	if holder := options.Dir.Holder(); holder != nil {
		return inUse(options.Dir, *holder, time.Now())
	}
	if options.Assets, err = assets(ctx); err != nil {
		return err
	}
	options.Say = say
	err = cluster.Run(ctx, options)
	if held, ok := errors.AsType[*lockfile.HeldError](err); ok {
		return inUse(options.Dir, held.Holder, time.Now())
	}
	return err
}

// inUse says who runs the cluster in dir and how to stop it.
func inUse(dir cluster.Dir, holder lockfile.Holder, now time.Time) error {
	path := shown(string(dir))
	return fmt.Errorf("%s is in use by %s: stop it with `devcluster down --dir %s`, or give another folder with --dir",
		path, holder.Describe(now), path)
}

// parseUp reads and checks the command line of up. Files are made absolute,
// because the components are told about them.
func parseUp(c command, args []string) (cluster.Options, error) {
	var options cluster.Options
	set := c.flags()
	dir := set.String("dir", defaultDir, "`folder` of the cluster; made if missing")
	set.IntVar(&options.Ports.APIServer, "apiserver-port", 0, "`port` of the API server (default: the one of the run before, or any free one)")
	set.IntVar(&options.Ports.Etcd, "etcd-port", 0, "`port` of etcd for clients (default: likewise)")
	set.IntVar(&options.Ports.EtcdPeer, "etcd-peer-port", 0, "`port` of etcd for peers (default: likewise)")
	set.IntVar(&options.Ports.ControllerManager, "controller-manager-port", 0, "`port` of the controller manager (default: likewise)")
	set.BoolVar(&options.Reset, "reset", false, "throw away the objects and certificates of earlier runs")
	set.BoolVar(&options.Fsync, "fsync", false, "let etcd wait for the disk at each write: safe against power cuts, slower")
	set.StringVar(&options.AuditPolicy, "audit-policy", "", "`file` with the API server's audit policy; the audit log goes to DIR/logs/audit.log")
	set.DurationVar(&options.Timeout, "timeout", 2*time.Minute, "how long one component may take to be ready")
	set.Func("apiserver-arg", "further flag of kube-apiserver, as `key=value`; replaces a default of the same name; may be repeated",
		appendArg(&options.APIServerArgs))
	set.Func("controller-manager-arg", "likewise for kube-controller-manager, as `key=value`",
		appendArg(&options.ControllerManagerArgs))
	if err := c.parse(set, args); err != nil {
		return options, err
	}
	if err := options.Ports.Validate(); err != nil {
		return options, usageError{err}
	}
	if options.Timeout <= 0 {
		return options, usageError{fmt.Errorf("--timeout %s: give a time above 0, e.g. 2m", options.Timeout)}
	}
	if options.AuditPolicy != "" {
		if _, err := os.Stat(options.AuditPolicy); err != nil {
			return options, usageError{fmt.Errorf("--audit-policy: %w", err)}
		}
	}
	return options, errors.Join(absolute(&options.AuditPolicy), resolve(*dir, &options.Dir))
}

// appendArg makes the parser of a flag that may be repeated.
func appendArg(list *[]cluster.Arg) func(string) error {
	return func(text string) error {
		arg, err := cluster.ParseArg(text)
		if err == nil {
			*list = append(*list, arg)
		}
		return err
	}
}

// absolute makes a path absolute; an empty one stays empty.
func absolute(path *string) (err error) {
	if *path != "" {
		*path, err = filepath.Abs(*path)
	}
	return err
}

// resolve turns the value of --dir into a folder.
func resolve(path string, dir *cluster.Dir) error {
	found, err := cluster.NewDir(path)
	if err != nil {
		return usageError{err}
	}
	*dir = found
	return nil
}

func say(format string, args ...any) {
	fmt.Printf(format+"\n", args...)
}
