// SPDX-License-Identifier: Apache-2.0

package docs_test

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/risk"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// documents are the YAML documents of the page's blocks, by line.
func (p *page) documents() map[int]string {
	found := map[int]string{}
	for i := 0; i < len(p.lines); i++ {
		if strings.TrimSpace(p.lines[i]) != "```yaml" {
			continue
		}
		start := i + 1
		for i = start; strings.TrimSpace(p.lines[i]) != "```"; i++ {
			if p.lines[i] == "---" {
				found[start+1] = strings.Join(p.lines[start:i], "\n")
				start = i + 1
			}
		}
		found[start+1] = strings.Join(p.lines[start:i], "\n")
	}
	return found
}

// decode reads an object of this API strictly; nil for one of another.
func decode(text string) (any, error) {
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := yaml.Unmarshal([]byte(text), &head); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(head.APIVersion, v1alpha1.GroupVersion.Group+"/") {
		return nil, nil
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	object, err := scheme.New(v1alpha1.GroupVersion.WithKind(head.Kind))
	if err != nil || head.APIVersion != v1alpha1.GroupVersion.String() {
		return nil, fmt.Errorf("there is no kind %s in %s: %w", head.Kind, head.APIVersion, err)
	}
	return object, yaml.UnmarshalStrict([]byte(text), object)
}

func TestExamplesAreValid(t *testing.T) {
	compiler, err := rules.NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, p := range pages(t) {
		for line, text := range p.documents() {
			object, err := decode(text)
			if err == nil && object != nil {
				found[fmt.Sprintf("%T", object)]++
				err = compile(compiler, object)
			}
			if err != nil {
				t.Errorf("%s:%d: %v\n%s", p.path, line, err, text)
			}
		}
	}
	for _, kind := range []any{
		&v1alpha1.AgentAction{}, &v1alpha1.SmartRule{}, &v1alpha1.ApprovalWorkflow{}, &v1alpha1.RiskModel{},
	} {
		if found[fmt.Sprintf("%T", kind)] == 0 {
			t.Errorf("the pages have no example of %T; are they read at all?", kind)
		}
	}
	if n := found["*v1alpha1.SmartRule"]; n < 12 {
		t.Errorf("the pages have %d rules, want at least 12", n)
	}
}

// compile compiles what can be compiled.
func compile(compiler *rules.Compiler, object any) error {
	switch o := object.(type) {
	case *v1alpha1.SmartRule:
		return compiler.Compile(o).Err()
	case *v1alpha1.ApprovalWorkflow:
		return approval.Compile(o).Err()
	case *v1alpha1.RiskModel:
		_, err := risk.Compile(&o.Spec)
		return err
	default:
		return nil
	}
}
