// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// header begins every file that is written.
const header = "# SPDX-License-Identifier: Apache-2.0\n# Written by `make chart` from config/. Change it there.\n"

// managedBy is a label that says kustomize in config/; the chart sets its own.
const managedBy = "app.kubernetes.io/managed-by"

// part is a file of the chart: the objects of these kinds, all when there are
// none, of a kustomization.
type part struct {
	path    string
	kinds   []string
	overlay overlay
}

// overlay is a kustomization over folders of config/. Names and namespace are
// those of config/default; what goes through it already leaves them as they are.
type overlay struct {
	resource  string
	component string
	named     bool
}

var (
	installed = overlay{resource: "default"}
	certified = overlay{resource: "default", component: "certmanager"}

	parts = []part{
		{"files/rbac.yaml", []string{"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}, installed},
		{"files/services.yaml", []string{"Service"}, installed},
		{"files/webhooks.yaml", []string{"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}, installed},
		{"files/admission-policies.yaml", []string{"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}, installed},
		{"files/cert-manager.yaml", []string{"Issuer", "Certificate"}, certified},
		{"files/network-policies.yaml", nil, overlay{resource: "network-policy", named: true}},
		{"files/service-monitor.yaml", nil, overlay{resource: "prometheus", named: true}},
		{"files/starter-policy.yaml", nil, overlay{resource: "starter-policy"}},
		{"files/starter-policy-strict.yaml", nil, overlay{resource: "starter-policy-strict"}},
	}

	// byHand are the kinds of config/default that no part has: the chart writes
	// them itself because values change them, or, the Namespace, not at all.
	// test/chart compares them with config/.
	byHand = []string{"Namespace", "Deployment", "PodDisruptionBudget"}
)

const crdKind = "CustomResourceDefinition"

// renderAll returns the files that the chart has of config/, by path.
func renderAll(ctx context.Context, kubectl, config string) (map[string][]byte, error) {
	files := map[string][]byte{}
	rendered := map[overlay][]*unstructured.Unstructured{}
	for _, p := range parts {
		objects, done := rendered[p.overlay]
		if !done {
			var err error
			if objects, err = p.overlay.render(ctx, kubectl, config); err != nil {
				return nil, err
			}
			rendered[p.overlay] = objects
		}
		if len(p.kinds) > 0 {
			objects = slices.DeleteFunc(slices.Clone(objects), func(o *unstructured.Unstructured) bool {
				return !slices.Contains(p.kinds, o.GetKind())
			})
		}
		if len(objects) == 0 {
			return nil, fmt.Errorf("%s: config/%s has no %v", p.path, p.overlay.resource, p.kinds)
		}
		text, err := marshal(objects)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.path, err)
		}
		files[p.path] = text
	}
	return files, addCRDs(files, rendered[installed])
}

// addCRDs adds a file for each CRD. It is an error when config/default has an
// object of a kind that would be missing in the chart.
func addCRDs(files map[string][]byte, objects []*unstructured.Unstructured) error {
	known := slices.Clone(byHand)
	for _, p := range parts {
		known = append(known, p.kinds...)
	}
	for _, object := range objects {
		if object.GetKind() == crdKind {
			text, err := marshal([]*unstructured.Unstructured{object})
			if err != nil {
				return err
			}
			files["crds/"+object.GetName()+".yaml"] = text
			continue
		}
		if !slices.Contains(known, object.GetKind()) {
			return fmt.Errorf("config/default has %s %s, which the chart would lack; give the kind a file in hack/chart/render.go",
				object.GetKind(), object.GetName())
		}
	}
	return nil
}

// render returns the objects of a kustomization, in its order.
func (o overlay) render(ctx context.Context, kubectl, config string) ([]*unstructured.Unstructured, error) {
	folder, err := os.MkdirTemp("", "ascend-chart-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }() // a temporary folder, of which little stays behind
	text, err := o.kustomization(config, folder)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), text, 0o600); err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, kubectl, "kustomize", folder)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s kustomize config/%s: %w\n%s", kubectl, o.resource, err, complaint.String())
	}
	return decode(out)
}

// kustomization names the folders of config/ as seen from a folder.
func (o overlay) kustomization(config, folder string) ([]byte, error) {
	absolute, err := filepath.Abs(config)
	if err != nil {
		return nil, err
	}
	relative, err := filepath.Rel(folder, absolute) // kustomize takes no absolute paths
	if err != nil {
		return nil, err
	}
	fields := map[string]any{"resources": []string{filepath.Join(relative, o.resource)}}
	if o.component != "" {
		fields["components"] = []string{filepath.Join(relative, o.component)}
	}
	if o.named {
		text, err := os.ReadFile(filepath.Join(config, "default", "kustomization.yaml"))
		if err != nil {
			return nil, err
		}
		var theirs map[string]any
		if err := sigsyaml.Unmarshal(text, &theirs); err != nil {
			return nil, fmt.Errorf("config/default/kustomization.yaml: %w", err)
		}
		for _, key := range []string{"namespace", "namePrefix", "labels"} {
			fields[key] = theirs[key]
		}
	}
	return sigsyaml.Marshal(fields)
}

func decode(text []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), len(text)+1)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
}

// marshal writes the objects as documents, separated by lines of three dashes,
// as templates/_helpers.tpl takes them apart.
func marshal(objects []*unstructured.Unstructured) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(header)
	for i, object := range objects {
		labels := object.GetLabels()
		delete(labels, managedBy)
		object.SetLabels(labels)
		text, err := sigsyaml.Marshal(object.Object)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
		if i > 0 {
			out.WriteString("---\n")
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}
