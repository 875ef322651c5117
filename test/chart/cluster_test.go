// SPDX-License-Identifier: Apache-2.0

package chart_test

import (
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/test/envtest"
)

// caBundle stands for what the operator writes into its webhooks.
const caBundle = "b2YgdGhlIG9wZXJhdG9y"

var (
	admin      client.Client
	home       string // of Helm
	kubeconfig string
)

func TestCluster(t *testing.T) {
	t.Parallel()
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(time.Minute)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	RunSpecs(t, "Helm chart on an API server")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	ctrl.SetLogger(zap.New(zap.UseDevMode(true), zap.WriteTo(GinkgoWriter)))
	config, stop := envtest.Start(GinkgoT())
	DeferCleanup(stop)
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme, apiextensionsv1.AddToScheme} {
		Expect(add(scheme)).To(Succeed())
	}
	var err error
	admin, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	home = GinkgoT().TempDir()
	kubeconfig = writeKubeconfig(config)
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	Expect(admin.Create(ctx, space)).To(Succeed())
})

func writeKubeconfig(config *rest.Config) string {
	GinkgoHelper()
	file := clientcmdapi.NewConfig()
	file.Clusters["test"] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	file.AuthInfos["admin"] = &clientcmdapi.AuthInfo{ClientCertificateData: config.CertData, ClientKeyData: config.KeyData}
	file.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "admin"}
	file.CurrentContext = "test"
	path := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(clientcmd.WriteToFile(*file, path)).To(Succeed())
	return path
}

func removeCRDs(ctx context.Context) {
	GinkgoHelper()
	Expect(admin.DeleteAllOf(ctx, &apiextensionsv1.CustomResourceDefinition{})).To(Succeed())
	Eventually(func() ([]apiextensionsv1.CustomResourceDefinition, error) {
		var left apiextensionsv1.CustomResourceDefinitionList
		err := admin.List(ctx, &left)
		return left.Items, err
	}).Should(BeEmpty())
}

// release runs a command of Helm on the release.
func release(ctx context.Context, arguments ...string) (string, error) {
	return helm(ctx, home, append(arguments, "--namespace", namespace, "--kubeconfig", kubeconfig)...)
}

// exists says whether there is an object as described by kind and name.
func exists(ctx context.Context, object *unstructured.Unstructured) (bool, error) {
	there := &unstructured.Unstructured{}
	there.SetGroupVersionKind(object.GroupVersionKind())
	err := admin.Get(ctx, client.ObjectKeyFromObject(object), there)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return false, nil
	}
	return err == nil, err
}

var _ = Describe("A release", Ordered, func() {
	var installed objects

	// First, while no webhooks are installed: they would be asked in a dry run too,
	// by the address of a Service, and no operator serves them here.
	DescribeTable("has only manifests that the API server takes", func(ctx SpecContext, arguments ...string) {
		found, err := template(ctx, home, arguments...)
		Expect(err).NotTo(HaveOccurred())
		taken := 0
		for _, key := range slices.Sorted(maps.Keys(found)) {
			object := found[key]
			if strings.HasPrefix(object.GetAPIVersion(), "cert-manager.io/") || strings.HasPrefix(object.GetAPIVersion(), "monitoring.coreos.com/") {
				continue // kinds of others, which are not here
			}
			Expect(admin.Apply(ctx, client.ApplyConfigurationFromUnstructured(object),
				client.DryRunAll, client.ForceOwnership, client.FieldOwner("chart-test"))).To(Succeed(), key)
			taken++
		}
		Expect(taken).To(BeNumerically(">", 35))
	},
		Entry("by default"),
		Entry("with all that can be switched on", "--values", "testdata/everything.yaml",
			"--set=metrics.enabled=true,metrics.serviceMonitor.enabled=true,podDisruptionBudget.enabled=true"),
	)
	It("is refused with the starter policy, which nobody could check yet", func(ctx SpecContext) {
		removeCRDs(ctx) // the chart brings its own
		_, err := release(ctx, "install", "ascend", chart, "--create-namespace", setImage, setPolicy)
		Expect(err).To(MatchError(And(
			ContainSubstring("starterPolicy.enabled cannot be true on the first install"),
			ContainSubstring("helm upgrade ascend CHART -n ascend-system --reuse-values --set starterPolicy.enabled=true"))))
	})

	It("is installed by one command, with CRDs", func(ctx SpecContext) {
		_, err := release(ctx, "install", "ascend", chart, "--create-namespace", setImage)
		Expect(err).NotTo(HaveOccurred())
		installed, err = template(ctx, home, "--include-crds")
		Expect(err).NotTo(HaveOccurred())
		for key, object := range installed {
			Expect(exists(ctx, object)).To(BeTrue(), key)
		}
	})

	It("says what to do next", func(ctx SpecContext) {
		notes, err := release(ctx, "get", "notes", "ascend")
		Expect(err).NotTo(HaveOccurred())
		Expect(notes).To(And(
			ContainSubstring("kubectl rollout status deployment/ascend-controller-manager -n ascend-system"),
			ContainSubstring("--clusterrole=ascend-approver --group=ascend-approvers"),
			ContainSubstring("--reuse-values --set starterPolicy.enabled=true")))
	})

	It("takes the starter policy by an upgrade", func(ctx SpecContext) {
		out, err := release(ctx, "upgrade", "ascend", chart, "--reuse-values", setPolicy, "--dry-run=server") // the webhooks again
		Expect(err).NotTo(HaveOccurred())
		Expect(out).To(And(ContainSubstring("name: rule-no-bulk-delete"), ContainSubstring("The starter policy is installed")))
	})

	It("can be upgraded, and keeps the CA that the operator filled in", func(ctx SpecContext) {
		webhooks := installed["MutatingWebhookConfiguration ascend-mutating-webhook-configuration"].DeepCopy()
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(webhooks), webhooks)).To(Succeed())
		Expect(admin.Patch(ctx, webhooks, client.RawPatch("application/json-patch+json",
			[]byte(`[{"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": "`+caBundle+`"}]`)))).To(Succeed())

		_, err := release(ctx, "upgrade", "ascend", chart, setImage, "--set=replicas=3")
		Expect(err).NotTo(HaveOccurred())

		Expect(admin.Get(ctx, client.ObjectKeyFromObject(webhooks), webhooks)).To(Succeed())
		text, err := json.Marshal(webhooks.Object["webhooks"])
		Expect(err).NotTo(HaveOccurred())
		Expect(string(text)).To(ContainSubstring(caBundle))
		deployment := installed["Deployment ascend-controller-manager"].DeepCopy()
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(deployment), deployment)).To(Succeed())
		replicas, _, _ := unstructured.NestedInt64(deployment.Object, "spec", "replicas")
		Expect(replicas).To(BeEquivalentTo(3))
	})

	It("refuses to go on with CRDs of another version", func(ctx SpecContext) {
		crd := &apiextensionsv1.CustomResourceDefinition{}
		Expect(admin.Get(ctx, client.ObjectKey{Name: "agents.governance.ascendowkai.com"}, crd)).To(Succeed())
		schema := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
		delete(schema.Properties, "displayName")
		Expect(admin.Update(ctx, crd)).To(Succeed())

		_, err := release(ctx, "upgrade", "ascend", chart, setImage, "--dry-run=server")
		Expect(err).To(MatchError(And(
			ContainSubstring("the CRD agents.governance.ascendowkai.com in the cluster is not this chart's"),
			ContainSubstring("kubectl apply --server-side --force-conflicts -f charts/ascend-operator/crds"))))
		_, err = release(ctx, "upgrade", "ascend", chart, setImage, "--set=crds.check=false", "--dry-run=server")
		Expect(err).NotTo(HaveOccurred())
	})

	It("goes, and leaves the CRDs", func(ctx SpecContext) {
		_, err := release(ctx, "uninstall", "ascend")
		Expect(err).NotTo(HaveOccurred())
		for key, object := range installed {
			kept := object.GetKind() == "CustomResourceDefinition"
			Eventually(exists).WithContext(ctx).WithArguments(object).Should(Equal(kept), key)
		}
	})
})
