// SPDX-License-Identifier: Apache-2.0

package main

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// setup is what the page says about installation and shells.
//
//go:embed setup.md
var setup string

const preamble = `<!-- Written by make cli-docs out of the commands. Do not edit. -->
# The command line

One program under four names: %[1]sascend%[1]s, and as plugins %[1]skubectl ascend%[1]s, %[1]skubectl approve%[1]s and
%[1]skubectl deny%[1]s. %[1]skubectl approve NAME%[1]s is %[1]sascend approve NAME%[1]s, and so on.

It talks to the Kubernetes API server, with your kubeconfig and your rights. Text that comes from agents
or from policy is made safe for a terminal before it is printed.
`

// builtin are the commands that cobra adds, and those that a shell asks: the
// page has a section about completion instead.
var builtin = []string{"help", "completion", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}

// commandsOf are the commands of the page: root and all below it, in the order
// of their names.
func commandsOf(root *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{root}
	subs := slices.Clone(root.Commands())
	slices.SortFunc(subs, func(a, b *cobra.Command) int { return strings.Compare(a.Name(), b.Name()) })
	for _, sub := range subs {
		if sub.Hidden || slices.Contains(builtin, sub.Name()) {
			continue
		}
		all = append(all, commandsOf(sub)...)
	}
	return all
}

// page is docs/cli.md.
func page(root *cobra.Command, codes []exitCode) string {
	commands := commandsOf(root)
	var out strings.Builder
	fmt.Fprintf(&out, preamble, "`")
	out.WriteString("\n## Contents\n\n")
	for _, title := range []string{"Exit codes", "Flags of every command", "Install", "Completion"} {
		fmt.Fprintf(&out, "- [%s](#%s)\n", title, anchor(title))
	}
	out.WriteString("\n| Command | What it does |\n|---|---|\n")
	for _, cmd := range commands {
		fmt.Fprintf(&out, "| [%s](#%s) | %s |\n", cmd.CommandPath(), anchor(cmd.CommandPath()), cell(cmd.Short))
	}
	out.WriteString("\n## Exit codes\n\nScripts can rely on them: none is ever given another meaning.\n\n| Code | Meaning |\n|---|---|\n")
	for _, code := range codes {
		fmt.Fprintf(&out, "| %d | %s |\n", code.value, cell(sentence(code.meaning)))
	}
	out.WriteString("\n## Flags of every command\n\n" + flagTable(root.PersistentFlags()) + "\n" + strings.TrimSpace(setup) + "\n")
	for _, cmd := range commands {
		out.WriteString("\n" + section(cmd))
	}
	return out.String()
}

// anchor is that of a heading of letters, digits, blanks and hyphens.
func anchor(title string) string {
	return strings.ReplaceAll(strings.ToLower(title), " ", "-")
}

// sentence begins with a capital letter.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
