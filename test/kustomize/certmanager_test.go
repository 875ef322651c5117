// SPDX-License-Identifier: Apache-2.0

// Package kustomize_test renders config/ the ways that users do, and looks at
// what comes out.
package kustomize_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/ow-kai/ascend-operator/internal/certs"
)

// rendered are objects by kind and name.
type rendered map[string]*unstructured.Unstructured

// render makes a kustomization of config/default and components beside it.
func render(t *testing.T, components ...string) rendered {
	t.Helper()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set, so there is no kubectl; run `make test PKG=./test/kustomize`")
	}
	folder := t.TempDir()
	config, err := filepath.Abs("../../config")
	if err != nil {
		t.Fatal(err)
	}
	if config, err = filepath.Rel(folder, config); err != nil { // kustomize takes no absolute paths
		t.Fatal(err)
	}
	for i := range components {
		components[i] = filepath.Join(config, components[i])
	}
	text := "resources: [" + filepath.Join(config, "default") + "]\ncomponents: [" + strings.Join(components, ", ") + "]\n"
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), filepath.Join(assets, "kubectl"), "kustomize", folder)
	var complaint strings.Builder
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		t.Fatalf("kubectl kustomize: %v\n%s", err, complaint.String())
	}
	objects := rendered{}
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(string(out)), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); errors.Is(err, io.EOF) {
			return objects
		} else if err != nil {
			t.Fatal(err)
		}
		objects[object.GetKind()+" "+object.GetName()] = object
	}
}

// into converts an object that must be there.
func (r rendered) into(t *testing.T, name string, typed any) {
	t.Helper()
	object := r[name]
	if object == nil {
		t.Fatalf("there is no %s", name)
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, typed); err != nil {
		t.Fatal(err)
	}
}

const (
	certificateFlag = "--webhook-cert-dir="
	certificateName = "ascend-webhook-server-cert"
)

func TestTheOperatorServesItsWebhooks(t *testing.T) {
	t.Parallel()
	objects := render(t)
	var deployment appsv1.Deployment
	objects.into(t, "Deployment ascend-controller-manager", &deployment)
	var service corev1.Service
	objects.into(t, "Service ascend-webhook-service", &service)
	pod := deployment.Spec.Template
	for key, value := range service.Spec.Selector {
		if pod.Labels[key] != value {
			t.Errorf("the Service selects %s=%s, the Pods have %q", key, value, pod.Labels[key])
		}
	}
	port := service.Spec.Ports[0]
	if !slices.ContainsFunc(pod.Spec.Containers[0].Ports, func(p corev1.ContainerPort) bool {
		return p.Name == port.TargetPort.StrVal && p.ContainerPort == 9443
	}) || port.Port != 443 {
		t.Errorf("port 443 of the Service does not lead to port 9443 of the Pod: %v", port)
	}
	if slices.ContainsFunc(pod.Spec.Containers[0].Args, func(arg string) bool { return strings.HasPrefix(arg, certificateFlag) }) {
		t.Error("without cert-manager the operator makes the certificate itself")
	}
	var mutating admissionregistrationv1.MutatingWebhookConfiguration
	objects.into(t, "MutatingWebhookConfiguration "+certs.MutatingConfiguration, &mutating)
	var validating admissionregistrationv1.ValidatingWebhookConfiguration
	objects.into(t, "ValidatingWebhookConfiguration "+certs.ValidatingConfiguration, &validating)
	var calls []admissionregistrationv1.WebhookClientConfig
	for i := range mutating.Webhooks {
		calls = append(calls, mutating.Webhooks[i].ClientConfig)
	}
	for i := range validating.Webhooks {
		calls = append(calls, validating.Webhooks[i].ClientConfig)
	}
	for _, call := range calls {
		if call.Service == nil || call.Service.Name != service.Name || call.Service.Namespace != service.Namespace || call.CABundle != nil {
			t.Errorf("a webhook calls %+v, want Service %s/%s and no caBundle", call, service.Namespace, service.Name)
		}
	}
}

func TestWithCertManagerItMakesTheCertificate(t *testing.T) {
	t.Parallel()
	objects := render(t, "certmanager")
	plain := render(t)
	for name := range plain {
		if objects[name] == nil {
			t.Errorf("%s is gone", name)
		}
	}
	for _, name := range []string{
		"MutatingWebhookConfiguration " + certs.MutatingConfiguration, "ValidatingWebhookConfiguration " + certs.ValidatingConfiguration,
	} {
		if got, want := objects[name].GetAnnotations()["cert-manager.io/inject-ca-from"], "ascend-system/"+certificateName; got != want {
			t.Errorf("%s takes its CA from %q, want %q", name, got, want)
		}
	}
	certificate := objects["Certificate "+certificateName]
	if certificate == nil {
		t.Fatal("there is no Certificate")
	}
	secretName, _, _ := unstructured.NestedString(certificate.Object, "spec", "secretName")
	issuer, _, _ := unstructured.NestedString(certificate.Object, "spec", "issuerRef", "name")
	hosts, _, _ := unstructured.NestedStringSlice(certificate.Object, "spec", "dnsNames")
	if certificate.GetNamespace() != "ascend-system" || secretName != certs.SecretName || objects["Issuer "+issuer] == nil ||
		!slices.Contains(hosts, "ascend-webhook-service.ascend-system.svc") {
		t.Errorf("Certificate: %v", certificate.Object)
	}
	var deployment appsv1.Deployment
	objects.into(t, "Deployment ascend-controller-manager", &deployment)
	pod := deployment.Spec.Template.Spec
	mount := pod.Containers[0].VolumeMounts[0]
	if args := pod.Containers[0].Args; args[len(args)-1] != certificateFlag+mount.MountPath {
		t.Errorf("the operator looks elsewhere than in %s: %v", mount.MountPath, args)
	}
	if volume := pod.Volumes[0]; volume.Name != mount.Name || volume.Secret.SecretName != secretName {
		t.Errorf("the volume is %+v, mounted as %+v", volume, mount)
	}
}

// Beside cert-manager too, in either order: one component must not undo the other.
func TestTheOperatorKnowsItsCallers(t *testing.T) {
	t.Parallel()
	for _, components := range [][]string{{"webhook-client-ca"}, {"webhook-client-ca", "certmanager"}, {"certmanager", "webhook-client-ca"}} {
		var deployment appsv1.Deployment
		render(t, slices.Clone(components)...).into(t, "Deployment ascend-controller-manager", &deployment)
		pod := deployment.Spec.Template.Spec
		var flags []string
		for _, arg := range pod.Containers[0].Args {
			if strings.HasPrefix(arg, certificateFlag) || strings.HasPrefix(arg, "--webhook-client-ca-file=") {
				flags = append(flags, arg)
			}
		}
		if len(flags) != len(components) || len(pod.Volumes) != len(components) || len(pod.Containers[0].VolumeMounts) != len(components) {
			t.Errorf("%v: flags %v, %d volumes", components, flags, len(pod.Volumes))
		}
		at := slices.IndexFunc(pod.Containers[0].VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == "webhook-client-ca" })
		from := slices.IndexFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == "webhook-client-ca" })
		if at < 0 || from < 0 || !slices.Contains(flags, "--webhook-client-ca-file="+pod.Containers[0].VolumeMounts[at].MountPath+"/ca.crt") ||
			pod.Volumes[from].ConfigMap.Name != "ascend-webhook-client-ca" {
			t.Errorf("%v: the operator looks elsewhere: %v", components, flags)
		}
	}
}
