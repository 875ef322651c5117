// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/cluster"
)

var downCommand = command{
	name:    "down",
	args:    "[--dir DIR]",
	summary: "stop the cluster that runs in a folder",
	help: `Asks the driver that runs the cluster to stop and waits until it has. If it was
killed before, what it left behind is ended instead. Nothing running is no error.`,
	run: func(_ context.Context, c command, args []string) error {
		dir, err := parseDir(c, args)
		if err != nil {
			return err
		}
		was, err := dir.Stop(say)
		if err != nil {
			return err
		}
		if was {
			say("stopped the cluster in %s", shown(string(dir)))
		} else {
			say("no cluster is running in %s", shown(string(dir)))
		}
		return nil
	},
}

var statusCommand = command{
	name:    "status",
	args:    "[--dir DIR]",
	summary: "tell whether a cluster runs in a folder, and where",
	help:    `Exit code 0: it runs and answers. 3: it does not run, or does not answer.`,
	run: func(ctx context.Context, c command, args []string) error {
		dir, err := parseDir(c, args)
		if err != nil {
			return err
		}
		status, err := dir.Status(ctx)
		if err != nil {
			return err
		}
		fmt.Print(statusText(dir, status, time.Now()))
		if !status.Ready {
			return exitError{exitNotRunning}
		}
		return nil
	},
}

// statusText words a status for a person, a line a fact.
func statusText(dir cluster.Dir, status cluster.Status, now time.Time) string {
	if status.Holder == nil {
		return fmt.Sprintf("status      not running; start it with `devcluster up --dir %s`\n", shown(string(dir)))
	}
	word := "running, ready"
	if !status.Ready {
		word = "running, not ready: " + status.Trouble
	}
	text := fmt.Sprintf("status      %s\ndriver      %s\n", word, status.Holder.Describe(now))
	if status.State.APIServer == "" {
		return text
	}
	return text + fmt.Sprintf("apiserver   %s\netcd        %s\nversion     %s\nkubeconfig  %s\n",
		status.State.APIServer, status.State.Etcd, status.State.Version, dir.Kubeconfig())
}

// parseDir reads the command line of a command whose only flag is --dir.
func parseDir(c command, args []string) (cluster.Dir, error) {
	set := c.flags()
	path := set.String("dir", defaultDir, "`folder` of the cluster")
	if err := c.parse(set, args); err != nil {
		return "", err
	}
	var dir cluster.Dir
	err := resolve(*path, &dir)
	return dir, err
}
