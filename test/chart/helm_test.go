// SPDX-License-Identifier: Apache-2.0

// Package chart_test renders and installs the Helm chart with the Helm that
// hack/tools/helm pins, and holds it to config/: what kustomize installs, the
// chart installs.
package chart_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

const (
	root  = "../.." // the checkout, seen from this package
	chart = root + "/charts/ascend-operator"

	namespace = "ascend-system"
	image     = "registry.example.com:5000/team/ascend-operator"
	setImage  = "--set=image.repository=" + image + ",image.tag=v1"
	setPolicy = "--set=starterPolicy.enabled=true"
)

// helmProgram is Helm, built when it is first asked for. That takes minutes
// once, and nothing as long as go has it in its cache.
var helmProgram = sync.OnceValues(func() (string, error) {
	command := exec.Command("go", "tool", "-n", "helm")
	command.Dir = filepath.Join(root, "hack", "tools", "helm")
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("build Helm: %w\n%s", err, complaint.String())
	}
	return strings.TrimSpace(string(out)), nil
})

// helm runs Helm and returns its output, or as the error what it complains of.
// Nothing of the user's own Helm is read or written; home is a folder for it.
func helm(ctx context.Context, home string, arguments ...string) (string, error) {
	program, err := helmProgram()
	if err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, program, arguments...)
	command.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home,
		"HELM_NAMESPACE=", "HELM_DEBUG=", "HELM_DRIVER=")
	return output(command)
}

// template renders the chart without a cluster.
func template(ctx context.Context, home string, arguments ...string) (objects, error) {
	all := []string{"template", "ascend", chart, "--namespace", namespace, "--kube-version", "1.32.0", setImage}
	out, err := helm(ctx, home, append(all, arguments...)...)
	if err != nil {
		return nil, err
	}
	return decode(out)
}

// rendered is template, with the CRDs, where it has to succeed.
func rendered(t *testing.T, arguments ...string) objects {
	t.Helper()
	found, err := template(t.Context(), t.TempDir(), append(arguments, "--include-crds")...)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// kustomized are the objects of a kustomization with these fields. Folders of
// config/ are named as config/default.
func kustomized(t *testing.T, fields string) objects {
	t.Helper()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set, so there is no kubectl; run `make test PKG=./test/chart`")
	}
	folder := t.TempDir()
	checkout, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	if checkout, err = filepath.Rel(folder, checkout); err != nil { // kustomize takes no absolute paths
		t.Fatal(err)
	}
	text := strings.ReplaceAll(fields, "config/", filepath.ToSlash(checkout)+"/config/")
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := output(exec.CommandContext(t.Context(), filepath.Join(assets, "kubectl"), "kustomize", folder))
	if err != nil {
		t.Fatal(err)
	}
	found, err := decode(out)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func output(command *exec.Cmd) (string, error) {
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(command.Path), command.Args[1], err, complaint.String())
	}
	return string(out), nil
}

// objects are manifests by kind and name.
type objects map[string]*unstructured.Unstructured

func decode(text string) (objects, error) {
	found := objects{}
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		var document runtime.RawExtension
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, err
		}
		if len(document.Raw) == 0 || string(document.Raw) == "null" { // comments alone
			continue
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(document.Raw); err != nil { // numbers as an API server has them
			return nil, err
		}
		key := object.GetKind() + " " + object.GetName()
		if found[key] != nil {
			return nil, fmt.Errorf("%s is there twice", key)
		}
		found[key] = object
	}
}
