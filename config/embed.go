// SPDX-License-Identifier: Apache-2.0

// Package config holds the configuration that the operator is installed with,
// as far as programs need it: to install it where kustomize is not at hand, and
// to see whether what is installed is what was shipped.
package config

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

//go:embed default/kustomization.yaml webhook/webhooks.yaml admission-policy/*.yaml crd/bases/*.yaml starter-policy/*.yaml starter-policy/rules/*.yaml starter-policy/workflows/*.yaml
var files embed.FS

// Webhooks returns the MutatingWebhookConfiguration and the
// ValidatingWebhookConfiguration as config/default installs them: with its
// prefix and labels, and the Service in its namespace. caBundle is not set. The
// objects are the caller's own.
func Webhooks() ([]*unstructured.Unstructured, error) {
	return installed("webhook/webhooks.yaml", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
}

// AdmissionPolicies returns the ValidatingAdmissionPolicies, each followed by
// its binding, as config/default installs them: with its prefix and labels. The
// objects are the caller's own.
func AdmissionPolicies() ([]*unstructured.Unstructured, error) {
	return installed("admission-policy/*.yaml", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
}

// CustomResourceDefinitions returns the definition of each kind of this
// project, in the order of their files, as config/default installs them: under
// their own names, with its labels. The objects are the caller's own.
func CustomResourceDefinitions() ([]*unstructured.Unstructured, error) {
	return installed("crd/bases/*.yaml", kindCRD)
}

// StarterPolicy returns the RiskModel, the ApprovalWorkflows and the SmartRules
// of config/starter-policy, in the order of their files. The objects are the
// caller's own.
func StarterPolicy() ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, pattern := range []string{"starter-policy/risk_model.yaml", "starter-policy/workflows/*.yaml", "starter-policy/rules/*.yaml"} {
		paths, err := fs.Glob(files, pattern)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			found, err := objects(path)
			if err != nil {
				return nil, fmt.Errorf("config/%s: %w", path, err)
			}
			all = append(all, found...)
		}
	}
	return all, nil
}

// kindCRD is of the objects whose name kustomize leaves alone: it says what
// they define.
const kindCRD = "CustomResourceDefinition"

// overlay is what config/default does to every object.
type overlay struct {
	Namespace  string `json:"namespace"`
	NamePrefix string `json:"namePrefix"`
	Labels     []struct {
		Pairs map[string]string `json:"pairs"`
	} `json:"labels"`
}

// installed returns the objects of these kinds in the files of a pattern, in
// the order of the files, as config/default installs them.
func installed(pattern string, kinds ...string) ([]*unstructured.Unstructured, error) {
	var over overlay
	text, err := files.ReadFile("default/kustomization.yaml")
	if err != nil {
		return nil, err
	}
	if err := sigsyaml.Unmarshal(text, &over); err != nil {
		return nil, fmt.Errorf("config/default/kustomization.yaml: %w", err)
	}
	paths, err := fs.Glob(files, pattern)
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, kind := range kinds {
		wanted[kind] = true
	}
	var all []*unstructured.Unstructured
	for _, path := range paths {
		found, err := objects(path)
		if err != nil {
			return nil, fmt.Errorf("config/%s: %w", path, err)
		}
		for _, object := range found {
			if !wanted[object.GetKind()] {
				continue
			}
			if err := over.apply(object); err != nil {
				return nil, fmt.Errorf("config/%s: %s %s: %w", path, object.GetKind(), object.GetName(), err)
			}
			all = append(all, object)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("config/%s: nothing there is a %v", pattern, kinds)
	}
	return all, nil
}

// objects decodes the documents of a file.
func objects(path string) ([]*unstructured.Unstructured, error) {
	text, err := files.ReadFile(path)
	if err != nil {
		return nil, err
	}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), len(text))
	var found []*unstructured.Unstructured
	for {
		var document runtime.RawExtension
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, err
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(document.Raw); err != nil {
			return nil, err
		}
		found = append(found, object)
	}
}

// apply does to an object what kustomize would: to its name, its labels, and
// whatever refers to another object of config/default.
func (o *overlay) apply(object *unstructured.Unstructured) error {
	if object.GetKind() != kindCRD {
		object.SetName(o.NamePrefix + object.GetName())
	}
	labels := object.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	for _, set := range o.Labels {
		maps.Copy(labels, set.Pairs)
	}
	object.SetLabels(labels)

	if policy, found, err := unstructured.NestedString(object.Object, "spec", "policyName"); err != nil {
		return err
	} else if found {
		if err := unstructured.SetNestedField(object.Object, o.NamePrefix+policy, "spec", "policyName"); err != nil {
			return err
		}
	}
	webhooks, _, err := unstructured.NestedSlice(object.Object, "webhooks")
	if err != nil || len(webhooks) == 0 {
		return err
	}
	for i := range webhooks {
		if err := o.applyToWebhook(webhooks[i]); err != nil {
			return fmt.Errorf("webhooks[%d]: %w", i, err)
		}
	}
	return unstructured.SetNestedSlice(object.Object, webhooks, "webhooks")
}

// applyToWebhook names the Service as it is installed.
func (o *overlay) applyToWebhook(webhook any) error {
	fields, isObject := webhook.(map[string]any)
	if !isObject {
		return errors.New("it is no object")
	}
	service, _, err := unstructured.NestedString(fields, "clientConfig", "service", "name")
	if err != nil {
		return err
	}
	if err := unstructured.SetNestedField(fields, o.NamePrefix+service, "clientConfig", "service", "name"); err != nil {
		return err
	}
	return unstructured.SetNestedField(fields, o.Namespace, "clientConfig", "service", "namespace")
}
