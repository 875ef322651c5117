// SPDX-License-Identifier: Apache-2.0

// Package multicall builds the multi-call binary of the control plane and keeps
// it in the user's cache folder, under a name made of everything it depends on,
// so that a fresh checkout does not link it again.
package multicall

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// recipe names the way the binary is built. Raise it when the flags of compile
// change in a way that older binaries must not outlive.
const recipe = "1"

// Toolchain is the part of the key that is not source.
type Toolchain struct {
	Go   string // as runtime.Version tells it, e.g. "go1.26.8"
	OS   string
	Arch string
}

// Key names the binary that these sources make with this toolchain: 20 hex
// digits of a SHA-256 over the recipe, the toolchain and every file's path and
// content. Sources hold go.mod, go.sum and the package controlplane.
func Key(sources fs.FS, tool Toolchain) (string, error) {
	sum := sha256.New()
	fmt.Fprintf(sum, "recipe %s\n%s %s/%s\n", recipe, tool.Go, tool.OS, tool.Arch)
	// WalkDir goes in lexical order, so the same files always make the same key.
	err := fs.WalkDir(sources, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !partOfBuild(path) {
			return err
		}
		text, err := fs.ReadFile(sources, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s %d\n%s", path, len(text), text)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("hash the sources of the control plane: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil))[:20], nil
}

// partOfBuild reports whether a source file can change the binary.
func partOfBuild(path string) bool {
	return !strings.HasSuffix(path, "_test.go")
}

var kubernetesLine = regexp.MustCompile(`(?m)^\s*k8s\.io/kubernetes (v(\d+)\.(\d+)\.\S+)`)

// Version is the Kubernetes version that is built.
type Version struct {
	Git   string // "v1.36.3"
	Major string // "1"
	Minor string // "36"
}

// KubernetesVersion reads the version out of the go.mod among the sources.
func KubernetesVersion(sources fs.FS) (Version, error) {
	text, err := fs.ReadFile(sources, "go.mod")
	if err != nil {
		return Version{}, err
	}
	found := kubernetesLine.FindSubmatch(text)
	if found == nil {
		return Version{}, fmt.Errorf("go.mod requires no k8s.io/kubernetes vX.Y.Z, so the version to build in is not known: add the require line")
	}
	return Version{Git: string(found[1]), Major: string(found[2]), Minor: string(found[3])}, nil
}
