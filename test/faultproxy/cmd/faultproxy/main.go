// SPDX-License-Identifier: Apache-2.0

// Command faultproxy runs the proxy of package faultproxy before a cluster, to
// play with, and prints what the tests of the SDKs want to know of it. It ends
// on SIGINT or SIGTERM.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/ow-kai/ascend-operator/test/faultproxy"
)

func main() {
	dir := flag.String("dir", ".dev", "`folder` of a cluster that `make dev` runs")
	flag.Parse()
	if err := run(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "faultproxy:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(dir, "kubeconfig"))
	if err != nil {
		return err
	}
	proxy, stop, err := faultproxy.Run(config, dir)
	if err != nil {
		return err
	}
	defer stop()
	for _, line := range [][2]string{
		{"DIR", dir}, {"PROXY_URL", proxy.URL}, {"PROXY_CA", proxy.CAFile}, {"PROXY_CONTROL", proxy.Control},
	} {
		fmt.Printf("export ASCEND_TEST_%s='%s'\n", line[0], line[1])
	}
	<-ctx.Done()
	return nil
}
