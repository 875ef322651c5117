// SPDX-License-Identifier: Apache-2.0

package admissionpolicy_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// kubeconfig writes the administrator's kubeconfig and returns its path.
func kubeconfig() string {
	GinkgoHelper()
	return kubeconfigOf(person{})
}

// kubeconfigOf writes a kubeconfig that acts as the person.
func kubeconfigOf(p person) string {
	GinkgoHelper()
	file := clientcmdapi.NewConfig()
	file.Clusters["envtest"] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	file.AuthInfos["admin"] = &clientcmdapi.AuthInfo{ClientCertificateData: config.CertData, ClientKeyData: config.KeyData,
		Impersonate: p.name, ImpersonateUID: p.uid, ImpersonateGroups: p.groups}
	file.Contexts["envtest"] = &clientcmdapi.Context{Cluster: "envtest", AuthInfo: "admin"}
	file.CurrentContext = "envtest"
	path := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(clientcmd.WriteToFile(*file, path)).To(Succeed())
	return path
}

// startControllers starts the controllers of Kubernetes that end namespaces,
// collect garbage and check the types of policies, each as its own account.
func startControllers() {
	GinkgoHelper()
	// Without a context: it lives as long as the container of specs, and is stopped in order.
	cmd := exec.Command(filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kube-controller-manager"),
		"--kubeconfig="+kubeconfig(), "--leader-elect=false", "--secure-port=0", "--use-service-account-credentials=true",
		"--controllers=namespace-controller,garbage-collector-controller,validatingadmissionpolicy-status-controller",
		"--kube-api-qps=200", "--kube-api-burst=400")
	cmd.Stdout, cmd.Stderr = GinkgoWriter, GinkgoWriter
	Expect(cmd.Start()).To(Succeed())
	DeferCleanup(func() {
		Expect(cmd.Process.Signal(os.Interrupt)).To(Succeed())
		_ = cmd.Wait()
	})
}

var _ = Describe("With Kubernetes' own controllers", Ordered, Serial, func() {
	BeforeAll(startControllers)

	It("every policy passes the API server's check of types", func(ctx SpecContext) {
		policies := &admissionregistrationv1.ValidatingAdmissionPolicyList{}
		Eventually(func(g Gomega) {
			g.Expect(admin.List(ctx, policies)).To(Succeed())
			g.Expect(policies.Items).To(HaveLen(5))
			for _, policy := range policies.Items {
				g.Expect(policy.Status.ObservedGeneration).To(Equal(policy.Generation), "%s is not checked yet", policy.Name)
			}
		}).WithContext(ctx).Should(Succeed())
		for _, policy := range policies.Items {
			Expect(policy.Status.TypeChecking).NotTo(BeNil(), policy.Name)
			Expect(policy.Status.TypeChecking.ExpressionWarnings).To(BeEmpty(), policy.Name)
		}
	})

	It("and the check finds a mistake", func(ctx SpecContext) {
		policy := &admissionregistrationv1.ValidatingAdmissionPolicy{}
		Expect(admin.Get(ctx, client.ObjectKey{Name: "ascend-agentaction-identity"}, policy)).To(Succeed())
		wrong := &admissionregistrationv1.ValidatingAdmissionPolicy{ObjectMeta: metav1.ObjectMeta{Name: "wrong"}, Spec: policy.Spec}
		wrong.Spec.Validations[0].Expression = `object.spec.requestor == "me"`
		Expect(admin.Create(ctx, wrong)).To(Succeed()) // has no binding
		DeferCleanup(func(ctx SpecContext) { Expect(admin.Delete(ctx, wrong)).To(Succeed()) })
		Eventually(func(g Gomega) {
			g.Expect(admin.Get(ctx, client.ObjectKeyFromObject(wrong), wrong)).To(Succeed())
			g.Expect(wrong.Status.TypeChecking).NotTo(BeNil())
			g.Expect(wrong.Status.TypeChecking.ExpressionWarnings).To(HaveLen(1))
		}).WithContext(ctx).Should(Succeed())
	})

	It("a namespace is deleted with its actions, decided or not", func(ctx SpecContext) {
		const namespace = "going"
		Expect(admin.Create(ctx, object("v1", "Namespace", "", namespace))).To(Succeed())
		for _, decision := range []string{"", "Pending", "Approved"} {
			o := agent.action(ctx)
			o.SetNamespace(namespace)
			Expect(agent.client().Create(ctx, o)).To(Succeed())
			if decision != "" {
				decide(ctx, o, decision)
			}
		}
		Expect(admin.Delete(ctx, object("v1", "Namespace", "", namespace))).To(Succeed())
		gone(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
		list := &v1alpha1.AgentActionList{}
		Expect(admin.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
		Expect(list.Items).To(BeEmpty())
	})

	It("an action is deleted in the foreground by who may purge it", func(ctx SpecContext) {
		o := pending(ctx)
		Expect(super.client().Delete(ctx, o, client.PropagationPolicy(metav1.DeletePropagationForeground))).To(Succeed())
		gone(ctx, o)
	})

	It("the CRD is removed with all actions", func(ctx SpecContext) {
		pending(ctx)
		crd := object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "agentactions.governance.ascendowkai.com")
		Expect(admin.Delete(ctx, crd)).To(Succeed())
		gone(ctx, crd)
		file, err := os.ReadFile(filepath.Join(root, "config", "crd", "bases", "governance.ascendowkai.com_agentactions.yaml"))
		Expect(err).NotTo(HaveOccurred())
		for _, again := range documents(string(file)) { // for the specs that follow
			Expect(admin.Create(ctx, again)).To(Succeed())
		}
		Eventually(func() error { return admin.List(ctx, &v1alpha1.AgentActionList{}) }).WithContext(ctx).Should(Succeed())
		Eventually(func() error {
			return agent.client().Create(ctx, agent.action(ctx), client.DryRunAll)
		}).WithContext(ctx).Should(Succeed())
	})
})

// gone waits until an object is gone.
func gone(ctx context.Context, o client.Object) {
	GinkgoHelper()
	Eventually(func() bool {
		return apierrors.IsNotFound(admin.Get(ctx, client.ObjectKeyFromObject(o), o))
	}).WithContext(ctx).WithTimeout(2*time.Minute).Should(BeTrue(), "%s hangs", o.GetName())
}
