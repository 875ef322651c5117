// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// kubeconfigFile writes a kubeconfig for config.
func kubeconfigFile() string {
	GinkgoHelper()
	path := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(clientcmd.WriteToFile(clientcmdapi.Config{
		CurrentContext: "test",
		Contexts:       map[string]*clientcmdapi.Context{"test": {Cluster: "test", AuthInfo: "admin"}},
		Clusters:       map[string]*clientcmdapi.Cluster{"test": {Server: config.Host, CertificateAuthorityData: config.CAData}},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{"admin": {
			ClientCertificateData: config.CertData, ClientKeyData: config.KeyData,
		}},
	}, path)).To(Succeed())
	return path
}

// kubectl runs the real one.
func (w world) kubectl(ctx context.Context, kubeconfig string, arguments ...string) string {
	GinkgoHelper()
	program := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl")
	out, err := exec.CommandContext(ctx, program, append([]string{"--kubeconfig", kubeconfig, "--namespace", w.namespace}, arguments...)...).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "kubectl %v: %s", arguments, out)
	return string(out)
}

var _ = Describe("kubectl", func() {
	It("finds what waits, waits for a decision, and describes it", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.apply(ctx, agentInSandbox, autoApproveToMedium, twoOfThree)
		kubeconfig := kubeconfigFile()
		waiting, approved := w.submit(ctx, updateCustomer), w.submit(ctx, readCategories)

		w.kubectl(ctx, kubeconfig, "wait", "--for=jsonpath={.status.decision}=Approved", "agentaction/"+approved.Name, "--timeout=60s")
		w.kubectl(ctx, kubeconfig, "wait", "--for=condition=Decided", "agentaction/"+approved.Name, "--timeout=60s")
		w.kubectl(ctx, kubeconfig, "wait", "--for=jsonpath={.status.decision}=Pending", "agentaction/"+waiting.Name, "--timeout=60s")

		for decision, action := range map[v1alpha1.Decision]*v1alpha1.AgentAction{
			v1alpha1.DecisionPending:  waiting,
			v1alpha1.DecisionApproved: approved,
		} {
			var list v1alpha1.AgentActionList
			found := w.kubectl(ctx, kubeconfig, "get", "agentactions", "--field-selector", "status.decision="+string(decision), "-o", "json")
			Expect(json.Unmarshal([]byte(found), &list)).To(Succeed())
			Expect(list.Items).To(ConsistOf(HaveField("Name", action.Name)))
		}
		Expect(w.kubectl(ctx, kubeconfig, "get", "aact")).To(MatchRegexp(`(?m)^%s +agent +database_write +High +7\.2 +Pending`, waiting.Name))

		Eventually(func() string {
			return w.kubectl(ctx, kubeconfig, "describe", "agentaction", waiting.Name)
		}).Should(MatchRegexp(`Normal +ApprovalRequired`))
		Eventually(func() string {
			return w.kubectl(ctx, kubeconfig, "describe", "agent", "agent")
		}).Should(MatchRegexp(`Normal +AutoApproved`))
	})
})
