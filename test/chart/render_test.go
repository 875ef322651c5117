// SPDX-License-Identifier: Apache-2.0

package chart_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/config"
)

// releaseLabels differ between the two ways to install, with no other meaning.
var releaseLabels = []string{
	"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/version",
	"app.kubernetes.io/managed-by", "helm.sh/chart",
}

// plain is an object without the marks of either way to install it.
func plain(object *unstructured.Unstructured) map[string]any {
	object = object.DeepCopy()
	labels := object.GetLabels()
	maps.DeleteFunc(labels, func(key, _ string) bool { return slices.Contains(releaseLabels, key) })
	if len(labels) == 0 {
		labels = nil
	}
	object.SetLabels(labels)
	if object.GetKind() == "Deployment" { // the image is the one thing that has to be set
		containers, _, _ := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "containers")
		for _, container := range containers {
			if fields, isObject := container.(map[string]any); isObject {
				delete(fields, "image")
				delete(fields, "imagePullPolicy")
			}
		}
		_ = unstructured.SetNestedSlice(object.Object, containers, "spec", "template", "spec", "containers")
	}
	return object.Object
}

// same compares what the chart renders with what kustomize does.
func same(t *testing.T, chart, kustomize objects) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(kustomize)) {
		if chart[key] == nil {
			t.Errorf("the chart lacks %s", key)
		} else if diff := cmp.Diff(plain(kustomize[key]), plain(chart[key])); diff != "" {
			if chart[key].GetKind() == "CustomResourceDefinition" {
				diff = "" // of a thousand lines, for one
			}
			t.Errorf("%s is not as in config/; run make chart, or adapt the template (-config +chart):\n%s", key, diff)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(chart)) {
		if kustomize[key] == nil {
			t.Errorf("only the chart has %s", key)
		}
	}
}

const namespaceKey = "Namespace ascend-system"

func TestTheChartInstallsWhatConfigDoes(t *testing.T) {
	t.Parallel()
	const named = "\nnamespace: ascend-system\nnamePrefix: ascend-\n"
	for name, test := range map[string]struct {
		values        []string
		kustomization string
		further       string // kustomizations of their own
	}{
		"by default": {nil, "resources: [config/default]", ""},
		"with cert-manager": {
			[]string{"--set=certManager.enabled=true"},
			"resources: [config/default]\ncomponents: [config/certmanager]", "",
		},
		"for the API server alone": {
			[]string{"--set=webhook.clientCA.configMapName=ascend-webhook-client-ca"},
			"resources: [config/default]\ncomponents: [config/webhook-client-ca]", "",
		},
		"with the starter policy": {[]string{setPolicy}, "resources: [config/default, config/starter-policy]", ""},
		"with the strict starter policy": {
			[]string{setPolicy, "--set=starterPolicy.strict=true"},
			"resources: [config/default, config/starter-policy-strict]", "",
		},
		"with network policies and monitoring": {
			[]string{"--set=networkPolicy.enabled=true,metrics.serviceMonitor.enabled=true"},
			"resources: [config/default]", "resources: [config/network-policy, config/prometheus]" + named,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := kustomized(t, test.kustomization)
			if test.further != "" {
				maps.Copy(want, kustomized(t, test.further))
			}
			delete(want, namespaceKey) // Helm makes it: --create-namespace
			same(t, rendered(t, test.values...), want)
		})
	}
}

// TestAdmissionIsAsTheOperatorExpects compares with what the operator itself
// holds the cluster to: it raises the alarm about anything less.
func TestAdmissionIsAsTheOperatorExpects(t *testing.T) {
	t.Parallel()
	found := rendered(t)
	webhooks, err := config.Webhooks()
	if err != nil {
		t.Fatal(err)
	}
	policies, err := config.AdmissionPolicies()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range append(webhooks, policies...) {
		key := want.GetKind() + " " + want.GetName()
		if found[key] == nil {
			t.Errorf("the chart lacks %s", key)
		} else if diff := cmp.Diff(plain(want), plain(found[key])); diff != "" {
			t.Errorf("%s (-operator +chart):\n%s", key, diff)
		}
	}
}

func deployment(t *testing.T, found objects) *appsv1.Deployment {
	t.Helper()
	object := found["Deployment ascend-controller-manager"]
	if object == nil {
		t.Fatal("there is no Deployment")
	}
	var typed appsv1.Deployment
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &typed, true); err != nil {
		t.Fatal(err)
	}
	return &typed
}

func TestEverySwitchReachesTheDeployment(t *testing.T) {
	t.Parallel()
	found := rendered(t, "--values", "testdata/everything.yaml")
	pod := deployment(t, found).Spec.Template
	container := pod.Spec.Containers[0]
	for what, check := range map[string]struct{ got, want any }{
		"args": {container.Args, []string{
			"--health-probe-bind-address=:8081", "--metrics-bind-address=0", "--webhook-bind-address=:9443",
			"--audit-log=/var/log/ascend/audit.log", "--approval-url=https://ascend.example.com/{namespace}/{name}?from=kubectl",
			"--webhook-cert-dir=/etc/ascend/webhook-certificate", "--webhook-client-ca-file=/etc/ascend/webhook-client-ca/ca.crt",
			"--webhook-client-name=kube-apiserver", "--notification-allowed-networks=10.20.0.0/16,fd00::/8", "--workers=32", "--zap-log-level=debug",
		}},
		"image":       {container.Image, image + "@sha256:" + strings.Repeat("0123456789abcdef", 4)},
		"pull policy": {container.ImagePullPolicy, corev1.PullAlways},
		"pull secret": {pod.Spec.ImagePullSecrets, []corev1.LocalObjectReference{{Name: "registry"}}},
		"environment": {container.Env[1], corev1.EnvVar{Name: "HTTPS_PROXY", Value: "http://proxy.example.com"}},
		"mounts": {container.VolumeMounts, []corev1.VolumeMount{
			{Name: "webhook-certificate", MountPath: "/etc/ascend/webhook-certificate", ReadOnly: true},
			{Name: "webhook-client-ca", MountPath: "/etc/ascend/webhook-client-ca", ReadOnly: true},
			{Name: "audit", MountPath: "/var/log/ascend"},
		}},
		"authority": {pod.Spec.Volumes[1].Secret, &corev1.SecretVolumeSource{
			SecretName: "callers", Items: []corev1.KeyToPath{{Key: "authority.pem", Path: "ca.crt"}},
		}},
		"volume":     {pod.Spec.Volumes[2].PersistentVolumeClaim.ClaimName, "audit"},
		"memory":     {container.Resources.Limits.Memory().String(), "1Gi"},
		"user":       {*pod.Spec.SecurityContext.RunAsUser, int64(1000)},
		"root":       {*pod.Spec.SecurityContext.RunAsNonRoot, true},
		"node":       {pod.Spec.NodeSelector["pool"], "system"},
		"toleration": {pod.Spec.Tolerations[0].Key, "dedicated"},
		"affinity":   {pod.Spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution[0].Weight, int32(10)},
		"spread":     {pod.Spec.TopologySpreadConstraints[0].TopologyKey, "topology.kubernetes.io/zone"},
		"spread of":  {pod.Spec.TopologySpreadConstraints[0].LabelSelector.MatchLabels["control-plane"], "controller-manager"},
		"spread, as given": {
			pod.Spec.TopologySpreadConstraints[1].LabelSelector.MatchLabels, map[string]string{"pool": "mine"},
		},
		"priority":   {pod.Spec.PriorityClassName, "system-cluster-critical"},
		"grace":      {*pod.Spec.TerminationGracePeriodSeconds, int64(60)},
		"annotation": {pod.Annotations["sidecar.istio.io/inject"], "false"},
		"label":      {pod.Labels["team"], "platform"},
		"its label":  {pod.Labels["control-plane"], "controller-manager"},
		"secrets of subscriptions": {found["Role ascend-notification-secrets"].Object["rules"], []any{map[string]any{
			"apiGroups": []any{""}, "resources": []any{"secrets"}, "resourceNames": []any{"hook", "url"}, "verbs": []any{"get"},
		}}},
		"who reads them": {found["RoleBinding ascend-notification-secrets"].Object["subjects"], []any{map[string]any{
			"kind": "ServiceAccount", "name": "ascend-controller-manager", "namespace": namespace,
		}}},
		"role": {
			found["ServiceAccount ascend-controller-manager"].GetAnnotations()["eks.amazonaws.com/role-arn"], "arn:aws:iam::1:role/x",
		},
	} {
		if diff := cmp.Diff(check.want, check.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	for _, gone := range []string{"Service ascend-controller-manager-metrics-service", "PodDisruptionBudget ascend-controller-manager"} {
		if found[gone] != nil {
			t.Errorf("%s is installed though it is switched off", gone)
		}
	}
}

func TestTheChartPassesLint(t *testing.T) {
	t.Parallel()
	out, err := helm(t.Context(), t.TempDir(), "lint", chart, "--strict", "--namespace", namespace, "--kube-version", "1.32.0", setImage)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out, "[ERROR]") || strings.Contains(out, "[WARNING]") {
		t.Error(out)
	}
}
