// SPDX-License-Identifier: Apache-2.0

package certs_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/certs"
	"github.com/ow-kai/ascend-operator/test/envtest"
)

const host = "ascend-webhook-service.ascend-system.svc"

// api is the API server, as an administrator.
var api client.WithWatch

func TestRotator(t *testing.T) {
	t.Parallel()
	RegisterFailHandler(Fail)
	RunSpecs(t, "Webhook certificates")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	ctrl.SetLogger(zap.New(zap.UseDevMode(true), zap.WriteTo(GinkgoWriter)))
	config, stop := envtest.Start(GinkgoT())
	DeferCleanup(stop)
	config.QPS = -1
	var err error
	api, err = client.NewWithWatch(config, client.Options{Scheme: clientgoscheme.Scheme})
	Expect(err).NotTo(HaveOccurred())
	Expect(api.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.GlobalNamespace}})).To(Succeed())
})

// world is one test's clock. The Secret and the configurations are new in each.
type world struct{ clock *clocktesting.FakeClock }

func newWorld(ctx context.Context) *world {
	GinkgoHelper()
	Expect(client.IgnoreNotFound(api.Delete(ctx, theSecret()))).To(Succeed())
	uninstall(ctx)
	install(ctx)
	return &world{clock: clocktesting.NewFakeClock(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))}
}

// replica is a Rotator and a TLS server that serves by it.
type replica struct {
	*certs.Rotator
	clock   *clocktesting.FakeClock
	address string
}

func (w *world) replica(ctx context.Context) *replica {
	GinkgoHelper()
	r := &certs.Rotator{Live: api, Writer: api, Hosts: []string{host, "127.0.0.1"}, Clock: w.clock}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(listener.Close)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				_ = tls.Server(connection, &tls.Config{GetCertificate: r.GetCertificate, MinVersion: tls.VersionTLS13}).Handshake()
			}()
		}
	}()
	return &replica{Rotator: r, clock: w.clock, address: listener.Addr().String()}
}

// handshake calls the replica as an API server does that trusts a bundle, and
// returns the certificate it was shown.
func (r *replica) handshake(ctx context.Context, bundle []byte) (*x509.Certificate, error) {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	dialer := tls.Dialer{Config: &tls.Config{
		RootCAs: roots, ServerName: host, Time: r.clock.Now, MinVersion: tls.VersionTLS13,
	}}
	connection, err := dialer.DialContext(ctx, "tcp", r.address)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	secure, isTLS := connection.(*tls.Conn)
	if !isTLS {
		return nil, fmt.Errorf("a connection of type %T", connection)
	}
	return secure.ConnectionState().PeerCertificates[0], nil
}

func theSecret() *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.GlobalNamespace, Name: certs.SecretName}}
}

func readSecret(ctx context.Context) *corev1.Secret {
	GinkgoHelper()
	secret := theSecret()
	Expect(api.Get(ctx, client.ObjectKeyFromObject(secret), secret)).To(Succeed())
	return secret
}

func mutating() *admissionregistrationv1.MutatingWebhookConfiguration {
	return &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: certs.MutatingConfiguration}}
}

func validating() *admissionregistrationv1.ValidatingWebhookConfiguration {
	return &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: certs.ValidatingConfiguration}}
}

// install creates two configurations of two webhooks each.
func install(ctx context.Context) {
	GinkgoHelper()
	call := admissionregistrationv1.WebhookClientConfig{
		Service: &admissionregistrationv1.ServiceReference{Namespace: v1alpha1.GlobalNamespace, Name: "ascend-webhook-service"},
	}
	none, version := admissionregistrationv1.SideEffectClassNone, []string{"v1"}
	m, v := mutating(), validating()
	for _, name := range []string{"a.example.com", "b.example.com"} {
		m.Webhooks = append(m.Webhooks, admissionregistrationv1.MutatingWebhook{
			Name: name, ClientConfig: call, SideEffects: &none, AdmissionReviewVersions: version})
		v.Webhooks = append(v.Webhooks, admissionregistrationv1.ValidatingWebhook{
			Name: name, ClientConfig: call, SideEffects: &none, AdmissionReviewVersions: version})
	}
	Expect(api.Create(ctx, m)).To(Succeed())
	Expect(api.Create(ctx, v)).To(Succeed())
}

func uninstall(ctx context.Context) {
	GinkgoHelper()
	Expect(client.IgnoreNotFound(api.Delete(ctx, mutating()))).To(Succeed())
	Expect(client.IgnoreNotFound(api.Delete(ctx, validating()))).To(Succeed())
}

// bundles are the four caBundles.
func bundles(ctx context.Context) [][]byte {
	GinkgoHelper()
	m, v := mutating(), validating()
	Expect(api.Get(ctx, client.ObjectKeyFromObject(m), m)).To(Succeed())
	Expect(api.Get(ctx, client.ObjectKeyFromObject(v), v)).To(Succeed())
	Expect(m.Webhooks).To(HaveLen(2))
	Expect(v.Webhooks).To(HaveLen(2))
	return [][]byte{
		m.Webhooks[0].ClientConfig.CABundle, m.Webhooks[1].ClientConfig.CABundle,
		v.Webhooks[0].ClientConfig.CABundle, v.Webhooks[1].ClientConfig.CABundle,
	}
}

// bundle is the one that all four webhooks have.
func bundle(ctx context.Context) []byte {
	GinkgoHelper()
	all := bundles(ctx)
	Expect(all).To(HaveEach(Equal(all[0])))
	Expect(all[0]).NotTo(BeEmpty())
	return all[0]
}

// shown is the certificate of a handshake that must succeed with what is injected.
func shown(ctx context.Context, r *replica) *x509.Certificate {
	GinkgoHelper()
	certificate, err := r.handshake(ctx, bundle(ctx))
	Expect(err).NotTo(HaveOccurred())
	return certificate
}
