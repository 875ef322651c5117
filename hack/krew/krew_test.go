// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const testVersion = "v0.0.0-test.1"

// A release is packed, its manifests are written, and krew's way to install it
// is gone for this machine's platform: the sum is compared, the archive unpacked,
// files moved, bin linked under the plugin's name, and the plugin run.
func TestAReleaseCanBeInstalled(t *testing.T) {
	here := platform{runtime.GOOS, runtime.GOARCH}
	if !slices.Contains(platforms, here) {
		t.Fatalf("no release is made for %s; the test needs a machine of one that is: %s", here, platformNames())
	}
	o := options{version: testVersion, dir: t.TempDir(), platforms: platforms}
	for _, p := range platforms {
		if p != here { // what is in them is not looked at
			file := filepath.Join(o.dir, p.archive(o.version))
			if err := os.WriteFile(file, []byte(p.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := packOne(t.Context(), here, o, "../.."); err != nil {
		t.Fatal(err)
	}
	if err := writeManifests(o); err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for _, one := range plugins {
		install(t, o, one.Name, here, bin)
	}
	for _, line := range []struct{ command, want string }{
		{"kubectl-ascend version", "ascend " + testVersion},
		{"kubectl-approve --help", "kubectl approve NAME"},
		{"kubectl-deny --help", "kubectl deny NAME"},
	} {
		words := strings.Fields(line.command)
		out, err := exec.CommandContext(t.Context(), filepath.Join(bin, words[0]), words[1:]...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), line.want) {
			t.Errorf("%s: %v\n%s\nwant %q in it", line.command, err, out, line.want)
		}
	}
}

// install does what krew does with NAME.yaml.
func install(t *testing.T, o options, name string, here platform, bin string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(o.dir, name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var p krewPlugin
	if err := yaml.UnmarshalStrict(text, &p); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(p.Spec.Platforms, func(one krewPlatform) bool {
		return one.Selector.MatchLabels["os"] == here.OS && one.Selector.MatchLabels["arch"] == here.Arch
	})
	if i < 0 {
		t.Fatalf("%s.yaml has nothing for %s", name, here)
	}
	chosen := p.Spec.Platforms[i]
	if want := releases + testVersion + "/"; !strings.HasPrefix(chosen.URI, want) {
		t.Errorf("%s: the archive is at %s, want it below %s", name, chosen.URI, want)
	}
	archive := filepath.Join(o.dir, path.Base(chosen.URI))
	if sum, err := checksum(archive); err != nil || sum != chosen.SHA256 {
		t.Fatalf("%s: the sum of %s is %s, the manifest says %s (%v)", name, archive, sum, chosen.SHA256, err)
	}
	content, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, installed := t.TempDir(), t.TempDir()
	for _, e := range unpack(t, content) {
		if err := os.WriteFile(filepath.Join(unpacked, e.name), e.content, e.mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range chosen.Files {
		found, err := filepath.Glob(filepath.Join(unpacked, file.From))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: nothing in the archive is called %s (%v)", name, file.From, err)
		}
		for _, each := range found {
			if err := os.Rename(each, filepath.Join(installed, file.To, filepath.Base(each))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(installed, licenseFile)); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	link := filepath.Join(bin, "kubectl-"+name)
	if here.OS == "windows" {
		link += ".exe"
	}
	if err := os.Symlink(filepath.Join(installed, chosen.Bin), link); err != nil {
		t.Fatal(err)
	}
}

// unpack reads an archive of the kind that its first bytes say, as krew does.
func unpack(t *testing.T, content []byte) []entry {
	t.Helper()
	switch kind := http.DetectContentType(content); kind {
	case "application/zip":
		return unzip(t, content)
	case "application/x-gzip":
		return untar(t, content)
	default:
		t.Fatalf("krew cannot unpack %s", kind)
		return nil
	}
}

func untar(t *testing.T, content []byte) []entry {
	t.Helper()
	zipped, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	var found []entry
	archive := tar.NewReader(zipped)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil || header.Typeflag != tar.TypeReg || !header.ModTime.Equal(packed) || header.Uid != 0 {
			t.Fatalf("%+v: %v", header, err)
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, entry{header.Name, header.FileInfo().Mode(), data})
	}
}

func unzip(t *testing.T, content []byte) []entry {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var found []entry
	for _, file := range archive.File {
		if !file.Modified.Equal(packed) {
			t.Errorf("%s is of %s", file.Name, file.Modified)
		}
		opened, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(opened)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, entry{file.Name, file.Mode(), data})
	}
	return found
}

// Both kinds of archive give back what was put in, and have the same bytes each time.
func TestPackIsReproducible(t *testing.T) {
	for _, p := range []platform{{"linux", "arm64"}, {"windows", "amd64"}} {
		entries := []entry{{licenseFile, 0o644, []byte("do what you like")}, {p.binary(), 0o755, bytes.Repeat([]byte{1, 2, 3}, 100_000)}}
		first, err := pack(p, entries)
		if err != nil {
			t.Fatal(err)
		}
		second, err := pack(p, entries)
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("%s: packed twice it differs (%v)", p, err)
		}
		got := unpack(t, first)
		if !slices.EqualFunc(got, entries, func(a, b entry) bool {
			return a.name == b.name && a.mode == b.mode && bytes.Equal(a.content, b.content)
		}) {
			t.Errorf("%s: unpacked it is not what was packed: %d files", p, len(got))
		}
	}
}

func TestManifestsNeedEveryArchive(t *testing.T) {
	err := writeManifests(options{version: testVersion, dir: t.TempDir(), platforms: platforms})
	if err == nil || !strings.Contains(err.Error(), "run `make plugins VERSION="+testVersion+"`") {
		t.Errorf("got %v", err)
	}
}

func TestUsage(t *testing.T) {
	for want, args := range map[string]string{
		"a command is missing":           "",
		`there is no command "sell"`:     "sell --version v1.2.3",
		"semantic version":               "pack",
		`--version is "1.2.3"`:           "pack --version 1.2.3",
		`--version is "v1.2"`:            "pack --version v1.2",
		`no release for "plan9/amd64"`:   "pack --version v1.2.3 --platforms linux/amd64,plan9/amd64",
		"flag provided but not defined":  "pack --nothing",
		"run `make plugins VERSION=v1.2": "manifests --version v1.2.3 --dir /nowhere",
	} {
		t.Run(want, func(t *testing.T) {
			if err := run(t.Context(), strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}
