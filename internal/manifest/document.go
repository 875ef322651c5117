// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	kjson "sigs.k8s.io/json"
	sigsyaml "sigs.k8s.io/yaml"
)

// Document is one document of a file, or an item of a list in it.
type Document struct {
	// Position is where its first key is.
	Position
	// Node is what is written, with the lines and columns of the file. It is nil
	// where only the values could be read.
	Node *yaml.Node
	// JSON is the document as kubectl would send it: read by YAML 1.1, aliases
	// resolved. In a kustomization, it is what was built.
	JSON []byte
	// broken is whether the text has problems of its own, such as keys that are
	// set twice.
	broken bool
}

// At is where the field is written: its key, of a list's item the item. Where
// it is not written, its nearest ancestor that is.
func (d *Document) At(path string) Position {
	if d.Node == nil {
		return d.Position
	}
	node := find(d.Node, path)
	return Position{File: d.File, Line: node.Line, Column: node.Column}
}

// Problem is a problem of a field of the document.
func (d *Document) Problem(path, format string, args ...any) Problem {
	return Problem{Position: d.At(path), Path: path, Message: fmt.Sprintf(format, args...)}
}

// Decode reads the document into a Go value with json tags. Fields that it does
// not have and values of other types are problems.
func (d *Document) Decode(into any) []Problem {
	strict, err := kjson.UnmarshalStrict(d.JSON, into)
	if err != nil {
		return []Problem{d.undecodable(err)}
	}
	var problems []Problem
	for _, err := range strict {
		path := ""
		if wrong, named := errors.AsType[kjson.FieldError](err); named {
			path = wrong.FieldPath()
		}
		problems = append(problems, d.Problem(path, "%s", unknownField(path, knownFields(into, path))))
	}
	return problems
}

// value decodes the document as the API server does.
func (d *Document) value() (map[string]any, error) {
	var value map[string]any
	err := utiljson.Unmarshal(d.JSON, &value)
	return value, err
}

// parse reads one document of YAML that begins at this line of the file. It
// returns nil for one that is empty.
func parse(file string, text []byte, line int) (*Document, []Problem) {
	document := &Document{Position: Position{File: file, Line: line, Column: 1}}
	var root yaml.Node
	if yaml.Unmarshal(text, &root) == nil && len(root.Content) == 1 {
		if problem := grown(root.Content[0]); problem != "" {
			return nil, []Problem{{Position: document.Position, Message: problem}}
		}
		document.Node = root.Content[0]
		moveDown(document.Node, line-1)
		document.Line, document.Column = document.Node.Line, document.Node.Column
	}
	var err error
	if document.JSON, err = sigsyaml.YAMLToJSON(text); err != nil {
		return nil, []Problem{syntaxProblem(file, text, line, err)}
	}
	if string(document.JSON) == "null" {
		return nil, nil
	}
	if document.Node == nil {
		return document, nil
	}
	problems := document.check()
	return document, problems
}

// check finds what is wrong with the text alone.
func (d *Document) check() []Problem {
	problems := duplicateKeys(d)
	d.broken = len(problems) > 0
	if len(problems) > maxProblems {
		left := Problem{Position: d.Position, Message: fmt.Sprintf("%d more keys that are set twice are not shown", len(problems)-maxProblems)}
		problems = append(problems[:maxProblems], left)
	}
	return problems
}

// moveDown adds lines to the position of every node.
func moveDown(node *yaml.Node, lines int) {
	node.Line += lines
	for _, child := range node.Content {
		moveDown(child, lines)
	}
}
