// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/util/cert"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/certs"
	"github.com/ow-kai/ascend-operator/test/envtest"
)

// operatorUser is whom config/default runs the operator as.
const operatorUser = "system:serviceaccount:ascend-system:ascend-controller-manager"

// installOperator creates what config/dev has of the operator: its namespace,
// its user and what it may do.
func installOperator(ctx context.Context) {
	GinkgoHelper()
	kubectl := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl")
	out, err := exec.CommandContext(ctx, kubectl, "kustomize", "../../config/dev").Output()
	Expect(err).NotTo(HaveOccurred())
	kinds := []string{"Namespace", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(string(out)), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return
		}
		Expect(err).NotTo(HaveOccurred())
		if slices.Contains(kinds, object.GetKind()) {
			Expect(client.IgnoreAlreadyExists(api.Create(ctx, object))).To(Succeed())
		}
	}
}

// myself is the user that the tests submit as.
func myself(ctx context.Context) v1alpha1.UserName {
	GinkgoHelper()
	review := &authenticationv1.SelfSubjectReview{}
	Expect(api.Create(ctx, review)).To(Succeed())
	return v1alpha1.UserName(review.Status.UserInfo.Username)
}

// admitBy makes the API server ask this operator, as a Service would that has
// no other Pod, and waits until it believes the answers.
func admitBy(ctx context.Context, p *process) {
	GinkgoHelper()
	awaitStatus(ctx, "http://"+p.probes+"/readyz", "", 200)
	envtest.InstallWebhooks(GinkgoT(), server, "https://"+p.webhooks, nil) //nolint:contextcheck // it bounds its own time
	awaitAdmission(ctx)
	Eventually(func() [][]byte { return caBundles(ctx) }).WithTimeout(patience).Should(HaveEach(Not(BeEmpty())))
}

// awaitAdmission waits until an action would be let in.
func awaitAdmission(ctx context.Context) {
	GinkgoHelper()
	Eventually(func() error { return api.Create(ctx, newAction(), client.DryRunAll) }).WithTimeout(patience).Should(Succeed())
}

// writeCertificate writes a new one into a folder, and returns what to trust.
func writeCertificate(folder string) []byte {
	GinkgoHelper()
	certificate, key, err := cert.GenerateSelfSignedCertKey("localhost", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(filepath.Join(folder, "tls.key"), key, 0o600)).To(Succeed())
	Expect(os.WriteFile(filepath.Join(folder, "tls.crt"), certificate, 0o600)).To(Succeed())
	return certificate
}

// certificateSecret is empty when there is none.
func certificateSecret(ctx context.Context) *corev1.Secret {
	GinkgoHelper()
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: v1alpha1.GlobalNamespace, Name: certs.SecretName}
	Expect(client.IgnoreNotFound(api.Get(ctx, key, secret))).To(Succeed())
	return secret
}

func newAction() *v1alpha1.AgentAction {
	action := &v1alpha1.AgentAction{}
	action.Namespace, action.GenerateName = "default", "act-"
	action.Spec.AgentRef.Name, action.Spec.ActionType = "agent", "database_read"
	return action
}

// caBundles are those of every webhook.
func caBundles(ctx context.Context) [][]byte {
	GinkgoHelper()
	var mutating admissionregistrationv1.MutatingWebhookConfiguration
	Expect(api.Get(ctx, client.ObjectKey{Name: certs.MutatingConfiguration}, &mutating)).To(Succeed())
	var validating admissionregistrationv1.ValidatingWebhookConfiguration
	Expect(api.Get(ctx, client.ObjectKey{Name: certs.ValidatingConfiguration}, &validating)).To(Succeed())
	var bundles [][]byte
	for i := range mutating.Webhooks {
		bundles = append(bundles, mutating.Webhooks[i].ClientConfig.CABundle)
	}
	for i := range validating.Webhooks {
		bundles = append(bundles, validating.Webhooks[i].ClientConfig.CABundle)
	}
	return bundles
}
