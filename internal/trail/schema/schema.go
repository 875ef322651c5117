// SPDX-License-Identifier: Apache-2.0

// Package schema has the JSON Schema of audit records, and its reference as text.
package schema

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Text is the JSON Schema, draft 2020-12, of one line of the audit trail.
//
//go:embed audit-record.schema.json
var Text []byte

// ordered is an object with its keys in the order of the text.
type ordered struct {
	keys   []string
	values map[string]*node
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *ordered) UnmarshalJSON(text []byte) error {
	if err := json.Unmarshal(text, &o.values); err != nil {
		return err
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	if _, err := decoder.Token(); err != nil { // the brace
		return err
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return err
		}
		o.keys = append(o.keys, fmt.Sprint(key))
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
	}
	return nil
}

// node is what the reference says of a schema.
type node struct {
	Description string   `json:"description"`
	Type        string   `json:"type"`
	Ref         string   `json:"$ref"`
	Const       any      `json:"const"`
	Enum        []string `json:"enum"`
	Format      string   `json:"format"`
	Required    []string `json:"required"`
	Properties  ordered  `json:"properties"`
	Items       *node    `json:"items"`
	Defs        ordered  `json:"$defs"`
}

// kind is the type of a field in words.
func (n *node) kind() string {
	switch {
	case n.Ref != "":
		name := strings.TrimPrefix(n.Ref, "#/$defs/")
		return fmt.Sprintf("[%s](#%s)", name, strings.ToLower(name))
	case n.Items != nil:
		return "list of " + n.Items.kind()
	case n.Format == "date-time":
		return "time"
	case n.Const != nil:
		return fmt.Sprintf("`%v`", n.Const)
	case n.Type == "":
		return "any"
	case n.Type == "object" && len(n.Properties.keys) == 0:
		return "object of strings"
	default:
		return n.Type
	}
}

// Markdown is the reference of the fields, made of the schema.
func Markdown() (string, error) {
	var root node
	if err := json.Unmarshal(Text, &root); err != nil {
		return "", fmt.Errorf("read the schema: %w", err)
	}
	var out strings.Builder
	out.WriteString("# Audit records, field by field\n\n" + root.Description + " " +
		"`ascend audit schema` prints the [JSON Schema](audit-record.schema.json) that this page is made of. " +
		"Fields in **bold** are in every record.\n\n")
	root.table(&out)
	for _, name := range root.Defs.keys {
		def := root.Defs.values[name]
		fmt.Fprintf(&out, "\n## %s\n\n%s\n\n", name, def.Description)
		def.table(&out)
	}
	return out.String(), nil
}

func (n *node) table(out *strings.Builder) {
	out.WriteString("| Field | Type | |\n|---|---|---|\n")
	for _, name := range n.Properties.keys {
		field := n.Properties.values[name]
		shown := "`" + name + "`"
		if slices.Contains(n.Required, name) {
			shown = "**" + shown + "**"
		}
		text := field.Description
		if len(field.Enum) > 0 {
			var words []string
			for _, word := range field.Enum {
				if word != "" {
					words = append(words, "`"+word+"`")
				}
			}
			text += " One of " + strings.Join(words, ", ") + "."
		}
		fmt.Fprintf(out, "| %s | %s | %s |\n", shown, field.kind(), text)
	}
}
