// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// originAnnotation is where kustomize writes the file that an object comes
// from, when it is told to.
const originAnnotation = "config.kubernetes.io/origin"

// kustomizing keeps kustomize to one folder at a time: its schemas are global.
var kustomizing sync.Mutex

func isKustomization(name string) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), name)
}

// kustomization builds a folder as kubectl apply -k does, and takes what comes
// out of it, at the positions in the files that went in.
func (l *loader) kustomization(folder string) error {
	if !l.first(filepath.Join(folder, konfig.DefaultKustomizationFileName())) {
		return nil
	}
	if remote := remotes(folder, map[string]bool{}); len(remote) > 0 {
		for _, p := range remote {
			l.order(p.File)
		}
		l.problems = append(l.problems, remote...)
		return nil
	}
	built := &build{loader: l, folder: folder, sources: map[string][]*Document{}}
	resources, err := built.run()
	if err != nil {
		built.explain(err)
		return nil
	}
	for _, r := range resources {
		built.take(r)
	}
	return l.tests(folder)
}

// build is one run of kustomize.
type build struct {
	loader  *loader
	folder  string
	files   *tracingFiles
	sources map[string][]*Document // by the name that is shown
}

func (b *build) run() ([]*resource.Resource, error) {
	top, err := filepath.Abs(b.folder)
	if err == nil {
		top, err = filepath.EvalSymlinks(top)
	}
	if err != nil {
		return nil, err
	}
	b.files = &tracingFiles{FileSystem: filesys.MakeFsOnDisk(), top: top, read: map[string]bool{}}
	kustomizing.Lock()
	defer kustomizing.Unlock()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(b.files, b.folder)
	if err != nil {
		return nil, err
	}
	return built.Resources(), nil
}

// explain notes why kustomize failed: by what is wrong in the files that it
// read, else in its own words.
func (b *build) explain(err error) {
	before := len(b.loader.problems)
	for _, path := range slices.Sorted(maps.Keys(b.files.read)) {
		if isManifest(filepath.Base(path)) {
			b.source(b.shown(path))
		}
	}
	if len(b.loader.problems) == before {
		b.loader.problem(Position{File: b.kustomization()}, "kustomize cannot build it: "+err.Error())
	}
}

// shown is the name under which a file that kustomize read is shown: as seen
// from the folder that was named.
func (b *build) shown(path string) string {
	if relative, err := filepath.Rel(b.files.top, path); err == nil {
		return filepath.Join(b.folder, relative)
	}
	return path
}

// kustomization is the file at the top.
func (b *build) kustomization() string {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if path := filepath.Join(b.folder, name); fileExists(path) {
			return path
		}
	}
	return b.folder
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// source returns the documents of a file that kustomize read.
func (b *build) source(name string) []*Document {
	if found, known := b.sources[name]; known {
		return found
	}
	b.sources[name] = nil
	b.loader.first(name)
	file, err := os.Open(name) //nolint:gosec // kustomize has read it under its own restrictions
	if err != nil {
		return nil
	}
	defer file.Close()
	if text, err := readAll(file); err == nil {
		b.sources[name] = b.loader.parse(name, text)
	}
	return b.sources[name]
}

// take takes an object that was built.
func (b *build) take(r *resource.Resource) {
	d := &Document{Position: Position{File: b.kustomization()}}
	if origin, err := r.GetOrigin(); err == nil && origin != nil && origin.Path != "" {
		d.Position = Position{File: filepath.Join(b.folder, origin.Path)}
		if written := original(b.source(d.File), r); written != nil {
			d.Position, d.Node, d.broken = written.Position, written.Node, written.broken
		}
	} else if origin != nil && origin.ConfiguredIn != "" {
		d.Position = Position{File: filepath.Join(b.folder, origin.ConfiguredIn)}
	}
	text, err := b.json(r)
	if err != nil {
		b.loader.problem(d.Position, fmt.Sprintf("what kustomize made of %s %s cannot be read: %v", r.GetKind(), r.GetName(), err))
		return
	}
	d.JSON = text
	b.loader.document(d, false)
}

// json is the object without the annotation that only we asked for.
func (b *build) json(r *resource.Resource) ([]byte, error) {
	if b.files.annotated {
		annotations := r.GetAnnotations()
		delete(annotations, originAnnotation)
		if err := r.SetAnnotations(annotations); err != nil {
			return nil, err
		}
	}
	return r.MarshalJSON()
}

// original returns the document that an object was made of: of its kind, and of
// its name or of the longest name within it, for kustomize may have put a
// prefix and a suffix to it.
func original(written []*Document, r *resource.Resource) *Document {
	var best *Document
	longest := -1
	for _, d := range written {
		value, err := d.value()
		if err != nil || value["kind"] != r.GetKind() {
			continue
		}
		meta, _ := value["metadata"].(map[string]any)
		name, _ := meta["name"].(string)
		switch {
		case name == r.GetName():
			return d
		case strings.Contains(r.GetName(), name) && len(name) > longest:
			best, longest = d, len(name)
		}
	}
	return best
}
