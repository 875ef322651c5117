// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// parentCheck is how often it is looked whether the parent still lives.
const parentCheck = 300 * time.Millisecond

// withParent returns a context that ends when `go run` ends, which passes no
// SIGTERM on to the program it runs: without this, `kill` of make or go would
// leave the program and its cluster behind. Started otherwise, nothing is watched.
func withParent(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	parent := os.Getppid()
	program, _ := os.Executable()
	starter, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", parent)) // on Linux
	if !startedByGoRun(program, starter) {
		return ctx, cancel
	}
	go func() {
		ticker := time.NewTicker(parentCheck)
		defer ticker.Stop()
		for ctx.Err() == nil {
			if os.Getppid() != parent {
				cancel()
				return
			}
			<-ticker.C
		}
	}()
	return ctx, cancel
}

// startedByGoRun says whether the parent is `go run`: by its own name, where
// that is known, or because the program is in one of the folders that go
// builds to.
func startedByGoRun(program, starter string) bool {
	return filepath.Base(starter) == "go" || strings.Contains(program, "go-build")
}
