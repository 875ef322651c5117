// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/test/envtest"
)

// What the schemas promise, asked of a real API server. No webhook and no
// policy is installed: everything here holds by the CRDs alone.

var (
	config *rest.Config
	scheme = runtime.NewScheme()
	// api writes into the namespace default unless an object names another.
	api client.Client
)

func TestSchema(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "CRD schemas")
}

var _ = BeforeSuite(func() {
	var stop func()
	config, stop = envtest.Start(GinkgoT())
	DeferCleanup(stop)

	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	unbound, err := client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	api = client.NewNamespacedClient(unbound, "default")
})
