// SPDX-License-Identifier: Apache-2.0

// Command devcluster runs a Kubernetes control plane on this machine, built out
// of Go modules: etcd, kube-apiserver, kube-controller-manager and kubectl. It
// needs Go and nothing else.
//
// This package is the driver and uses the standard library alone, so that it
// compiles in a moment. The control plane itself is the package controlplane,
// which `devcluster build` compiles once and keeps in the user's cache folder.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/multicall"
)

// Exit codes beside 0 and those that kubectl passes through.
const (
	exitFailed     = 1
	exitUsage      = 2
	exitNotRunning = 3 // of status: no cluster, or none that answers
)

// command is one command of the driver.
type command struct {
	name    string
	args    string // what follows the name in the usage line
	summary string // one line
	help    string // what else a user has to know
	run     func(ctx context.Context, c command, args []string) error
}

// commands lists all of them, in the order in which a user meets them.
func commands() []command {
	return []command{buildCommand, assetsCommand, upCommand, kubectlCommand, statusCommand, downCommand}
}

// usageError says that the command line is wrong.
type usageError struct{ error }

// exitError ends the program with a code after everything has been said.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// After the first signal the next one ends the driver at once: a person who
	// asks twice does not want to wait for an orderly stop.
	context.AfterFunc(ctx, stop)
	os.Exit(exitCode(run(ctx, os.Args[1:])))
}

// run finds the command and runs it.
func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usageError{fmt.Errorf("a command is missing; there are %s (`devcluster --help` describes them)", commandNames())}
	}
	name, rest := args[0], args[1:]
	if name == "--help" || name == "-help" || name == "-h" || name == "help" {
		if name == "help" && len(rest) > 0 {
			return run(ctx, []string{rest[0], "--help"})
		}
		printHelp()
		return nil
	}
	for _, c := range commands() {
		if c.name == name {
			err := c.run(ctx, c, rest)
			if errors.Is(err, flag.ErrHelp) {
				return nil
			}
			return err
		}
	}
	return usageError{fmt.Errorf("there is no command %q; there are %s (`devcluster --help` describes them)", name, commandNames())}
}

// exitCode says what err means, unless that has been said, and turns it into
// the code to exit with.
func exitCode(err error) int {
	var exit exitError
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "devcluster: %v\n", err)
		return exitUsage
	default:
		fmt.Fprintf(os.Stderr, "devcluster: %v\n", err)
		return exitFailed
	}
}

func commandNames() string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

func printHelp() {
	fmt.Println("devcluster runs a Kubernetes control plane on this machine, built out of Go modules.")
	fmt.Println("\nusage: devcluster <command> [flags]")
	fmt.Println()
	for _, c := range commands() {
		fmt.Printf("  %-8s %s\n", c.name, c.summary)
	}
	fmt.Println("\n`devcluster <command> --help` tells more.")
}

// flags makes the flag set of a command. It prints nothing by itself: errors
// come back from parse like every other error.
func (c command) flags() *flag.FlagSet {
	set := flag.NewFlagSet(c.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	return set
}

// parse reads the flags and refuses arguments that are none. It returns
// flag.ErrHelp when help was asked for, and has printed it then.
func (c command) parse(set *flag.FlagSet, args []string) error {
	err := set.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		c.printHelp(set)
		return flag.ErrHelp
	case err != nil:
		return usageError{fmt.Errorf("%s: %w; `devcluster %s --help` lists the flags", c.name, err, c.name)}
	case set.NArg() > 0:
		return usageError{fmt.Errorf("%s: unexpected argument %q; `devcluster %s --help` lists the flags", c.name, set.Arg(0), c.name)}
	}
	return nil
}

func wantsHelp(args []string) bool {
	return len(args) > 0 && (args[0] == "--help" || args[0] == "-help" || args[0] == "-h")
}

func (c command) printHelp(set *flag.FlagSet) {
	fmt.Printf("devcluster %s: %s\n\nusage: devcluster %s %s\n\n%s\n", c.name, c.summary, c.name, c.args, strings.TrimSpace(c.help))
	hasFlags := false
	set.VisitAll(func(*flag.Flag) { hasFlags = true })
	if hasFlags {
		fmt.Println("\nflags:")
		set.SetOutput(os.Stdout)
		set.PrintDefaults()
	}
}

// store is the cache of this user.
func store() (multicall.Store, error) {
	root, err := multicall.DefaultRoot()
	if err != nil {
		return multicall.Store{}, err
	}
	return multicall.Store{Root: root, Sources: sources}, nil
}

// assets returns the folder with the programs, built if need be. Progress goes
// to standard error.
func assets(ctx context.Context) (string, error) {
	kept, err := store()
	if err != nil {
		return "", err
	}
	info, err := os.Stderr.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return kept.Ensure(ctx, multicall.NewReporter(os.Stderr, terminal))
}

// shown is a path as a user would type it: relative where that is shorter.
func shown(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	relative, err := filepath.Rel(here, path)
	if err != nil || len(relative) >= len(path) {
		return path
	}
	return relative
}
