// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// callerAuthority has signed what the API server of this suite shows to
// webhooks that ask for it, as callerName.
var callerAuthority *authority

const callerName = "kube-apiserver-webhooks"

// authority is a certificate authority of the test.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newKey() *ecdsa.PrivateKey {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	return key
}

func newAuthority(name string) *authority {
	GinkgoHelper()
	key := newKey()
	certificate, err := cert.NewSelfSignedCACert(cert.Config{CommonName: name}, key)
	Expect(err).NotTo(HaveOccurred())
	return &authority{certificate, key}
}

// sign makes a certificate and its key, in PEM.
func (a *authority) sign(name string, usage x509.ExtKeyUsage) (certificate, key []byte) {
	GinkgoHelper()
	private := newKey()
	signed, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage},
	}, a.certificate, private.Public(), a.key)
	Expect(err).NotTo(HaveOccurred())
	key, err = keyutil.MarshalPrivateKeyToPEM(private)
	Expect(err).NotTo(HaveOccurred())
	return pem.EncodeToMemory(&pem.Block{Type: cert.CertificateBlockType, Bytes: signed}), key
}

// caller is a certificate to call a webhook with.
func (a *authority) caller(name string, usage x509.ExtKeyUsage) *tls.Certificate {
	GinkgoHelper()
	pair, err := tls.X509KeyPair(a.sign(name, usage))
	Expect(err).NotTo(HaveOccurred())
	return &pair
}

func (a *authority) text() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: cert.CertificateBlockType, Bytes: a.certificate.Raw})
}

// admissionConfiguration is the file that docs/security.md has, beside the
// kubeconfig that it has, for every webhook.
func admissionConfiguration() string {
	GinkgoHelper()
	folder := GinkgoT().TempDir()
	certificate, key := callerAuthority.sign(callerName, x509.ExtKeyUsageClientAuth)
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
		return path
	}
	write("client.crt", string(certificate))
	write("client.key", string(key))
	const service, documented = "ascend-webhook-service.ascend-system.svc ", "/etc/kubernetes/ascend/webhooks.kubeconfig"
	configuration, kubeconfig := fromSecurityPage("kind: AdmissionConfiguration"), fromSecurityPage("kind: Config\n")
	Expect(configuration).To(ContainSubstring(documented))
	Expect(kubeconfig).To(ContainSubstring(service))
	used := write("webhooks.kubeconfig", strings.Replace(kubeconfig, service, `"*" `, 1)) // here are no Services
	return write("admission.yaml", strings.Replace(configuration, documented, used, 1))
}

// fromSecurityPage is the YAML block of docs/security.md that has these words.
func fromSecurityPage(words string) string {
	GinkgoHelper()
	page, err := os.ReadFile("../../docs/security.md")
	Expect(err).NotTo(HaveOccurred())
	for _, rest := range strings.Split(string(page), "\n```yaml\n")[1:] {
		if block, _, _ := strings.Cut(rest, "```\n"); strings.Contains(block, words) {
			return block
		}
	}
	Fail("docs/security.md has no YAML with " + words)
	return ""
}

// callersFile is a file for --webhook-client-ca-file, and trust replaces what it holds.
func callersFile(first *authority) (path string, trust func(...*authority)) {
	GinkgoHelper()
	path = filepath.Join(GinkgoT().TempDir(), "ca.crt")
	trust = func(all ...*authority) {
		GinkgoHelper()
		var text []byte
		for _, one := range all {
			text = append(text, one.text()...)
		}
		Expect(os.WriteFile(path+".new", text, 0o600)).To(Succeed())
		Expect(os.Rename(path+".new", path)).To(Succeed())
	}
	trust(first)
	return path, trust
}

// A review that would get a stranger's seal, if anybody were asked.
const madeUpReview = `{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
	"uid": "1", "operation": "CREATE", "namespace": "default", "name": "forged",
	"kind": {"group": "governance.ascendowkai.com", "version": "v1alpha1", "kind": "AgentAction"},
	"resource": {"group": "governance.ascendowkai.com", "version": "v1alpha1", "resource": "agentactions"},
	"userInfo": {"username": "admin", "groups": ["system:masters"]},
	"object": {"apiVersion": "governance.ascendowkai.com/v1alpha1", "kind": "AgentAction",
		"metadata": {"namespace": "default", "name": "forged"}, "spec": {"agentRef": {"name": "agent"}, "actionType": "database_read"}}}}`

// call posts a review to the webhook itself, on a connection of its own, with a
// certificate, whatever the server asks for; nil shows none.
func (p *process) call(ctx context.Context, shown *tls.Certificate) (answer string, err error) {
	if shown == nil {
		shown = &tls.Certificate{}
	}
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{
		InsecureSkipVerify:   true, // it is self-signed
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return shown, nil },
	}}
	defer transport.CloseIdleConnections()
	return p.post(ctx, &http.Client{Transport: transport})
}

func (p *process) post(ctx context.Context, by *http.Client) (answer string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+p.webhooks+"/mutate-agentaction", strings.NewReader(madeUpReview))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := by.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.Status + " " + string(text), err
}

func dryRun(ctx context.Context) error { return api.Create(ctx, newAction(), client.DryRunAll) }

var _ = Describe("With --webhook-client-ca-file the operator", Serial, func() {
	const clients, servers = x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth

	It("answers the API server and refuses everybody else as they connect", func(ctx SpecContext) {
		file, _ := callersFile(callerAuthority)
		p := startProcess(ctx, "--webhook-client-ca-file="+file, "--webhook-client-name="+callerName)
		admitBy(ctx, p)
		awaitApproved(ctx, submit(ctx))
		Expect(p.call(ctx, callerAuthority.caller(callerName, clients))).To(ContainSubstring(`"uid":"1"`), "who has the key is the API server")

		for who, test := range map[string]struct {
			shown *tls.Certificate
			why   string // in the log: what the caller is told depends on when it looks
		}{
			"nobody":                             {nil, "tls: client didn't provide a certificate"},
			"who made an authority of that name": {newAuthority("callers").caller(callerName, clients), "x509: certificate signed by unknown authority"},
			"another client of that authority":   {callerAuthority.caller("kubelet", clients), `the caller's certificate is of "kubelet", not of "` + callerName + `" as --webhook-client-name says`},
			"a server of that authority":         {callerAuthority.caller(callerName, servers), "x509: certificate specifies an incompatible key usage"},
			"who has the certificate and no key": {stolen(callerAuthority.caller(callerName, clients)), "tls: invalid signature by the client certificate"},
		} {
			logged := len(p.log.String())
			Expect(p.call(ctx, test.shown)).Error().To(HaveOccurred(), who)
			Eventually(func() string { return p.log.String()[logged:] }).WithTimeout(patience).Should(ContainSubstring(test.why), who)
		}

		before := strings.Count(p.log.String(), "TLS handshake error")
		for range 5 {
			awaitStatus(ctx, "http://"+p.probes+"/readyz", "", 200)
		}
		Expect(strings.Count(p.log.String(), "TLS handshake error")).To(Equal(before), "probes leave lines in the log")
		p.signal(syscall.SIGTERM)
		Expect(p.awaitEnd()).To(BeZero())
	})

	It("reads the file again, also for connections that are open", func(ctx SpecContext) {
		file, trust := callersFile(callerAuthority)
		p := startProcess(ctx, "--webhook-client-ca-file="+file)
		admitBy(ctx, p)
		Expect(p.call(ctx, callerAuthority.caller("anybody", clients))).To(ContainSubstring(`"uid":"1"`))

		another := newAuthority("callers")
		Expect(p.call(ctx, another.caller(callerName, clients))).Error().To(HaveOccurred())
		trust(another, callerAuthority) // as one replaces an authority
		Expect(p.call(ctx, another.caller(callerName, clients))).To(ContainSubstring(`"uid":"1"`))
		Expect(dryRun(ctx)).To(Succeed())

		trust(another) // the API server has no certificate that would do
		for range 3 {
			Expect(dryRun(ctx)).To(MatchError(ContainSubstring("failed calling webhook")))
		}
		Expect(p.log.String()).To(ContainSubstring("client didn't provide a certificate"))
		Expect(os.WriteFile(file, []byte("damaged"), 0o600)).To(Succeed())
		Expect(dryRun(ctx)).To(MatchError(ContainSubstring("failed calling webhook")))
		Expect(p.call(ctx, another.caller(callerName, clients))).To(ContainSubstring(`"uid":"1"`), "what was there before goes on counting")
		Expect(strings.Count(p.log.String(), "Cannot read --webhook-client-ca-file")).To(Equal(1), p.log.String())
		trust(callerAuthority)
		Expect(dryRun(ctx)).To(Succeed())
	})

	It("says what is wrong when the file is not there, or holds something else", func(ctx SpecContext) {
		for _, file := range []string{filepath.Join(GinkgoT().TempDir(), "ca.crt"), "manager_test.go"} {
			p := startProcess(ctx, "--webhook-client-ca-file="+file)
			Expect(p.awaitEnd()).To(Equal(exitFailure))
			Expect(p.log.String()).To(And(ContainSubstring("--webhook-client-ca-file: "), ContainSubstring("put the certificate authority there")))
		}
	})
})

// stolen is a certificate with a key that is not its own.
func stolen(certificate *tls.Certificate) *tls.Certificate {
	GinkgoHelper()
	return &tls.Certificate{Certificate: certificate.Certificate, PrivateKey: newKey()}
}
