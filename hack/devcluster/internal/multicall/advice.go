// SPDX-License-Identifier: Apache-2.0

package multicall

import (
	"context"
	"fmt"
	"strings"
)

// hints says what to do next by what the go command's output holds. The first
// that fits is used.
var hints = []struct{ sign, next string }{
	{"no space left on device", "the disk is full: the build needs some GB in Go's build cache (go env GOCACHE), " +
		"2 GB in its module cache (go env GOMODCACHE), and room in TMPDIR; make room, or set GOCACHE, GOMODCACHE and GOTMPDIR to a larger disk"},
	{"signal: killed", "something killed the compiler, most likely for want of memory (the link takes about 2 GB): close other programs, or run with GOFLAGS=-p=1"},
	{"cannot allocate memory", "memory ran out (the link takes about 2 GB): close other programs, or run with GOFLAGS=-p=1"},
	{"checksum mismatch", "a downloaded module is not the one that go.sum names: `go clean -modcache` and try again; if it stays, the module proxy (go env GOPROXY) is serving something else"},
	{"module lookup disabled by GOPROXY=off", "modules are missing and GOPROXY=off forbids to download them: set GOPROXY to a module proxy you can reach"},
	{"dial tcp", "a module could not be downloaded: check the network and `go env GOPROXY`; behind a firewall set GOPROXY to the proxy you may use"},
	{"i/o timeout", "a module could not be downloaded in time: check the network and `go env GOPROXY`, then try again; what was downloaded is kept"},
	{"proxyconnect", "the HTTP proxy could not be reached: check HTTPS_PROXY and NO_PROXY"},
	{"requires go >=", "the Go toolchain is too old: install the version that hack/devcluster/go.mod names, or leave GOTOOLCHAIN at auto"},
	{"permission denied", "a cache folder is not writable: check the owner of `go env GOCACHE` and `go env GOMODCACHE`"},
	{"updates to go.mod needed", "go.mod and go.sum do not fit each other: run `go mod tidy` in hack/devcluster"},
	{"missing go.sum entry", "go.mod and go.sum do not fit each other: run `go mod tidy` in hack/devcluster"},
}

// buildFailed makes the error of a failed go command: its output, and what to do.
func buildFailed(ctx context.Context, err error, output []string) error {
	if ctx.Err() != nil {
		return errInterrupted
	}
	text := strings.Join(output, "\n")
	next := "the output above names the package; if you changed controlplane or go.mod, undo that and build again"
	for _, hint := range hints {
		if strings.Contains(text, hint.sign) {
			next = hint.next
			break
		}
	}
	if text == "" {
		text = "(the go command wrote nothing)"
	}
	return fmt.Errorf("the control plane could not be built: %w\n\n%s\n\nWhat to do: %s", err, text, next)
}
