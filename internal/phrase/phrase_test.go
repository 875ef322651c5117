// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

var update = flag.Bool("update", false, "write the golden files")

var compiler = sync.OnceValue(func() *rules.Compiler {
	c, err := rules.NewCompiler()
	if err != nil {
		panic(err)
	}
	return c
})

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s has changed; run go test -update and look at the difference. Got:\n%s", file, got)
	}
}

// documents are the objects in the YAML files that a pattern finds.
func documents[T any](t *testing.T, pattern string) []*T {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no files (%v)", pattern, err)
	}
	var out []*T
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
		for {
			document, err := reader.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			object := new(T)
			if err := yaml.UnmarshalStrict(document, object); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			out = append(out, object)
		}
	}
	return out
}

func starterWorkflows(t *testing.T) []*v1alpha1.ApprovalWorkflow {
	t.Helper()
	return documents[v1alpha1.ApprovalWorkflow](t, "../../config/starter-policy/workflows/*.yaml")
}

// lookup finds the starter policy's workflows.
func lookup(t *testing.T) func(namespace, name string) *v1alpha1.ApprovalWorkflow {
	t.Helper()
	all := starterWorkflows(t)
	return func(namespace, name string) *v1alpha1.ApprovalWorkflow {
		for _, w := range all {
			if w.Namespace == namespace && w.Name == name {
				return w
			}
		}
		return nil
	}
}

func TestStarterRules(t *testing.T) {
	find := lookup(t)
	all := documents[v1alpha1.SmartRule](t, "../../config/starter-policy/rules/*.yaml")
	if len(all) != 24 {
		t.Errorf("found %d rules", len(all))
	}
	var out strings.Builder
	for _, rule := range all {
		compiled := compiler().Compile(rule)
		if compiled.Err() != nil {
			t.Fatal(compiled.Err())
		}
		out.WriteString(Rule(rule, compiled, find).String() + "\n")
	}
	golden(t, "starter-rules.txt", out.String())
}

func TestStarterWorkflows(t *testing.T) {
	var out strings.Builder
	for _, w := range starterWorkflows(t) {
		out.WriteString(Workflow(w).String() + "\n")
	}
	golden(t, "starter-workflows.txt", out.String())
}
