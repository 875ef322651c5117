// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of Ascend Operator: one file a command. The
// program's name decides which commands it has, see programFor.
//
// Text that came from an agent or a policy is printed through safeText only.
// What is printed for people goes to stdout; hints and errors go to stderr.
package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// The exit codes.
const (
	// ExitOK: everything that was asked for was done.
	ExitOK = 0
	// ExitError: something was refused or failed; stderr says what.
	ExitError = 1
	// ExitUsage: the command line itself is wrong; nothing was tried.
	ExitUsage = 2
)

const exitCodesHelp = `
Exit codes: 0 done, 1 refused or failed, 2 wrong usage.`

// errReported stands for errors that stderr already has.
var errReported = errors.New("reported")

// Main runs the program that argv[0] names with the arguments after it, and
// returns its exit code. It prints to the streams only.
func Main(ctx context.Context, argv []string, streams genericiooptions.IOStreams) int {
	return newSession(streams).run(ctx, argv)
}

func (s *session) run(ctx context.Context, argv []string) int {
	if len(argv) == 0 {
		argv = []string{"ascend"}
	}
	root := programFor(argv[0]).command(s)
	root.SetArgs(argv[1:])
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.ErrOut)
	// Errors are printed once, below, and without the whole help.
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{command: cmd.CommandPath(), err: err}
	})
	s.flags.AddFlags(root.PersistentFlags())
	return s.report(root.ExecuteContext(ctx))
}

// report prints an error, unless that was done, and returns the exit code.
func (s *session) report(err error) int {
	var usage *usageError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &usage):
		fmt.Fprintf(s.ErrOut, "error: %v\nSee: %s --help\n", usage.err, usage.command)
		return ExitUsage
	case errors.Is(err, errReported):
		return ExitError
	default:
		s.printError(err)
		return ExitError
	}
}

func (s *session) printError(err error) {
	fmt.Fprintf(s.ErrOut, "error: %v\n", err)
}
