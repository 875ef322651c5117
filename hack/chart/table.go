// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	sigsyaml "sigs.k8s.io/yaml"
)

// Between these lines of the chart's README.md is the table of values.
const (
	tableBegins = "<!-- values: written by make chart -->\n"
	tableEnds   = "<!-- end of values -->\n"
)

// schema is what the table takes of values.schema.json.
type schema struct {
	Description string            `json:"description"`
	Properties  map[string]schema `json:"properties"`
}

// withTable returns the chart's README.md with the table of its values:
// descriptions out of values.schema.json, defaults out of values.yaml. It is an
// error when the two do not have the same fields, or one has no description.
func withTable(chart string) ([]byte, error) {
	var described schema
	var defaults map[string]any
	readme, err := os.ReadFile(filepath.Join(chart, "README.md"))
	if err == nil {
		err = read(filepath.Join(chart, "values.schema.json"), &described)
	}
	if err == nil {
		err = read(filepath.Join(chart, "values.yaml"), &defaults)
	}
	if err != nil {
		return nil, err
	}
	rows, err := table("", described.Properties, defaults)
	if err != nil {
		return nil, err
	}
	before, rest, begins := strings.Cut(string(readme), tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		return nil, fmt.Errorf("README.md has no place for the table: the lines %q and %q", tableBegins, tableEnds)
	}
	return []byte(before + tableBegins + "| Value | Default | What |\n|---|---|---|\n" + rows + tableEnds + after), nil
}

func read(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := sigsyaml.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// notListed belongs to Helm: it is what parent charts share with all others.
const notListed = "global"

// table returns a row for each value, sorted by name. A schema with properties
// is a group of values.
func table(prefix string, described map[string]schema, defaults map[string]any) (string, error) {
	var rows strings.Builder
	var wrong []error
	for name := range defaults {
		if _, known := described[name]; !known {
			wrong = append(wrong, fmt.Errorf("values.schema.json does not know %s%s of values.yaml", prefix, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(described)) {
		value, there := defaults[name]
		switch entry := described[name]; {
		case prefix+name == notListed:
		case !there:
			wrong = append(wrong, fmt.Errorf("values.yaml does not have %s%s of values.schema.json", prefix, name))
		case len(entry.Properties) > 0:
			group, isGroup := value.(map[string]any)
			if !isGroup {
				wrong = append(wrong, fmt.Errorf("values.yaml: %s%s has to be an object", prefix, name))
				continue
			}
			inner, err := table(prefix+name+".", entry.Properties, group)
			wrong = append(wrong, err)
			rows.WriteString(inner)
		case entry.Description == "":
			wrong = append(wrong, fmt.Errorf("values.schema.json does not describe %s%s", prefix, name))
		default:
			text, err := shown(value)
			wrong = append(wrong, err)
			fmt.Fprintf(&rows, "| `%s%s` | %s | %s |\n", prefix, name, text, entry.Description)
		}
	}
	return rows.String(), errors.Join(wrong...)
}

// longest is how long a default may be in the table, in bytes of JSON.
const longest = 40

func shown(value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	switch shown := string(text); {
	case shown == `""` || shown == "{}" || shown == "[]":
		return "none", nil
	case len(shown) > longest:
		return "see values.yaml", nil
	default:
		return "`" + strings.Trim(shown, `"`) + "`", nil
	}
}
