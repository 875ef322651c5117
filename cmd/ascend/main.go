// SPDX-License-Identifier: Apache-2.0

// Command ascend lists what agents ask for, explains the decisions, and lets
// people approve or deny. Called as kubectl-ascend, kubectl-approve or
// kubectl-deny it is a kubectl plugin.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubeconfigs that log in by OIDC or a program
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ow-kai/ascend-operator/internal/cli"
)

func main() {
	os.Exit(run())
}

func run() int {
	log.SetLogger(logr.Discard()) // what a user has to know is printed, not logged
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal ends things in order, a second one at once: some waits, as
	// that for the standard input, heed no context.
	context.AfterFunc(ctx, stop)
	return cli.Main(ctx, os.Args, genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr})
}
