// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
)

// platform is what a program is compiled for, in Go's words, which are krew's.
type platform struct{ OS, Arch string }

// platforms are those of a release.
var platforms = []platform{
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"linux", "amd64"}, {"linux", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

func (p platform) String() string { return p.OS + "/" + p.Arch }

// binary is the name of the program in the archive.
func (p platform) binary() string {
	if p.OS == "windows" {
		return "ascend.exe"
	}
	return "ascend"
}

// archive is the name of the archive of a version: a zip file for Windows,
// where nothing else can be unpacked by everybody.
func (p platform) archive(version string) string {
	extension := ".tar.gz"
	if p.OS == "windows" {
		extension = ".zip"
	}
	return fmt.Sprintf("ascend_%s_%s_%s%s", version, p.OS, p.Arch, extension)
}

func platformNames() []string {
	names := make([]string, len(platforms))
	for i, p := range platforms {
		names[i] = p.String()
	}
	return names
}

// platformsOf reads names such as linux/amd64, between commas.
func platformsOf(names string) ([]platform, error) {
	var chosen []platform
	for name := range strings.SplitSeq(names, ",") {
		i := slices.Index(platformNames(), name)
		if i < 0 {
			return nil, fmt.Errorf("--platforms: there is no release for %q; there is for %s", name, strings.Join(platformNames(), ", "))
		}
		chosen = append(chosen, platforms[i])
	}
	return chosen, nil
}
