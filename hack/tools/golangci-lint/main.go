// SPDX-License-Identifier: Apache-2.0

// Command golangci-lint is golangci-lint with two module plugins compiled in:
// kubeapilinter, which holds the API types to the Kubernetes API conventions, and
// logcheck, which checks structured logging calls.
//
// `golangci-lint custom` builds such a binary too, but out of a git clone; this
// program needs the Go module proxy only, and go.sum pins every line of it.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/golangci/golangci-lint/v2/pkg/commands"
	"github.com/golangci/golangci-lint/v2/pkg/exitcodes"

	_ "sigs.k8s.io/kube-api-linter"             // the kubeapilinter plugin
	_ "sigs.k8s.io/logtools/logcheck/gclplugin" // the logcheck plugin
)

const upstream = "github.com/golangci/golangci-lint/v2"

func main() {
	if err := commands.Execute(buildInfo()); err != nil {
		fmt.Fprintf(os.Stderr, "golangci-lint: %v\n", err)
		os.Exit(exitcodes.Failure)
	}
}

// buildInfo reports the version of the upstream module rather than that of this
// one, so that `golangci-lint version` and the configuration check agree with go.mod.
func buildInfo() commands.BuildInfo {
	info := commands.BuildInfo{Version: "unknown", Commit: "module plugins", Date: "(unknown)"}

	build, ok := debug.ReadBuildInfo()
	if !ok {
		return info
	}

	info.GoVersion = build.GoVersion
	for _, dep := range build.Deps {
		if dep.Path == upstream {
			info.Version = strings.TrimPrefix(dep.Version, "v")
		}
	}
	return info
}
