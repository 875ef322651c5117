// SPDX-License-Identifier: Apache-2.0

package manifest_test

import (
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/manifest"
)

// A kustomization is what kubectl would apply, at the places where it is
// written.
func TestKustomizationWithPatch(t *testing.T) {
	set, _ := load(t, manifest.Options{}, "../../config/starter-policy-strict")
	medium := set.Find(manifest.Key{Kind: manifest.KindApprovalWorkflow, Namespace: v1alpha1.GlobalNamespace, Name: "risk-medium"})
	if medium == nil {
		t.Fatal("no risk-medium")
	}
	workflow, ok := medium.Object.(*v1alpha1.ApprovalWorkflow)
	if !ok || workflow.Spec.AutoApprove || len(workflow.Spec.Stages) != 1 {
		t.Errorf("the patch has no effect: %+v", workflow)
	}
	if workflow.Labels["app.kubernetes.io/part-of"] != "ascend-starter-policy" || len(workflow.Annotations) != 0 {
		t.Errorf("labels %v, annotations %v", workflow.Labels, workflow.Annotations)
	}
	if at := medium.At("spec.selector"); !strings.HasSuffix(at.File, "config/starter-policy/workflows/by_risk.yaml") || at.Line < 20 || at.Column != 3 {
		t.Errorf("spec.selector is at %s", at)
	}
}

const kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"

func TestKustomizations(t *testing.T) {
	rules := rule("one", ", colour: red") + "---\n" + rule("two", "")
	for _, c := range []struct {
		title string
		files map[string]string
		want  []string
		names string
	}{
		{
			"prefix, and a problem in the original",
			map[string]string{"kustomization.yaml": kustomization + "namePrefix: a-\nnamespace: team\nresources: [r.yaml]\n", "r.yaml": rules},
			[]string{"r.yaml:1:112: spec.colour: there is no such field"},
			"SmartRule team/a-one, SmartRule team/a-two",
		},
		{
			"flow style, with metadata of its own",
			map[string]string{"Kustomization": `{"resources": ["r.yaml"], "buildMetadata": ["transformerAnnotations"]}`, "r.yaml": rule("one", "")},
			nil, "SmartRule default/one",
		},
		{
			"broken YAML in a resource", map[string]string{"kustomization.yml": kustomization + "resources: [r.yaml]\n", "r.yaml": "a: b: c\n"},
			[]string{"r.yaml:1:5: it is no YAML"}, "",
		},
		{
			"a missing resource", map[string]string{"kustomization.yaml": kustomization + "resources: [r.yaml]\n"},
			[]string{"kustomization.yaml: kustomize cannot build it: "}, "",
		},
		{
			"the network", map[string]string{
				"kustomization.yaml":      kustomization + "resources:\n- base\ntransformers:\n- |\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: p}\n  path: https://example.com/p.yaml\n",
				"base/kustomization.yaml": kustomization + "resources:\n- github.com/example/policy\n",
			},
			[]string{"base/kustomization.yaml:4:3: \"github.com/example/policy\" is loaded from the network", "kustomization.yaml:6:3: \"https://example.com/p.yaml\" is loaded from the network"}, "",
		},
		{
			"tests beside it", map[string]string{
				"kustomization.yaml": kustomization + "resources: [r.yaml]\n", "r.yaml": rule("one", ""),
				"tests/t.yaml": "kind: RuleTest\n", "other.yaml": rule("two", ""),
			},
			nil, "SmartRule default/one",
		},
	} {
		t.Run(c.title, func(t *testing.T) {
			top := folder(t, c.files)
			set, problems := load(t, manifest.Options{}, top)
			expect(t, problems, c.want...)
			if got := names(set); got != c.names {
				t.Errorf("got %q, want %q", got, c.names)
			}
			if _, has := c.files["tests/t.yaml"]; has && len(set.Tests) != 1 {
				t.Errorf("got %d tests, want 1", len(set.Tests))
			}
		})
	}
}
