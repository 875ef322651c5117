// SPDX-License-Identifier: Apache-2.0

// Command manager is the operator.
package main

import (
	"flag"
	"fmt"
	"os"
	_ "time/tzdata" // risk schedules name time zones, and a minimal image has none

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

const usage = `Ascend Operator: decides about what AI agents ask to do.

Usage: manager [flags]

It works on the cluster that --kubeconfig, the variable KUBECONFIG or the Pod it
runs in names, and ends in order on SIGTERM or SIGINT. It exits with 0 when it was
told to end, with 1 after a failure, and with 2 when a flag is wrong.

Flags:
`

func main() {
	var options Options
	logging := zap.Options{}
	flags := flag.CommandLine
	options.bind(flags)
	logging.BindFlags(flags)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	flag.Parse()
	if extra := flag.Args(); len(extra) > 0 {
		misuse(fmt.Errorf("unknown argument %q", extra[0]))
	}
	if err := options.validate(); err != nil {
		misuse(err)
	}
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&logging)))
	if err := run(ctrl.SetupSignalHandler(), &options); err != nil {
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(1)
	}
}

// misuse ends the program over a wrong command line.
func misuse(err error) {
	fmt.Fprintf(os.Stderr, "%v\nSee manager --help.\n", err)
	os.Exit(2)
}
