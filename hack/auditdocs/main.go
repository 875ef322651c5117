// SPDX-License-Identifier: Apache-2.0

// Command auditdocs writes the reference of audit records, docs/reference/audit-record.md,
// and beside it their JSON Schema.
package main

import (
	"fmt"
	"os"

	"github.com/ow-kai/ascend-operator/internal/trail/schema"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "auditdocs:", err)
		os.Exit(1)
	}
}

func write() error {
	page, err := schema.Markdown()
	if err != nil {
		return err
	}
	for path, text := range map[string][]byte{"docs/reference/audit-record.schema.json": schema.Text, "docs/reference/audit-record.md": []byte(page)} {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
