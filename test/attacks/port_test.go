// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/cert"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func init() { attacks = append(attacks, portAttacks()...) }

// Who answers the API server's questions would also answer others, who make up
// the user: with a seal, a record, or a submission that counts. So the port is
// for the API server alone.
func portAttacks() []*attack {
	sam := func(*scene) authenticationv1.UserInfo {
		return authenticationv1.UserInfo{Username: "sam", Groups: []string{"system:authenticated"}}
	}
	purger := func(*scene) authenticationv1.UserInfo {
		return authenticationv1.UserInfo{Username: "admin", Groups: []string{"system:masters"}}
	}
	const submit, gone = "/mutate-agentaction", "/agentaction-gone"
	return []*attack{
		atPort("have a submission in another's name sealed by the webhook itself, as nobody", asNobody, submit, admissionv1.Create, sam),
		atPort("have a submission in another's name sealed by the webhook itself, as a user of the cluster", asMallory, submit, admissionv1.Create, sam),
		atPort("have a submission in another's name sealed by the webhook itself, with a certificate of one's own making", asForger, submit, admissionv1.Create, sam),
		atPort("have a purge recorded by the webhook itself, as nobody", asNobody, submit, admissionv1.Delete, purger),
		atPort("have a deletion with the namespace recorded by the webhook itself, as nobody", asNobody, gone, admissionv1.Delete, func(*scene) authenticationv1.UserInfo {
			return authenticationv1.UserInfo{Username: "system:serviceaccount:kube-system:namespace-controller"}
		}),
	}
}

// atPort is a review with a made-up user, posted to the webhook itself. The
// operator refuses the connection, whatever has become of the configuration.
func atPort(name string, shown func() *tls.Certificate, path string, operation admissionv1.Operation,
	user func(*scene) authenticationv1.UserInfo,
) *attack {
	refused := refusedBy("TLS", "not answered: ")
	return &attack{
		number: 11, name: name,
		prepare: func(ctx context.Context, s *scene) { s.pending(ctx) },
		attempt: func(ctx context.Context, s *scene) error {
			return post(ctx, shown(), path, s.review(operation, user(s)))
		},
		up: refused, down: refused, deleted: refused,
	}
}

func asNobody() *tls.Certificate { return &tls.Certificate{} }

// asMallory shows what the API server itself would believe.
func asMallory() *tls.Certificate {
	GinkgoHelper()
	config := lab.user("mallory", "nobodies").config
	pair, err := tls.X509KeyPair(config.CertData, config.KeyData)
	Expect(err).NotTo(HaveOccurred())
	return &pair
}

// asForger has the right name, by an authority of their own.
func asForger() *tls.Certificate {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	made, err := cert.NewSelfSignedCACert(cert.Config{CommonName: "kube-apiserver-webhooks"}, key)
	Expect(err).NotTo(HaveOccurred())
	return &tls.Certificate{Certificate: [][]byte{made.Raw}, PrivateKey: key}
}

// review asks about an action of the scene, in the words of the API server.
func (s *scene) review(operation admissionv1.Operation, user authenticationv1.UserInfo) []byte {
	GinkgoHelper()
	action := s.action
	if operation == admissionv1.Create {
		action = s.ask(readOrders)
		action.Name = "forged"
	}
	action = action.DeepCopy()
	action.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("AgentAction"))
	request := &admissionv1.AdmissionRequest{
		UID: types.UID("1"), Operation: operation, Namespace: s.namespace, Name: action.Name, UserInfo: user,
		Kind:     metav1.GroupVersionKind(v1alpha1.GroupVersion.WithKind("AgentAction")),
		Resource: metav1.GroupVersionResource(v1alpha1.GroupVersion.WithResource("agentactions")),
	}
	if operation == admissionv1.Create {
		request.Object = runtime.RawExtension{Raw: []byte(toJSON(action))}
	} else {
		request.OldObject = runtime.RawExtension{Raw: []byte(toJSON(action))}
	}
	return []byte(toJSON(&admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"}, Request: request,
	}))
}

// post asks the webhook where its configuration says it is, and returns nil for
// any answer. The attacker knows its authority, and shows the certificate
// whatever the server asks for.
func post(ctx context.Context, shown *tls.Certificate, path string, review []byte) error {
	GinkgoHelper()
	called := lab.whole.mutating.Webhooks[0].ClientConfig
	at, err := url.Parse(*called.URL)
	Expect(err).NotTo(HaveOccurred())
	at.Path = path
	roots := x509.NewCertPool()
	Expect(roots.AppendCertsFromPEM(called.CABundle)).To(BeTrue())
	believed := false // so that no other failure is taken for a refusal
	transport := &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs:              roots,
		VerifyConnection:     func(tls.ConnectionState) error { believed = true; return nil },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return shown, nil },
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String(), bytes.NewReader(review))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Transport: transport}).Do(request)
	Expect(believed).To(BeTrue(), "the webhook was not reached: %v", err)
	if err != nil {
		return fmt.Errorf("not answered: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	GinkgoWriter.Printf("the webhook answered %s: %s\n", response.Status, answer)
	return nil
}
