// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"

	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// maxInput is as much as is read of a file that describes an action, in bytes.
// The operator takes 64 KiB of parameters and as much of context.
const maxInput = 1 << 20

// members are the members of a JSON object.
type members map[string]json.RawMessage

// readInput reads a file, or stdin for "-".
func readInput(in io.Reader, path string) ([]byte, error) {
	if path != "-" {
		file, err := os.Open(path) //nolint:gosec // G304: the user names the file
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %s", terminal.Safe(path), terminal.Safe(err.Error()))
		}
		defer file.Close()
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read %s: %s", inputName(path), terminal.Safe(err.Error()))
	case len(data) > maxInput:
		return nil, fmt.Errorf("%s is larger than 1 MiB, which is no action", inputName(path))
	}
	return data, nil
}

func inputName(path string) string {
	if path == "-" {
		return "stdin"
	}
	return terminal.Safe(path)
}

// readMembers reads a file that has one JSON object, or its like in YAML.
func readMembers(in io.Reader, path string) (members, error) {
	data, err := readInput(in, path)
	if err != nil {
		return nil, err
	}
	data, err = toJSON(data)
	if err != nil {
		return nil, fmt.Errorf("%s is neither JSON nor YAML: %s", inputName(path), terminal.Safe(err.Error()))
	}
	object := members{}
	strict, err := kjson.UnmarshalStrict(data, &object)
	switch {
	case err != nil || object == nil:
		return nil, fmt.Errorf("%s has to be an object, such as {\"table\": \"customers\"}", inputName(path))
	case len(strict) > 0:
		return nil, fmt.Errorf("%s: %s", inputName(path), terminal.Safe(errors.Join(strict...).Error()))
	}
	return object, nil
}

// toJSON leaves JSON as it is, number for number, and translates YAML, in which
// nothing may be given twice.
func toJSON(data []byte) ([]byte, error) {
	if json.Valid(data) {
		return data, nil
	}
	data, err := yaml.YAMLToJSONStrict(data)
	if err != nil { // without the names of what reads it, and on one line
		text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "yaml: "), "unmarshal errors:")
		return nil, errors.New(strings.Join(strings.Fields(text), " "))
	}
	return data, nil
}

// parseMember reads key=text or key:=JSON.
func parseMember(text string) (string, json.RawMessage, error) {
	key, value, found := strings.Cut(text, "=")
	raw := strings.HasSuffix(key, ":")
	key = strings.TrimSuffix(key, ":")
	switch {
	case !found || key == "":
		return "", nil, fmt.Errorf("%q is not key=text or key:=JSON, such as table=customers or affected_rows:=150", terminal.Safe(text))
	case !raw:
		data, err := json.Marshal(value)
		return key, data, err
	case !json.Valid([]byte(value)):
		return "", nil, fmt.Errorf("the value of %s is not JSON: %s; if it is meant as text, write %[1]s=TEXT", terminal.Safe(key), terminal.Safe(value))
	default:
		return key, json.RawMessage(value), nil
	}
}

// collect makes one object out of a file, where there is one, and of what the
// flags give, which goes before it.
func collect(in io.Reader, flag, path string, given []string) (members, error) {
	object := members{}
	if path != "" {
		read, err := readMembers(in, path)
		if err != nil {
			return nil, err
		}
		maps.Copy(object, read)
	}
	seen := map[string]bool{}
	for _, text := range given {
		key, value, err := parseMember(text)
		switch {
		case err != nil:
			return nil, fmt.Errorf("--%s: %w", flag, err)
		case seen[key]:
			return nil, fmt.Errorf("--%s: %s is given twice", flag, terminal.Safe(key))
		}
		seen[key], object[key] = true, value
	}
	return object, nil
}
