// SPDX-License-Identifier: Apache-2.0

package multicall

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/ow-kai/ascend-operator/hack/devcluster/internal/lockfile"
)

// BinaryName is the file name of the multi-call binary in an assets folder.
const BinaryName = "controlplane"

// Programs are the names the binary answers to, each a link beside it.
var Programs = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kubectl"}

// Store is the cache of built binaries: one folder a key, complete or absent.
type Store struct {
	Root    string // the cache folder; made if missing
	Sources fs.FS  // go.mod, go.sum and controlplane/*.go
	// Compile builds the package controlplane of the module in source to the
	// file out. Nil means to run the go command.
	Compile func(ctx context.Context, source, out string, version Version, say Reporter) error
}

// DefaultRoot is the folder in the user's cache in which binaries are kept.
func DefaultRoot() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder for the control plane's binary: %w; set HOME or XDG_CACHE_HOME", err)
	}
	return filepath.Join(cache, "ascend-operator", "devcluster"), nil
}

// Folder is where the binary of these sources is, or will be once built.
func (s Store) Folder() (string, error) {
	key, err := Key(s.Sources, Toolchain{Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH})
	if err != nil {
		return "", err
	}
	return filepath.Join(s.Root, key), nil
}

// Ensure returns the folder with the binary and its links, building them if
// they are not there. Two calls at once, in two processes, build once: the
// second waits and takes what the first made.
func (s Store) Ensure(ctx context.Context, say Reporter) (string, error) {
	folder, err := s.Folder()
	if err != nil || complete(folder) {
		return folder, err
	}
	if err := os.MkdirAll(s.Root, 0o755); err != nil {
		return "", fmt.Errorf("make the cache folder: %w", err)
	}
	lock, err := lockfile.Wait(ctx, folder+".lock", func(holder lockfile.Holder) {
		say.Line("the control plane is being built by %s; waiting for it", describe(holder))
	})
	if err != nil {
		return "", err
	}
	defer lock.Release()
	if complete(folder) { // built while we waited
		return folder, nil
	}
	return folder, s.build(ctx, folder, say)
}

// build makes folder, in one rename once everything is in place. The lock on
// folder is held by the caller.
func (s Store) build(ctx context.Context, folder string, say Reporter) error {
	version, err := KubernetesVersion(s.Sources)
	if err != nil {
		return err
	}
	// One fixed name: what a killed build left there is removed by the next.
	unfinished := folder + ".unfinished"
	for _, leftover := range []string{unfinished, folder} {
		if err := os.RemoveAll(leftover); err != nil {
			return fmt.Errorf("remove an incomplete build: %w", err)
		}
	}
	defer os.RemoveAll(unfinished)
	source := filepath.Join(unfinished, "source")
	if err := writeSources(s.Sources, source); err != nil {
		return fmt.Errorf("write the sources to build: %w", err)
	}
	compile := s.Compile
	if compile == nil {
		compile = goBuild
	}
	if err := compile(ctx, source, filepath.Join(unfinished, BinaryName), version, say); err != nil {
		return err
	}
	if err := os.RemoveAll(source); err != nil {
		return err
	}
	for _, program := range Programs {
		if err := os.Symlink(BinaryName, filepath.Join(unfinished, program)); err != nil {
			return err
		}
	}
	return os.Rename(unfinished, folder)
}

// complete reports whether folder holds the binary and all links to it.
func complete(folder string) bool {
	for _, name := range Programs {
		info, err := os.Stat(filepath.Join(folder, name)) // follows the link
		if err != nil || !info.Mode().IsRegular() || info.Mode()&0o100 == 0 {
			return false
		}
	}
	return true
}

// writeSources copies the sources into dir. The build works on a copy, so that
// what is built is what the key was made of, even if a file of the checkout
// changes meanwhile, and so that no go.work of the checkout takes part.
func writeSources(sources fs.FS, dir string) error {
	return fs.WalkDir(sources, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(dir, filepath.FromSlash(path))
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		text, err := fs.ReadFile(sources, path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o644)
	})
}

// Built reports whether the binary is there already.
func (s Store) Built() (bool, error) {
	folder, err := s.Folder()
	if err != nil {
		return false, err
	}
	return complete(folder), nil
}

func describe(holder lockfile.Holder) string {
	if holder.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("pid %d since %s", holder.PID, holder.Since.Local().Format("15:04:05"))
}

// errInterrupted is what a build ends with when its context does.
var errInterrupted = errors.New("the build was interrupted; the packages compiled so far stay in Go's build cache, so the next build goes on from there")
