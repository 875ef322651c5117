// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// kubectl completes the arguments of its plugin kubectl-approve by running
// kubectl_complete-approve, found in PATH, with the words after the plugin's
// name; the last is the one that is being typed and may be empty. It reads the
// answer as that of cobra's own __complete: a choice a line, then a line of a
// colon and a directive. See pluginCompletion in k8s.io/kubectl/pkg/cmd/plugin.

// pluginPrefix begins the names of kubectl's plugins.
const pluginPrefix = "kubectl-"

// completionPrefix begins the names of the programs that complete for them.
const completionPrefix = "kubectl_complete-"

// pluginNamed says which plugin a program of that name is, or completes for.
func pluginNamed(name string) (plugin string, completes bool) {
	if plugin, completes = strings.CutPrefix(name, completionPrefix); completes {
		return pluginPrefix + plugin, true
	}
	return name, false
}

// arguments are those that the program's command is run with.
func (p program) arguments(words []string) []string {
	switch {
	case !p.completes:
		return words
	case len(words) == 0: // by hand; kubectl gives at least one
		words = []string{""}
	}
	return append([]string{cobra.ShellCompRequestCmd}, words...)
}

// isCompletion says whether a shell asks, not a person.
func isCompletion(arguments []string) bool {
	return len(arguments) > 0 && (arguments[0] == cobra.ShellCompRequestCmd || arguments[0] == cobra.ShellCompNoDescRequestCmd)
}
