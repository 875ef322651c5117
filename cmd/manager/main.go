// SPDX-License-Identifier: Apache-2.0

// Command manager is the operator.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	_ "time/tzdata" // risk schedules name time zones, and a minimal image has none

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

const usage = `Ascend Operator: decides about what AI agents ask to do.

Usage: manager [flags]

It works on the cluster that --kubeconfig, the variable KUBECONFIG or the Pod it
runs in names, and ends in order on SIGTERM or SIGINT. It exits with 0 when it was
told to end, with 1 after a failure, and with 2 when a flag is wrong.

Flags:
`

// The exit codes.
const (
	exitFailure = 1
	exitMisuse  = 2
)

func main() {
	os.Exit(command(ctrl.SetupSignalHandler(), os.Args[1:], os.Stderr))
}

// command runs the program until ctx ends and returns its exit code. Messages
// for people and the log go to out. It is for one call at a time, for
// --kubeconfig is a variable of controller-runtime.
func command(ctx context.Context, arguments []string, out io.Writer) int {
	return commandOf(ctx, arguments, out, parts{})
}

// commandOf is command with some parts of the operator wrapped.
func commandOf(ctx context.Context, arguments []string, out io.Writer, wrapped parts) int {
	options := Options{parts: wrapped}
	var logging zap.Options
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	flags.SetOutput(out)
	options.bind(flags)
	logging.BindFlags(flags)
	config.RegisterFlags(flags)
	flags.Usage = func() {
		fmt.Fprint(out, usage)
		flags.PrintDefaults()
	}
	switch err := flags.Parse(arguments); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil: // the flag set has said so, and shown the usage
		return exitMisuse
	}
	if err := errors.Join(noArguments(flags.Args()), options.validate()); err != nil {
		fmt.Fprintf(out, "%v\nSee manager --help.\n", err)
		return exitMisuse
	}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&logging), zap.WriteTo(out)))
	if err := run(ctx, &options); err != nil {
		fmt.Fprintln(out, "manager:", err)
		return exitFailure
	}
	return 0
}

func noArguments(extra []string) error {
	if len(extra) == 0 {
		return nil
	}
	return fmt.Errorf("unknown argument %q; there are only flags", extra[0])
}
