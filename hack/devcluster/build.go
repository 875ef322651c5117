// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/multicall"
)

var buildCommand = command{
	name:    "build",
	summary: "build the control plane's binary, once; prints its path",
	help: `The binary goes to the user's cache folder (ascend-operator/devcluster), under a
name made of its sources and the Go version, so it is built once and not once a
checkout. The first build compiles some 2,700 packages and takes minutes. Folders
of versions no longer used can be removed at any time.`,
	run: func(ctx context.Context, c command, args []string) error {
		if err := c.parse(c.flags(), args); err != nil {
			return err
		}
		folder, err := assets(ctx)
		if err != nil {
			return err
		}
		fmt.Println(filepath.Join(folder, multicall.BinaryName))
		return nil
	},
}

var assetsCommand = command{
	name:    "assets",
	summary: "print the folder that envtest wants as KUBEBUILDER_ASSETS",
	help: `The folder holds etcd, kube-apiserver, kube-controller-manager and kubectl; they are
built first if they are not there. Standard output holds the path alone:

  KUBEBUILDER_ASSETS=$(devcluster assets) go test ./...`,
	run: func(ctx context.Context, c command, args []string) error {
		if err := c.parse(c.flags(), args); err != nil {
			return err
		}
		folder, err := assets(ctx)
		if err != nil {
			return err
		}
		fmt.Println(folder)
		return nil
	},
}
