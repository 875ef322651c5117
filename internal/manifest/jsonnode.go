// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sort"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// jsonDocuments reads the objects of a JSON file. Where it fails, offset is
// where the object that cannot be read begins.
func jsonDocuments(file string, text []byte) (found []*Document, offset int, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	lines := lineStarts(text)
	for {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); errors.Is(err, io.EOF) {
			return found, 0, nil
		} else if err != nil {
			return found, offset, err
		}
		offset = int(decoder.InputOffset())
		b := nodeBuilder{text: text[:offset], end: offset - len(raw), lines: lines, tokens: json.NewDecoder(bytes.NewReader(raw))}
		b.base = b.end
		b.tokens.UseNumber()
		node, err := b.node()
		if err != nil {
			return found, offset, err
		}
		document := &Document{Position: Position{File: file, Line: node.Line, Column: node.Column}, Node: node, JSON: raw}
		found = append(found, document)
	}
}

// lineStarts are the offsets at which lines begin.
func lineStarts(text []byte) []int {
	starts := []int{0}
	for i, b := range text {
		if b == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// nodeBuilder makes nodes of JSON that is known to be valid.
type nodeBuilder struct {
	text   []byte
	base   int // where tokens begins in text
	end    int // of the token before
	lines  []int
	tokens *json.Decoder
}

// place is where the next token begins.
func (b *nodeBuilder) place() (line, column int) {
	at := b.end
	for at < len(b.text) && bytes.IndexByte([]byte(" \t\r\n,:"), b.text[at]) >= 0 {
		at++
	}
	line = sort.SearchInts(b.lines, at+1)
	return line, utf8.RuneCount(b.text[b.lines[line-1]:at]) + 1
}

func (b *nodeBuilder) node() (*yaml.Node, error) {
	node := &yaml.Node{}
	node.Line, node.Column = b.place()
	token, err := b.tokens.Token()
	if err != nil {
		return nil, err
	}
	b.end = b.base + int(b.tokens.InputOffset())
	switch token := token.(type) {
	case json.Delim:
		node.Kind, node.Tag, node.Style = yaml.SequenceNode, "!!seq", yaml.FlowStyle
		if token == '{' {
			node.Kind, node.Tag = yaml.MappingNode, "!!map"
		}
		return node, b.children(node)
	case string:
		node.Kind, node.Tag, node.Value, node.Style = yaml.ScalarNode, "!!str", token, yaml.DoubleQuotedStyle
	case json.Number:
		node.Kind, node.Tag, node.Value = yaml.ScalarNode, "!!float", token.String()
		if _, err := token.Int64(); err == nil {
			node.Tag = "!!int"
		}
	case bool:
		node.Kind, node.Tag, node.Value = yaml.ScalarNode, "!!bool", strconv.FormatBool(token)
	default:
		node.Kind, node.Tag, node.Value = yaml.ScalarNode, "!!null", "null"
	}
	return node, nil
}

// children reads up to and with the closing bracket. Keys are values like others.
func (b *nodeBuilder) children(node *yaml.Node) error {
	for b.tokens.More() {
		child, err := b.node()
		if err != nil {
			return err
		}
		node.Content = append(node.Content, child)
	}
	_, err := b.tokens.Token()
	b.end = b.base + int(b.tokens.InputOffset())
	return err
}
