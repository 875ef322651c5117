// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
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
	program, err := os.Executable()
	if err != nil || !startedByGoRun(program) {
		return ctx, cancel
	}
	parent := os.Getppid()
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

// startedByGoRun says whether the path of a program is one that `go run`
// builds to: a folder go-build and a number, in it b001/exe.
func startedByGoRun(program string) bool {
	return strings.Contains(program, "go-build") && strings.Contains(program, "/exe/")
}
