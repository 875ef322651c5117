// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/test/envtest"
)

// What the operator promises, asked of a real API server. One server and one
// operator serve the whole suite; each spec has a namespace of its own. Specs
// that need an operator of their own, or policy of the whole cluster, are Serial.

// patience is how long to wait for what must happen. It is long, for the
// machine may be busy, and costs nothing where things go well.
const patience = time.Minute

var (
	config *rest.Config
	scheme = runtime.NewScheme()
	// api is the API server itself, without any cache, as an administrator.
	api client.WithWatch
	// operator is the one of the suite.
	operator *running
)

func TestControllers(t *testing.T) {
	t.Parallel()
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Controllers")
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
	api, err = client.NewWithWatch(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())

	createNamespace(ctx, v1alpha1.GlobalNamespace)
	operator = start(settings{})
	DeferCleanup(func() { operator.stop() })
})

// alone gives the spec the cluster without the suite's operator, which starts
// again afterwards.
func alone() {
	GinkgoHelper()
	operator.stop()
	DeferCleanup(func() { operator = start(settings{}) })
}
