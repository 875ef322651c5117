// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// openAuditLog opens the file that records are appended to. Where a process
// before this one has left a line unfinished, that line is ended, so that the
// first record begins one of its own.
func openAuditLog(path string) (io.WriteCloser, error) {
	if path == "-" {
		return os.Stdout, nil
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the file the operator's administrator names
	if err != nil {
		return nil, fmt.Errorf("open the audit log: %w; give another file with --audit-log", err)
	}
	if err := endLastLine(file); err != nil {
		return nil, errors.Join(fmt.Errorf("open the audit log: %w", err), file.Close())
	}
	return file, nil
}

func endLastLine(file *os.File) error {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return err
	}
	last := make([]byte, 1)
	if _, err := file.ReadAt(last, info.Size()-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = file.WriteString("\n")
	return err
}
