// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

// good is a manifest for every platform.
func good(t *testing.T) string {
	t.Helper()
	r := release{plugin: plugins[1], Version: "v1.2.3"}
	for _, p := range platforms {
		r.Platforms = append(r.Platforms, download{p, releases + "v1.2.3/" + p.archive("v1.2.3"), strings.Repeat("0a", 32), p.binary()})
	}
	text, err := manifest(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheTemplateKeepsTheRules(t *testing.T) {
	if err := checkManifest("approve", []byte(good(t))); err != nil {
		t.Error(err)
	}
}

// Each rule is held: the manifest with one thing changed is refused for it.
func TestRules(t *testing.T) {
	begin, end := strings.Index(good(t), "description: |"), strings.Index(good(t), "  caveats: |")
	description := good(t)[begin:end]
	for want, change := range map[string][2]string{
		"apiVersion is":                     {"v1alpha2", "v1beta1"},
		"kind is":                           {"kind: Plugin", "kind: Addon"},
		"metadata.name is":                  {"name: approve", "name: deny"},
		"not a semantic version":            {"version: v1.2.3", "version: 1.2.3"},
		"spec.homepage":                     {"homepage: https:", "homepage: http:"},
		"spec.shortDescription is missing":  {"shortDescription: Approve what AI agents ask for", "shortDescription: ''"},
		"spec.shortDescription is longer":   {"what AI agents ask for", "whatever it may be that AI agents may ask for"},
		"ends with a dot":                   {"what AI agents ask for", "what AI agents ask for."},
		"that it is a plugin":               {"what AI agents ask for", "with this plugin"},
		"spec.description is missing":       {description, "description: ''\n"},
		"spec.description has a line":       {"It needs Ascend Operator in the cluster", "It needs Ascend Operator in the cluster to work at all, as one would think"},
		"spec.caveats has a line":           {"in a folder of PATH", "in a folder of PATH, which is a list of folders that is searched for programs"},
		"uri \"http:":                       {"uri: https:", "uri: http:"},
		"neither a .tar.gz nor a .zip":      {".zip", ".rar"},
		"is not 64 digits":                  {"sha256: 0a", "sha256: 0A"},
		"bin is missing":                    {"bin: ascend.exe", "bin: ''"},
		"which is bin, does not get there":  {"from: ascend.exe", "from: other.exe"},
		"LICENSE does not get":              {"from: LICENSE", "from: README"},
		"are both needed":                   {"from: LICENSE", "from: ''"},
		"not a clean path":                  {"to: .", "to: ./x"},
		"krew does not know \"distribution": {"os: linux", "distribution: debian"},
		"linux/amd64 is selected by 0":      {"os: linux", "os: plan9"},
		"darwin/arm64 is selected by 2":     {"os: linux", "os: darwin"},
		"selector is empty":                 {"        os: linux\n        arch: amd64", "        {}"},
		"selector is missing":               {"- selector:\n      matchLabels:\n        os: linux\n        arch: amd64\n    uri", "- uri"},
		"unknown field":                     {"  homepage:", "  home: x\n  homepage:"},
	} {
		t.Run(want, func(t *testing.T) {
			text := strings.ReplaceAll(good(t), change[0], change[1])
			if text == good(t) {
				t.Fatalf("there is no %q to change", change[0])
			}
			if err := checkManifest("approve", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v", err)
			}
		})
	}
	if err := checkManifest("Approve!", []byte(strings.ReplaceAll(good(t), "name: approve", "name: Approve!"))); err == nil {
		t.Error("a name of any letters is taken")
	}
}
