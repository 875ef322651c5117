// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// exitCodesBegin is how the paragraph of a help text about exit codes begins.
const exitCodesBegin = "Exit codes: "

// section is one command's part of the page.
func section(cmd *cobra.Command) string {
	var out strings.Builder
	description, codes := splitExitCodes(cmd.Long)
	fmt.Fprintf(&out, "## %s\n\n%s.\n", cmd.CommandPath(), prose(strings.TrimSuffix(cmd.Short, ".")))
	if cmd.Runnable() && !cmd.HasSubCommands() {
		fmt.Fprintf(&out, "\n```text\n%s\n```\n", cmd.UseLine())
	}
	if aliases := aliasesOf(cmd); aliases != "" {
		fmt.Fprintf(&out, "\nAlso: %s\n", aliases)
	}
	if description != "" {
		out.WriteString("\n" + markdown(description) + "\n")
	}
	if subs := subcommands(cmd); subs != "" {
		out.WriteString("\n" + subs)
	}
	if codes != "" {
		fmt.Fprintf(&out, "\n**[Exit codes](#exit-codes):** %s\n", prose(codes))
	}
	if cmd.Example != "" {
		fmt.Fprintf(&out, "\n**Examples**\n\n```sh\n%s\n```\n", unindent(cmd.Example))
	}
	if own := cmd.NonInheritedFlags(); cmd.HasParent() && own.HasAvailableFlags() {
		out.WriteString("\n**Flags**\n\n" + flagTable(own))
	}
	return out.String()
}

// splitExitCodes takes the paragraph about exit codes out of a help text.
func splitExitCodes(long string) (description, codes string) {
	var rest []string
	for _, paragraph := range paragraphs(long) {
		if text, is := strings.CutPrefix(paragraph, exitCodesBegin); is {
			codes = strings.Join(strings.Fields(text), " ")
			continue
		}
		rest = append(rest, paragraph)
	}
	return strings.Join(rest, "\n\n"), codes
}

// paragraphs are the parts of a text between empty lines.
func paragraphs(text string) []string {
	var found []string
	for part := range strings.SplitSeq(strings.ReplaceAll(text, "\t", "    "), "\n\n") {
		if part = strings.Trim(part, "\n"); strings.TrimSpace(part) != "" {
			found = append(found, part)
		}
	}
	return found
}

// aliasesOf are the other names of a command, each as it is typed.
func aliasesOf(cmd *cobra.Command) string {
	var names []string
	for _, alias := range cmd.Aliases {
		names = append(names, "`"+cmd.Parent().CommandPath()+" "+alias+"`")
	}
	if !cmd.HasParent() {
		return ""
	}
	if cmd.Name() == "approve" || cmd.Name() == "deny" {
		names = append(names, "`kubectl "+cmd.Name()+"`")
	}
	return strings.Join(names, ", ")
}

// subcommands lists the commands of a command that has any.
func subcommands(cmd *cobra.Command) string {
	var out strings.Builder
	for _, sub := range commandsOf(cmd)[1:] {
		if sub.Parent() == cmd {
			fmt.Fprintf(&out, "- [%s](#%s): %s\n", sub.CommandPath(), anchor(sub.CommandPath()), prose(sub.Short))
		}
	}
	return out.String()
}

// flagTable has a row for each flag that a user shall know, by name.
func flagTable(flags *pflag.FlagSet) string {
	var out strings.Builder
	out.WriteString("| Flag | Default | What |\n|---|---|---|\n")
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden || flag.Deprecated != "" || flag.Name == "help" {
			return
		}
		kind, usage := pflag.UnquoteUsage(flag)
		name := "`--" + flag.Name
		if flag.Shorthand != "" && flag.ShorthandDeprecated == "" {
			name = "`-" + flag.Shorthand + "`, " + name
		}
		if kind != "" {
			name += " " + strings.ReplaceAll(strings.TrimSuffix(kind, "Array"), "|", `\|`)
		}
		fmt.Fprintf(&out, "| %s` | %s | %s |\n", name, shownDefault(flag), cell(sentence(usage)))
	})
	return out.String()
}

// shownDefault is a flag's default, empty where it says nothing.
func shownDefault(flag *pflag.Flag) string {
	switch flag.DefValue {
	case "", "false", "[]", "0", "0s", "<nil>":
		return ""
	default:
		return "`" + strings.ReplaceAll(flag.DefValue, "|", `\|`) + "`"
	}
}
