// SPDX-License-Identifier: Apache-2.0

// Command clidocs writes docs/cli.md, the reference of the command line, out of
// the commands themselves. `make cli-docs` runs it, and `make docs` does too.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/ow-kai/ascend-operator/internal/cli"
)

// exitCodes is where the exit codes are, seen from the checkout.
const exitCodes = "internal/cli/session/exit.go"

func main() {
	out := flag.String("out", "docs/cli.md", "`file` to write")
	flag.Parse()
	if err := write(*out); err != nil {
		fmt.Fprintf(os.Stderr, "clidocs: %v\n", err)
		os.Exit(1)
	}
}

// write writes the page, unless a command leaves something out. It is run in
// the checkout.
func write(path string) error {
	codes, err := readExitCodes(exitCodes)
	if err != nil {
		return err
	}
	root := cli.Commands()
	if err := incomplete(commandsOf(root), codes); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(page(root, codes)), 0o644)
}
