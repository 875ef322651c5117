// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// UsageError is a command line that cannot be understood; exit code 2.
type UsageError struct {
	// Command is the command as it was called, without its arguments.
	Command string
	err     error
}

func (e *UsageError) Error() string { return e.err.Error() }
func (e *UsageError) Unwrap() error { return e.err }

// Usagef makes a UsageError about a command.
func Usagef(cmd *cobra.Command, format string, args ...any) error {
	return &UsageError{Command: cmd.CommandPath(), err: fmt.Errorf(format, args...)}
}

// Takes says how many names a command takes: at least so many, and at most so
// many unless that is 0. What is what the names are names of, such as "a rule",
// and list the command that shows them.
func Takes(least, most int, what, list string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return Usagef(cmd, "give the name of %s, as `%s` shows it", what, list)
		case most > 0 && len(args) > most:
			return Usagef(cmd, "one name at a time; %q is too many", args[most:])
		}
		return nil
	}
}

// TakesNothing is for commands without arguments. To one that has commands of
// its own, an argument is a command that does not exist.
func TakesNothing(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return Usagef(cmd, "%q is too much: the command takes no arguments", args)
	}
	cmd.SuggestionsMinimumDistance = 2 // letters that may differ, as cobra has it elsewhere
	message := fmt.Sprintf("there is no command %q in %s", args[0], cmd.CommandPath())
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		message += "; did you mean " + strings.Join(similar, " or ") + "?"
	}
	return Usagef(cmd, "%s", message)
}

// NotEmpty refuses flags that are given with nothing in them, such as a variable
// of a script that is not set: they would be taken as not given at all.
func NotEmpty(cmd *cobra.Command, flags ...string) error {
	for _, name := range flags {
		if flag := cmd.Flags().Lookup(name); flag != nil && flag.Changed && flag.Value.String() == "" {
			return Usagef(cmd, "--%s is empty; leave it out, or say which", name)
		}
	}
	return nil
}

// ShowHelp is what a command does that only has commands of its own.
func ShowHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// Examples indents the examples of a help text by two spaces and puts the
// name of the command in for %[1]s.
func Examples(text, display string) string {
	text = strings.ReplaceAll(strings.Trim(text, "\n"), "%[1]s", display)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if line = strings.TrimSpace(line); line != "" {
			line = "  " + line
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}
