// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of Ascend Operator. The program's name decides
// which commands it has, see programFor; the commands are in a package for each
// of the people who use them.
//
// Text that came from an agent or a policy is printed through terminal.Safe only.
// What is printed for people goes to stdout; hints and errors go to stderr.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// Main runs the program that argv[0] names with the arguments after it, and
// returns its exit code. It prints to the streams only.
func Main(ctx context.Context, argv []string, streams genericiooptions.IOStreams) int {
	return run(ctx, session.New(streams), argv)
}

func run(ctx context.Context, s *session.Session, argv []string) int {
	if len(argv) == 0 {
		argv = []string{"ascend"}
	}
	called := programFor(argv[0])
	arguments := called.arguments(argv[1:])
	if isCompletion(arguments) {
		hurry(s)
	}
	root := newRoot(s, called) //nolint:contextcheck // completions get theirs of cobra, which is given this one
	root.SetArgs(arguments)
	code := report(s, root.ExecuteContext(ctx))
	if err := s.Unwritten(); code == session.ExitOK && err != nil {
		s.PrintError(err)
		return session.ExitError
	}
	return code
}

// newRoot is the program's top command, ready to run.
func newRoot(s *session.Session, called program) *cobra.Command {
	root := called.command(s)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.ErrOut)
	// Errors are printed once, by report, and without the whole help.
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return session.Usagef(cmd, "%w", err)
	})
	s.Flags.AddFlags(root.PersistentFlags())
	completeFlags(root, s)
	return root
}

// Commands is ascend with all its commands and flags, to be described and not
// to be run.
func Commands() *cobra.Command {
	return newRoot(session.New(genericiooptions.IOStreams{In: strings.NewReader(""), Out: io.Discard, ErrOut: io.Discard}), programFor("ascend"))
}

// report prints an error, unless that was done, and returns the exit code.
func report(s *session.Session, err error) int {
	var usage *session.UsageError
	var code session.ExitCodeError
	switch {
	case err == nil:
		return session.ExitOK
	case errors.As(err, &usage):
		fmt.Fprintf(s.ErrOut, "error: %v\nSee: %s --help\n", usage, usage.Command)
		return session.ExitUsage
	case errors.As(err, &code):
		return int(code)
	case errors.Is(err, session.ErrReported):
		return session.ExitError
	default:
		s.PrintError(err)
		return session.ExitError
	}
}
