// SPDX-License-Identifier: Apache-2.0

// Command dev runs the operator on this machine, beside the control plane that
// hack/devcluster builds: `up` keeps both running to play with, `demo` plays
// the tutorial and checks every decision.
//
// The operator works with the token of its own ServiceAccount and the RBAC of
// config/, never as administrator, so that a missing permission shows at once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

// Exit codes beside 0.
const (
	exitFailed = 1
	exitUsage  = 2
)

const usage = `dev runs the operator on this machine, with a control plane built out of Go modules.

usage:
  dev up [--dir DIR] [--strict]    run cluster, operator and starter policy until SIGINT or SIGTERM
  dev demo [flags]                 play the tutorial; exit code 0 only if every decision is as expected
  dev webhooks --address HOST:PORT print webhook configurations for an operator that runs there, for kubectl apply

` + "`dev up --help` and `dev demo --help`" + ` list the flags. Both need what ` + "`make build`" + ` builds;
` + "`make dev` and `make demo`" + ` do all of it.
`

// usageError says that the command line is wrong.
type usageError struct{ error }

// Children die with the thread that started them (see Start), and the main
// goroutine's thread lives as long as the process.
func init() { runtime.LockOSThread() }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ctx, orphaned := withParent(ctx)
	// After the first signal the next one ends the program at once: a person who
	// asks twice does not want to wait for an orderly stop.
	context.AfterFunc(ctx, stop)
	code := exitCode(run(ctx, os.Args[1:]))
	orphaned()
	os.Exit(code)
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usageError{errors.New("a command is missing: up, demo or webhooks (`dev --help` tells more)")}
	}
	switch args[0] {
	case "up":
		return runUp(ctx, args[1:])
	case "demo":
		return runDemo(ctx, args[1:])
	case "webhooks":
		return runWebhooks(os.Stdout, args[1:])
	case "help", "--help", "-help", "-h":
		fmt.Print(usage)
		return nil
	default:
		return usageError{fmt.Errorf("there is no command %q: up, demo or webhooks (`dev --help` tells more)", args[0])}
	}
}

// exitCode says what err means and turns it into the code to exit with.
func exitCode(err error) int {
	var wrong usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintf(os.Stderr, "dev: %v\n", err)
		return exitUsage
	default:
		fmt.Fprintf(os.Stderr, "dev: %v\n", strings.TrimRight(err.Error(), "\n"))
		return exitFailed
	}
}

// parse reads the flags of a command, which takes no other arguments.
func parse(set *flag.FlagSet, args []string) error {
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usageError{err}
	}
	if set.NArg() > 0 {
		return usageError{fmt.Errorf("%s: unexpected argument %q; `dev %s --help` lists the flags", set.Name(), set.Arg(0), set.Name())}
	}
	return nil
}

// say tells a person how far things are. It goes to standard error, so that
// standard output is the story alone.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}
