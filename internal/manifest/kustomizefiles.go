// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// tracingFiles are the files on disk as kustomize shall see them: bounded in
// size, noted when they are read, and with the kustomization at the top asking
// for the origin of each object.
type tracingFiles struct {
	filesys.FileSystem
	top       string // absolute, without links
	read      map[string]bool
	annotated bool // we asked for the origins, the author did not
}

// ReadFile implements filesys.FileSystem.
func (f *tracingFiles) ReadFile(path string) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // kustomize restricts what it reads
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := readAll(file)
	if err != nil {
		return nil, &os.PathError{Op: "read", Path: path, Err: err}
	}
	f.read[path] = true
	if filepath.Dir(path) == f.top && isKustomization(filepath.Base(path)) {
		text, f.annotated = withOrigins(text)
	}
	return text, nil
}

// withOrigins adds the wish for origins to a kustomization, which stays as it
// is where it has it, or is not understood.
func withOrigins(text []byte) (changed []byte, added bool) {
	const field = "buildMetadata"
	var root yaml.Node
	if yaml.Unmarshal(text, &root) != nil || len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return text, false
	}
	top := root.Content[0]
	for i := 0; i+1 < len(top.Content); i += 2 {
		if top.Content[i].Value != field {
			continue
		}
		wishes := top.Content[i+1]
		if slices.ContainsFunc(wishes.Content, func(n *yaml.Node) bool { return n.Value == types.OriginAnnotations }) {
			return text, false
		}
		wishes.Content = append(wishes.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: types.OriginAnnotations})
		return encoded(&root, text)
	}
	if top.Style&yaml.FlowStyle == 0 && !bytes.Contains(text, []byte("\n...")) {
		return append(bytes.TrimRight(text, " \t\r\n"), "\n"+field+": ["+types.OriginAnnotations+"]\n"...), true
	}
	top.Content = append(top.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: field},
		&yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: types.OriginAnnotations}}})
	return encoded(&root, text)
}

func encoded(root *yaml.Node, otherwise []byte) ([]byte, bool) {
	text, err := yaml.Marshal(root)
	if err != nil {
		return otherwise, false
	}
	return text, true
}

// loading are the fields of kustomizations, and of what they configure, whose
// values kustomize loads from where they say.
var loading = map[string]bool{
	"resources": true, "bases": true, "components": true, "crds": true, "configurations": true,
	"generators": true, "transformers": true, "validators": true, "patchesStrategicMerge": true,
	"path": true, "paths": true, "files": true, "env": true, "envs": true,
}

// remotes are what a kustomization, or one that it builds on, would load from
// the network. What is offline stays offline, also when a stranger wrote it.
func remotes(folder string, visited map[string]bool) []Problem {
	if absolute, err := filepath.Abs(folder); err != nil || visited[absolute] {
		return nil
	} else {
		visited[absolute] = true
	}
	var problems []Problem
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		problems = append(problems, remotesIn(filepath.Join(folder, name), visited)...)
	}
	return problems
}

// remotesIn looks through one file, and what it loads.
func remotesIn(file string, visited map[string]bool) []Problem {
	from, err := os.Open(file) //nolint:gosec // kustomize will read it
	if err != nil {
		return nil // kustomize will tell
	}
	defer from.Close()
	text, err := readAll(from)
	if err != nil {
		return nil
	}
	var problems []Problem
	chunks, _ := split(file, text)
	for _, c := range chunks {
		d, _ := parse(file, c.text, c.line)
		if d == nil || d.Node == nil {
			continue
		}
		eachLoaded(d.Node, false, 0, func(node *yaml.Node) {
			next := filepath.Join(filepath.Dir(file), node.Value)
			info, err := os.Stat(next)
			switch {
			case isRemote(node.Value):
				problems = append(problems, Problem{
					Position: Position{File: file, Line: node.Line, Column: node.Column},
					Message:  quote(node.Value) + " is loaded from the network, which is not done here; build it with kubectl kustomize and give the result to this command by -",
				})
			case err == nil && info.IsDir():
				problems = append(problems, remotes(next, visited)...)
			case err == nil && isManifest(node.Value) && !visited[next]:
				visited[next] = true
				problems = append(problems, remotesIn(next, visited)...)
			}
		})
	}
	return problems
}

// eachLoaded calls back with the texts that are loaded.
func eachLoaded(node *yaml.Node, loaded bool, depth int, found func(*yaml.Node)) {
	const deepest = 32
	if node = target(node); node == nil || depth > deepest {
		return
	}
	switch node.Kind {
	case yaml.DocumentNode, yaml.AliasNode: // neither is a target
	case yaml.ScalarNode:
		var inline yaml.Node
		switch {
		case !loaded:
		case !strings.Contains(node.Value, "\n"):
			found(node)
		case yaml.Unmarshal([]byte(node.Value), &inline) == nil && len(inline.Content) == 1:
			// What a generator or a transformer is configured by may stand in place.
			eachLoaded(inline.Content[0], false, depth+1, func(inner *yaml.Node) {
				inner.Line, inner.Column = node.Line, node.Column
				found(inner)
			})
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			eachLoaded(node.Content[i+1], loading[node.Content[i].Value], depth+1, found)
		}
	case yaml.SequenceNode:
		for _, item := range node.Content {
			eachLoaded(item, loaded, depth+1, found)
		}
	}
}

// userAtHost begins the address of a Git repository.
var userAtHost = regexp.MustCompile(`^[a-z][a-z0-9-]*@`)

// isRemote says whether kustomize would take a text for an address rather than
// for a path.
func isRemote(text string) bool {
	text = strings.ToLower(text)
	if _, path, named := strings.Cut(text, "="); named && isRemote(path) { // files: [name=path]
		return true
	}
	text = strings.TrimPrefix(text, "git::")
	for _, prefix := range []string{"http:", "https:", "github.com/", "github.com:"} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return strings.Contains(text, "://") || userAtHost.MatchString(text)
}
