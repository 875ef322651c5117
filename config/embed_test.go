// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/ow-kai/ascend-operator/config"
)

// render is what `kubectl kustomize` makes of a folder beside this file.
func render(t *testing.T, folder string) []*unstructured.Unstructured {
	t.Helper()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set, so there is no kubectl; run `make test PKG=./config`")
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(assets, "kubectl"), "kustomize", folder)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("kubectl kustomize config/%s: %v\n%s", folder, err, &complaint)
	}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), len(text))
	var found []*unstructured.Unstructured
	for {
		var document runtime.RawExtension
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(document.Raw); err != nil {
			t.Fatal(err)
		}
		found = append(found, object)
	}
}

// of keeps the objects whose kind begins so, by kind and name.
func of(kind string, objects []*unstructured.Unstructured) map[string]any {
	found := map[string]any{}
	for _, object := range objects {
		if strings.HasPrefix(object.GetKind(), kind) {
			found[object.GetKind()+" "+object.GetName()] = object.Object
		}
	}
	return found
}

func merged(sets ...map[string]any) map[string]any {
	all := map[string]any{}
	for _, set := range sets {
		maps.Copy(all, set)
	}
	return all
}

// What programs install and compare with is what kustomize installs.
func TestEmbeddedIsWhatIsRendered(t *testing.T) {
	webhooks, err := config.Webhooks()
	if err != nil {
		t.Fatal(err)
	}
	policies, err := config.AdmissionPolicies()
	if err != nil {
		t.Fatal(err)
	}
	definitions, err := config.CustomResourceDefinitions()
	if err != nil {
		t.Fatal(err)
	}
	if len(webhooks) != 2 || len(policies) != 10 || len(definitions) != 6 {
		t.Errorf("got %d webhook configurations, %d policies and bindings and %d CRDs, want 2, 10 and 6", len(webhooks), len(policies), len(definitions))
	}
	embedded := of("", slices.Concat(webhooks, policies, definitions))
	rendered := render(t, "default")
	shipped := merged(of("ValidatingAdmissionPolicy", rendered), of("ValidatingWebhook", rendered), of("MutatingWebhook", rendered),
		of("CustomResourceDefinition", rendered))
	if diff := cmp.Diff(shipped, embedded); diff != "" {
		t.Errorf("- kubectl kustomize config/default, + package config:\n%s", diff)
	}
	if diff := cmp.Diff(of("ValidatingAdmissionPolicy", render(t, "dev")), of("", policies)); diff != "" {
		t.Errorf("- kubectl kustomize config/dev, + package config:\n%s", diff)
	}
}

// Nothing of what is embedded is shared between callers.
func TestEmbeddedIsTheCallersOwn(t *testing.T) {
	first, err := config.Webhooks()
	if err != nil {
		t.Fatal(err)
	}
	first[0].SetName("changed")
	again, err := config.Webhooks()
	if err != nil {
		t.Fatal(err)
	}
	if again[0].GetName() == "changed" {
		t.Error("a change of the returned object is seen by the next caller")
	}
}

// webhookEntries are the entries of both configurations, by name.
func webhookEntries(t *testing.T) map[string]map[string]any {
	t.Helper()
	objects, err := config.Webhooks()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]any{}
	for _, object := range objects {
		list, _, _ := unstructured.NestedSlice(object.Object, "webhooks")
		for _, entry := range list {
			fields, isObject := entry.(map[string]any)
			name, isString := fields["name"].(string)
			if !isObject || !isString {
				t.Fatalf("%s: not a webhook with a name: %v", object.GetName(), entry)
			}
			found[name] = fields
		}
	}
	return found
}

// There is no exemption that somebody could move into, and nothing that lets
// requests through while the operator cannot be asked.
func TestWebhooksHaveNoWayAround(t *testing.T) {
	// What goes with its namespace is only recorded, by a webhook nothing waits for.
	exempt := map[string]int{
		"agentactions.governance.ascendowkai.com": 2, "gone.agentactions.governance.ascendowkai.com": 1,
		"smartrules.governance.ascendowkai.com": 1, "approvalworkflows.governance.ascendowkai.com": 1,
		"agents.governance.ascendowkai.com": 1, "webhooksubscriptions.governance.ascendowkai.com": 1,
		"riskmodels.governance.ascendowkai.com": 0, "gone.policy.governance.ascendowkai.com": 1,
	}
	entries := webhookEntries(t)
	if len(entries) != len(exempt) {
		t.Errorf("got %d webhooks, want %d", len(entries), len(exempt))
	}
	for name, entry := range entries {
		for _, selector := range []string{"namespaceSelector", "objectSelector"} {
			if _, found := entry[selector]; found {
				t.Errorf("%s has a %s: whoever may set labels could exempt an object", name, selector)
			}
		}
		wanted := map[string]any{"failurePolicy": "Fail", "matchPolicy": "Equivalent", "sideEffects": "NoneOnDryRun", "timeoutSeconds": int64(10)}
		if strings.HasPrefix(name, "gone.") {
			wanted["failurePolicy"], wanted["timeoutSeconds"] = "Ignore", int64(5)
		}
		for field, want := range wanted {
			if entry[field] != want {
				t.Errorf("%s: %s is %v, want %v", name, field, entry[field], want)
			}
		}
		conditions, _ := entry["matchConditions"].([]any)
		if want := exempt[name]; len(conditions) != want {
			t.Errorf("%s leaves out %d, want %d", name, len(conditions), want)
		}
		if !strings.HasPrefix(name, "gone.") && !asked(entry, "DELETE") {
			t.Errorf("%s does not see deletions", name)
		}
	}
}

// asked says whether each rule of a webhook covers an operation.
func asked(entry map[string]any, operation string) bool {
	rules, _, _ := unstructured.NestedSlice(entry, "rules")
	return len(rules) > 0 && !slices.ContainsFunc(rules, func(rule any) bool {
		fields, _ := rule.(map[string]any)
		operations, _, _ := unstructured.NestedStringSlice(fields, "operations")
		return !slices.Contains(operations, operation)
	})
}

// Every policy refuses, and does so when it cannot be evaluated; every
// validation has a message of its own.
func TestPoliciesDeny(t *testing.T) {
	objects, err := config.AdmissionPolicies()
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range objects {
		name := object.GetKind() + " " + object.GetName()
		if object.GetKind() == "ValidatingAdmissionPolicyBinding" {
			actions, _, _ := unstructured.NestedStringSlice(object.Object, "spec", "validationActions")
			policy, _, _ := unstructured.NestedString(object.Object, "spec", "policyName")
			_, limited, _ := unstructured.NestedMap(object.Object, "spec", "matchResources")
			if !slices.Equal(actions, []string{"Deny"}) || policy != object.GetName() || limited {
				t.Errorf("%s: it does %v with policy %s, narrowed: %v", name, actions, policy, limited)
			}
			continue
		}
		failure, _, _ := unstructured.NestedString(object.Object, "spec", "failurePolicy")
		if failure != "Fail" {
			t.Errorf("%s: failurePolicy is %q, want Fail", name, failure)
		}
		if _, conditional, _ := unstructured.NestedSlice(object.Object, "spec", "matchConditions"); conditional {
			t.Errorf("%s has matchConditions; who is exempt shall stand in the validation", name)
		}
		validations, _, _ := unstructured.NestedSlice(object.Object, "spec", "validations")
		for i, validation := range validations {
			if message, _ := validation.(map[string]any)["message"].(string); message == "" {
				t.Errorf("%s: validation %d has no message", name, i)
			}
		}
	}
}
