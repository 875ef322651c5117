// SPDX-License-Identifier: Apache-2.0

// Package admissionpolicy_test asks a real API server what it holds alone: the
// CRDs and the policies of config/admission-policy, with no operator and no
// webhook. Seals are made up here, for no policy can check one.
package admissionpolicy_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/test/envtest"
)

// root is the checkout, seen from this package.
const root = "../.."

var (
	config *rest.Config
	scheme = runtime.NewScheme()
	// admin may do everything, and is held to the policies all the same.
	admin client.Client
)

func TestAdmissionPolicy(t *testing.T) {
	t.Parallel()
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(time.Minute)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Admission policies")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	ctrl.SetLogger(zap.New(zap.UseDevMode(true), zap.WriteTo(GinkgoWriter)))
	var stop func()
	config, stop = envtest.Start(GinkgoT())
	DeferCleanup(stop)
	config.QPS = -1
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	var err error
	admin, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())

	installRoles(ctx)
	envtest.InstallAdmissionPolicies(GinkgoT(), config)
	for _, namespace := range []string{teamNamespace, otherNamespace} {
		Expect(admin.Create(ctx, object("v1", "Namespace", "", namespace))).To(Succeed())
	}
	grantEverything(ctx)
})

// installRoles installs namespace and RBAC as `make dev` does, but for the
// bindings of people: those are what docs/access-control.md tells how to make.
func installRoles(ctx context.Context) {
	GinkgoHelper()
	for _, o := range documents(kubectl(ctx, "", "kustomize", filepath.Join(root, "config", "dev"))) {
		kind := o.GetKind()
		if kind == "Namespace" || kind == "ServiceAccount" || kind == "Role" || kind == "ClusterRole" ||
			strings.HasSuffix(kind, "Binding") && strings.Contains(o.GetName(), "manager-rolebinding") {
			Expect(admin.Create(ctx, o)).To(Succeed(), "%s %s", kind, o.GetName())
		}
	}
}

// documents decodes YAML.
func documents(text string) []*unstructured.Unstructured {
	GinkgoHelper()
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(text)), len(text))
	var found []*unstructured.Unstructured
	for {
		var document runtime.RawExtension
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return found
		}
		Expect(err).NotTo(HaveOccurred())
		o := &unstructured.Unstructured{}
		Expect(o.UnmarshalJSON(document.Raw)).To(Succeed())
		found = append(found, o)
	}
}

// kubectl runs the kubectl of the assets with a kubeconfig, where one is given,
// and returns what it printed.
func kubectl(ctx context.Context, kubeconfig string, args ...string) string {
	GinkgoHelper()
	cmd := exec.CommandContext(ctx, filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(pair string) bool { return strings.HasPrefix(pair, "KUBECONFIG=") })
	cmd.Env = append(cmd.Env, "KUBECONFIG="+kubeconfig)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	Expect(err).NotTo(HaveOccurred(), "kubectl %s: %s", strings.Join(args, " "), &complaint)
	return string(out)
}

// kubectlApply applies an object by kubectl.
func kubectlApply(ctx context.Context, kubeconfig string, o *unstructured.Unstructured, flags ...string) {
	GinkgoHelper()
	text, err := o.MarshalJSON()
	Expect(err).NotTo(HaveOccurred())
	path := filepath.Join(GinkgoT().TempDir(), "object.json")
	Expect(os.WriteFile(path, text, 0o600)).To(Succeed())
	kubectl(ctx, kubeconfig, append([]string{"apply", "-f", path}, flags...)...)
}
