// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	licenseFile = "LICENSE"
	// versionVariable is where the linker puts the version.
	versionVariable = "github.com/ow-kai/ascend-operator/internal/cli.version"
)

// packed is when everything in an archive was changed: always the same, and the
// first moment that zip files know.
var packed = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// entry is a file in an archive, at its top.
type entry struct {
	name    string
	mode    os.FileMode
	content []byte
}

// packAll compiles and packs for each platform. It is run in the checkout.
func packAll(ctx context.Context, o options) error {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	for _, p := range o.platforms {
		if err := packOne(ctx, p, o, "."); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		sum, err := checksum(filepath.Join(o.dir, p.archive(o.version)))
		if err != nil {
			return err
		}
		fmt.Printf("%s  %s\n", sum, p.archive(o.version))
	}
	return nil
}

// packOne compiles the checkout for a platform and packs the program with the
// licence.
func packOne(ctx context.Context, p platform, o options, checkout string) error {
	work, err := os.MkdirTemp("", "ascend-pack-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	program := filepath.Join(work, p.binary())
	if err := compile(ctx, p, o.version, checkout, program); err != nil {
		return err
	}
	entries := []entry{{name: licenseFile, mode: 0o644}, {name: p.binary(), mode: 0o755}}
	for i, path := range []string{filepath.Join(checkout, licenseFile), program} {
		if entries[i].content, err = os.ReadFile(path); err != nil {
			return err
		}
	}
	archive, err := pack(p, entries)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(o.dir, p.archive(o.version)), archive, 0o644)
}

// compile compiles ascend so that neither the machine, nor the folder, nor the
// state of git is in the program.
func compile(ctx context.Context, p platform, version, checkout, program string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid= -X "+versionVariable+"="+version, "-o", program, "./cmd/ascend")
	cmd.Dir = checkout
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.OS, "GOARCH="+p.Arch, "GOFLAGS=", "GOAMD64=v1", "GOARM64=v8.0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compile: %w\n%s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// pack makes the archive of a platform.
func pack(p platform, entries []entry) ([]byte, error) {
	var out bytes.Buffer
	var err error
	if p.OS == "windows" {
		err = writeZip(&out, entries)
	} else {
		err = writeTar(&out, entries)
	}
	return out.Bytes(), err
}

func writeTar(out io.Writer, entries []entry) error {
	zipped, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(zipped)
	for _, e := range entries {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: e.name, Mode: int64(e.mode), Size: int64(len(e.content)),
			ModTime: packed, Format: tar.FormatUSTAR,
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(e.content); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), zipped.Close())
}

func writeZip(out io.Writer, entries []entry) error {
	archive := zip.NewWriter(out)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: packed}
		header.SetMode(e.mode)
		file, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := file.Write(e.content); err != nil {
			return err
		}
	}
	return archive.Close()
}

// checksum is the SHA-256 of a file in lower hexadecimal digits.
func checksum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
