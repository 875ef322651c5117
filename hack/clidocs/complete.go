// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// mostShort is how long the line about a command may be, so that a list of
// commands fits a terminal.
const mostShort = 60

// incomplete says what the commands leave out: each has to have a line about
// it, a description, an example that calls it, and, if it does anything, the
// exit codes it may end with.
func incomplete(commands []*cobra.Command, codes []exitCode) error {
	var wrong []error
	for _, cmd := range commands {
		for _, missing := range missingIn(cmd, codes) {
			wrong = append(wrong, fmt.Errorf("%s: %s", cmd.CommandPath(), missing))
		}
	}
	for _, code := range codes {
		if !slices.ContainsFunc(commands, func(cmd *cobra.Command) bool { return slices.Contains(codesIn(cmd), code.value) }) {
			wrong = append(wrong, fmt.Errorf("no command says that it ends with exit code %d (%s)", code.value, code.name))
		}
	}
	return errors.Join(wrong...)
}

// missingIn says what one command leaves out.
func missingIn(cmd *cobra.Command, known []exitCode) []string {
	var missing []string
	switch {
	case cmd.Short == "":
		missing = append(missing, "it has no Short, the line about it")
	case len(cmd.Short) > mostShort || strings.HasSuffix(cmd.Short, "."):
		missing = append(missing, fmt.Sprintf("its Short %q is a sentence with a full stop, or longer than %d", cmd.Short, mostShort))
	}
	if description, _ := splitExitCodes(cmd.Long); description == "" {
		missing = append(missing, "it has no Long, the description")
	}
	if !strings.Contains(cmd.Example, cmd.CommandPath()) {
		missing = append(missing, "its Example does not call it")
	}
	if codes := codesIn(cmd); len(codes) == 0 && !cmd.HasSubCommands() {
		missing = append(missing, fmt.Sprintf("its Long has no paragraph that begins with %q", exitCodesBegin))
	} else {
		for _, code := range codes {
			if !slices.ContainsFunc(known, func(k exitCode) bool { return k.value == code }) {
				missing = append(missing, fmt.Sprintf("its Long names exit code %d, which does not exist", code))
			}
		}
	}
	cmd.NonInheritedFlags().VisitAll(func(flag *pflag.Flag) {
		if flag.Usage == "" && !flag.Hidden {
			missing = append(missing, "--"+flag.Name+" has no description")
		}
	})
	return missing
}

// codeMark is a code in the paragraph about exit codes: "0 done, 1 refused".
var codeMark = regexp.MustCompile(`(?:^|[,;.] |or )(\d+) `)

// codesIn are the exit codes that a command's help names.
func codesIn(cmd *cobra.Command) []int {
	_, text := splitExitCodes(cmd.Long)
	var found []int
	for _, match := range codeMark.FindAllStringSubmatch(text, -1) {
		code, err := strconv.Atoi(match[1])
		if err == nil {
			found = append(found, code)
		}
	}
	return found
}
