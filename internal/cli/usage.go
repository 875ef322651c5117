// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// usageError is a command line that cannot be understood; exit code 2.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usagef makes a usageError about a command.
func usagef(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{command: cmd.CommandPath(), err: fmt.Errorf(format, args...)}
}

// takes says how many names a command takes: at least so many, and at most so
// many unless that is 0. What is what the names are names of.
func takes(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usagef(cmd, "give the name of %s, as `ascend actions list` shows it", what)
		case most > 0 && len(args) > most:
			return usagef(cmd, "one name at a time; %q is too many", args[most:])
		}
		return nil
	}
}

// takesNothing is for commands without arguments. To one that has commands of
// its own, an argument is a command that does not exist.
func takesNothing(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return usagef(cmd, "%q is too much: the command takes no arguments", args)
	}
	cmd.SuggestionsMinimumDistance = 2 // letters that may differ, as cobra has it elsewhere
	message := fmt.Sprintf("there is no command %q in %s", args[0], cmd.CommandPath())
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		message += "; did you mean " + strings.Join(similar, " or ") + "?"
	}
	return usagef(cmd, "%s", message)
}

// showHelp is what a command does that only has commands of its own.
func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }
