// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/internal/cli"
)

var update = flag.Bool("update", false, "rewrite the golden file")

const root = "../.."

func realExitCodes(t *testing.T) []exitCode {
	t.Helper()
	codes, err := readExitCodes(filepath.Join(root, exitCodes))
	if err != nil {
		t.Fatal(err)
	}
	return codes
}

// Every command says what it does, how it is called, and how it may end; and
// every exit code is that of a command.
func TestCommandsAreComplete(t *testing.T) {
	commands := commandsOf(cli.Commands())
	if len(commands) < 5 {
		t.Fatalf("found %d commands only", len(commands))
	}
	if err := incomplete(commands, realExitCodes(t)); err != nil {
		t.Error(err)
	}
}

// The page has a heading for every command and a row for every exit code, and is
// the same each time.
func TestPageHasEverything(t *testing.T) {
	codes := realExitCodes(t)
	text := page(cli.Commands(), codes)
	for _, cmd := range commandsOf(cli.Commands()) {
		if !strings.Contains(text, "\n## "+cmd.CommandPath()+"\n") {
			t.Errorf("%s has no section", cmd.CommandPath())
		}
	}
	for _, code := range codes {
		if !strings.Contains(text, cell(sentence(code.meaning))) {
			t.Errorf("%s is not explained", code.name)
		}
	}
	if again := page(cli.Commands(), codes); again != text {
		t.Error(cmp.Diff(text, again))
	}
	for _, private := range []string{os.Getenv("HOME") + "/", os.TempDir() + "/"} {
		if private != "/" && strings.Contains(text, private) {
			t.Errorf("the page has %s of this machine in it", private)
		}
	}
}

// No constant is overlooked, and no two have one code.
func TestExitCodesAreRead(t *testing.T) {
	seen := map[int]string{}
	for _, code := range realExitCodes(t) {
		if other, twice := seen[code.value]; twice {
			t.Errorf("%s and %s are both %d", other, code.name, code.value)
		}
		seen[code.value] = code.name
	}
	source, err := os.ReadFile(filepath.Join(root, exitCodes))
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^\s*Exit\w+\s*=\s*\d+`).FindAllString(string(source), -1)
	if len(declared) != len(seen) {
		t.Errorf("%d constants are declared, %d were read", len(declared), len(seen))
	}
}

// example is a tree with everything that commands can have.
func example() *cobra.Command {
	do := func(*cobra.Command, []string) {}
	top := &cobra.Command{Use: "ascend", Short: "Decide", Long: "Decides a < b.\n\nExit codes: 0 done, 1 refused.", Example: "  ascend", Run: do}
	top.PersistentFlags().StringP("namespace", "n", "", "where to look")
	group := &cobra.Command{Use: "rules", Short: "Rules as code", Long: "Rules.", Example: "  ascend rules test"}
	test := &cobra.Command{
		Use: "test PATH...", Aliases: []string{"check"}, Short: "Run tests of rules", Run: do,
		Long:    "Runs [tests] of *rules*,\nsuch as `a_b`:\n\n    WORD   means a | b\n    OTHER  something\n\nExit codes: 0 all pass,\n3 one fails.",
		Example: "  # all of them\n  ascend rules test .\n\n  ascend rules test a.yaml",
	}
	test.Flags().StringP("output", "o", "text", "one of text|`FORMAT` for others")
	test.Flags().Bool("cover", false, "count what the tests reach")
	test.Flags().String("secret", "", "not for anybody")
	if err := test.Flags().MarkHidden("secret"); err != nil {
		panic(err)
	}
	group.AddCommand(test, &cobra.Command{Use: "internal", Hidden: true, Run: do})
	top.AddCommand(group, &cobra.Command{Use: "approve NAME", Short: "Approve", Long: "Approves.\n\nExit codes: 0 done.", Example: "  ascend approve x", Run: do})
	return top
}

var exampleCodes = []exitCode{{"ExitOK", 0, "everything was done"}, {"ExitError", 1, "something failed"}, {"ExitFound", 3, "a check has found something"}}

func TestPage(t *testing.T) {
	written := setup
	t.Cleanup(func() { setup = written })
	setup = "## Install\n\n## Completion\n\nPress Tab.\n"
	got := page(example(), exampleCodes)
	golden := filepath.Join("testdata", "page.md")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
	if err := incomplete(commandsOf(example()), exampleCodes); err != nil {
		t.Error(err)
	}
}

func TestIncomplete(t *testing.T) {
	for want, change := range map[string]func(*cobra.Command){
		"it has no Short":                   func(cmd *cobra.Command) { cmd.Short = "" },
		"is a sentence with a full stop":    func(cmd *cobra.Command) { cmd.Short = "Runs tests." },
		"longer than 60":                    func(cmd *cobra.Command) { cmd.Short = strings.Repeat("a", 61) },
		"it has no Long":                    func(cmd *cobra.Command) { cmd.Long = "Exit codes: 0 done, 3 found." },
		"its Example does not call it":      func(cmd *cobra.Command) { cmd.Example = "ascend rules" },
		"no paragraph that begins with":     func(cmd *cobra.Command) { cmd.Long = "Runs tests." },
		"names exit code 9":                 func(cmd *cobra.Command) { cmd.Long = "Runs.\n\nExit codes: 0 done, 3 found, 9 odd." },
		"ends with exit code 3 (ExitFound)": func(cmd *cobra.Command) { cmd.Long = "Runs.\n\nExit codes: 0 done." },
		"--bare has no description":         func(cmd *cobra.Command) { cmd.Flags().Bool("bare", false, "") },
	} {
		t.Run(want, func(t *testing.T) {
			top := example()
			cmd, _, err := top.Find([]string{"rules", "test"})
			if err != nil {
				t.Fatal(err)
			}
			change(cmd)
			if err := incomplete(commandsOf(top), exampleCodes); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestReadExitCodesRefuses(t *testing.T) {
	for name, source := range map[string]string{
		"a comment that is none": "package a\nconst (\n\t// something\n\tExitOK = 0\n)",
		"no comment":             "package a\nconst ExitOK = 0",
		"no exit codes":          "package a\nconst Other = 0",
		"no Go":                  "package",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "exit.go")
			if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
				t.Fatal(err)
			}
			if codes, err := readExitCodes(path); err == nil {
				t.Errorf("read %v", codes)
			}
		})
	}
}

func TestProse(t *testing.T) {
	for text, want := range map[string]string{
		"a < b, *c* and `d_e`":     `a \< b, \*c\* and ` + "`d_e`",
		"# not a title\n1. nor so": "\\# not a title\n1\\. nor so",
		"one ` alone [x]":          `one \` + "`" + ` alone \[x\]`,
	} {
		if got := prose(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
