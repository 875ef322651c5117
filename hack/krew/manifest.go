// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// releases is where the archives of a release can be downloaded.
const releases = "https://github.com/ow-kai/ascend-operator/releases/download/"

//go:embed krew.yaml.tmpl
var manifestTemplate string

// plugin is what a manifest says about one of the names of the program.
type plugin struct {
	Name        string // without kubectl-
	Short       string
	Description string
}

var plugins = []plugin{
	{"ascend", "See and decide what AI agents may do", `
See what AI agents ask for and why it was decided the way it was, approve or
deny where a human has to agree, and test the rules that decide.`},
	{"approve", "Approve what AI agents ask for", `
Approve an action that waits for a human. What you approve is shown, and bound
to exactly that request: if it changes meanwhile, nothing is written.`},
	{"deny", "Deny what AI agents ask for", `
Deny an action that waits for a human, with a reason that its requester is
shown. One person who is asked is enough, and it is final.`},
}

// release is a plugin with what a version of it consists of.
type release struct {
	plugin
	Version   string
	Platforms []download
}

// download is the archive of one platform.
type download struct {
	platform
	URI, SHA256, Bin string
}

// writeManifests writes NAME.yaml for every plugin beside the archives, which
// must be there for every platform.
func writeManifests(o options) error {
	downloads := make([]download, 0, len(o.platforms))
	for _, p := range o.platforms {
		name := p.archive(o.version)
		sum, err := checksum(filepath.Join(o.dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s has no %s; run `make plugins VERSION=%s` before", o.dir, name, o.version)
		}
		if err != nil {
			return err
		}
		downloads = append(downloads, download{p, releases + o.version + "/" + name, sum, p.binary()})
	}
	for _, one := range plugins {
		text, err := manifest(release{one, o.version, downloads})
		if err == nil {
			err = checkManifest(one.Name, text)
		}
		if err != nil {
			return fmt.Errorf("the manifest of %s: %w", one.Name, err)
		}
		if err := os.WriteFile(filepath.Join(o.dir, one.Name+".yaml"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// manifest fills in the template.
func manifest(r release) ([]byte, error) {
	parsed, err := template.New("krew.yaml.tmpl").Option("missingkey=error").Funcs(template.FuncMap{
		"indent": func(text string) string { return strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ") },
	}).Parse(manifestTemplate)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, r)
	return out.Bytes(), err
}
