// SPDX-License-Identifier: Apache-2.0

// Package starterpolicy_test holds the starter policy to its promises: every
// rule compiles, does what its test cases say, and the fixed points of
// docs/scoring.md, come out exactly, at any hour of any day.
package starterpolicy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// The folders of the policy in both modes.
const (
	normalDir = "../../config/starter-policy"
	strictDir = "../../config/starter-policy-strict"
)

// set is the objects of a policy.
type set struct {
	rules     []*v1alpha1.SmartRule
	workflows []*v1alpha1.ApprovalWorkflow
	models    []*v1alpha1.RiskModel
}

type object = map[string]any

// load reads what `kubectl apply -k` of the folder would apply.
func load(t *testing.T, dir string) set {
	t.Helper()
	var all set
	for _, o := range resources(t, dir) {
		merge(o, object{"metadata": object{"generation": 1}}) // as the API server would
		switch o["kind"] {
		case "SmartRule":
			all.rules = append(all.rules, convert[v1alpha1.SmartRule](t, o))
		case "ApprovalWorkflow":
			all.workflows = append(all.workflows, convert[v1alpha1.ApprovalWorkflow](t, o))
		case "RiskModel":
			all.models = append(all.models, convert[v1alpha1.RiskModel](t, o))
		default:
			t.Fatalf("%s holds an object of kind %v, which is no policy", dir, o["kind"])
		}
	}
	return all
}

// resources does as much of kustomize as these folders use: resources, and
// patches by file.
func resources(t *testing.T, dir string) []object {
	t.Helper()
	kustomization := decode[struct {
		Resources []string `json:"resources"`
		Patches   []struct {
			Path string `json:"path"`
		} `json:"patches"`
	}](t, filepath.Join(dir, "kustomization.yaml"))[0]
	var all []object
	for _, resource := range kustomization.Resources {
		path := filepath.Join(dir, resource)
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			all = append(all, resources(t, path)...)
			continue
		}
		all = append(all, decode[object](t, path)...)
	}
	for _, p := range kustomization.Patches {
		patch := decode[object](t, filepath.Join(dir, p.Path))[0]
		found := false
		for _, o := range all {
			if o["kind"] == patch["kind"] && name(o) == name(patch) {
				merge(o, patch)
				found = true
			}
		}
		if !found {
			t.Fatalf("%s/%s patches %v %s, which is not there", dir, p.Path, patch["kind"], name(patch))
		}
	}
	return all
}

// name of an object, with its namespace.
func name(o object) string {
	metadata, _ := o["metadata"].(object)
	namespace, _ := metadata["namespace"].(string)
	n, _ := metadata["name"].(string)
	return namespace + "/" + n
}

// merge applies a JSON merge patch, which is what kustomize does to custom resources.
func merge(into, patch object) {
	for key, value := range patch {
		inner, isObject := value.(object)
		outer, wasObject := into[key].(object)
		switch {
		case value == nil:
			delete(into, key)
		case isObject && wasObject:
			merge(outer, inner)
		default:
			into[key] = value
		}
	}
}

// decode reads the documents of a YAML file; comments alone are none.
func decode[T any](t *testing.T, path string) []T {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoder := yaml.NewYAMLOrJSONDecoder(file, 4096)
	var documents []T
	for {
		var document json.RawMessage
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return documents
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if len(document) == 0 || string(document) == "null" {
			continue
		}
		var value T
		if err := json.Unmarshal(document, &value); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		documents = append(documents, value)
	}
}

// convert reads an object as a kind; a field that the kind does not have is an error.
func convert[T any](t *testing.T, o object) *T {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	out := new(T)
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(out); err != nil {
		t.Fatalf("%v %s: %v", o["kind"], name(o), err)
	}
	return out
}
