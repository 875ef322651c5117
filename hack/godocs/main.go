// SPDX-License-Identifier: Apache-2.0

// Command godocs writes the reference of the Go SDK out of its doc comments, as
// Markdown. `make go-docs` runs it, and `make docs` does too.
package main

import (
	"errors"
	"flag"
	"fmt"
	"go/token"
	"os"
	"strings"
)

func main() {
	out := flag.String("out", "docs/reference/go.md", "`file` to write")
	flag.Parse()
	if err := write(*out, flag.Args()); err != nil {
		fmt.Fprintf(os.Stderr, "godocs: %v\n", err)
		os.Exit(1)
	}
}

// write writes the page about these folders of the checkout, in which it is run.
func write(path string, folders []string) error {
	if len(folders) == 0 {
		return errors.New("name the folders of the packages")
	}
	var text strings.Builder
	fmt.Fprintf(&text, "<!-- Generated from %s by `make go-docs`. Do not edit. -->\n\n# Go reference\n\nHow to begin: [the Go SDK](../sdk-go.md).\n", strings.Join(folders, " and "))
	for _, folder := range folders {
		p, err := load(token.NewFileSet(), folder)
		if err != nil {
			return err
		}
		if err := p.page(&text); err != nil {
			return err
		}
	}
	return os.WriteFile(path, []byte(strings.TrimRight(text.String(), "\n")+"\n"), 0o644)
}
