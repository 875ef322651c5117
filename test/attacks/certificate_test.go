// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/certs"
)

// badCertificates has the API server trust a wrong CA, and damages the Secret
// of the webhooks' certificate, which the operator does not serve then.
func badCertificates(ctx context.Context, s *scene) {
	s.pending(ctx)
	configured, before := lab.configurations(ctx), served(ctx)
	damage(ctx, expire)
	wrong := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: lab.ca.certificate.Raw})
	Eventually(func() error { // the operator may repair it at any moment
		if err := trust(ctx, wrong); err != nil {
			return err
		}
		return s.agent.Create(ctx, s.ask(readOrders))
	}).WithContext(ctx).Should(MatchError(And(ContainSubstring("failed calling webhook"), ContainSubstring("x509"))))
	awaitNew(ctx, s, before)
	repaired := lab.configurations(ctx)
	Expect(repaired.mutating.Webhooks).To(Equal(configured.mutating.Webhooks))
	Expect(repaired.validating.Webhooks).To(Equal(configured.validating.Webhooks))

	before = served(ctx)
	damage(ctx, func(secret *corev1.Secret) {
		for name := range secret.Data {
			secret.Data[name] = []byte("nobody can read this")
		}
	})
	awaitNew(ctx, s, before)
}

func damage(ctx context.Context, how func(*corev1.Secret)) {
	GinkgoHelper()
	secret := certificateSecret(ctx)
	how(secret)
	Expect(lab.admin.Update(ctx, secret)).To(Succeed())
}

// trust has the API server trust that CA alone, unless the operator is faster.
func trust(ctx context.Context, bundle []byte) error {
	c := lab.configurations(ctx)
	for i := range c.mutating.Webhooks {
		c.mutating.Webhooks[i].ClientConfig.CABundle = bundle
	}
	for i := range c.validating.Webhooks {
		c.validating.Webhooks[i].ClientConfig.CABundle = bundle
	}
	if err := lab.admin.Update(ctx, &c.mutating); err != nil {
		return err
	}
	return lab.admin.Update(ctx, &c.validating)
}

// awaitNew waits until another certificate is served, one that is in the
// Secret and that the API server believes.
func awaitNew(ctx context.Context, s *scene, before *x509.Certificate) {
	GinkgoHelper()
	Expect(reads(ctx, s)).To(Succeed(), "meanwhile")
	Eventually(func(g Gomega) {
		now := served(ctx)
		g.Expect(now.SerialNumber).NotTo(Equal(before.SerialNumber))
		g.Expect(now.NotAfter).To(BeTemporally(">", time.Now().Add(time.Hour)))
		secret := &corev1.Secret{}
		g.Expect(lab.admin.Get(ctx, secretKey, secret)).To(Succeed())
		g.Expect(string(secret.Data[corev1.TLSCertKey])).To(Equal(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: now.Raw}))))
		for _, w := range lab.configurations(ctx).mutating.Webhooks {
			roots := x509.NewCertPool()
			g.Expect(roots.AppendCertsFromPEM(w.ClientConfig.CABundle)).To(BeTrue())
			_, err := now.Verify(x509.VerifyOptions{Roots: roots, DNSName: "127.0.0.1"})
			g.Expect(err).NotTo(HaveOccurred())
		}
	}).WithContext(ctx).Should(Succeed())
	recovered(ctx, s)
}

var secretKey = client.ObjectKey{Namespace: v1alpha1.GlobalNamespace, Name: certs.SecretName}

func certificateSecret(ctx context.Context) *corev1.Secret {
	GinkgoHelper()
	secret := &corev1.Secret{}
	Expect(lab.admin.Get(ctx, secretKey, secret)).To(Succeed())
	return secret
}

// served is the certificate that the webhooks show.
func served(ctx context.Context) *x509.Certificate {
	GinkgoHelper()
	at, err := url.Parse(*lab.configurations(ctx).mutating.Webhooks[0].ClientConfig.URL)
	Expect(err).NotTo(HaveOccurred())
	plain, err := new(net.Dialer).DialContext(ctx, "tcp", at.Host)
	Expect(err).NotTo(HaveOccurred())
	defer plain.Close()
	connection := tls.Client(plain, &tls.Config{InsecureSkipVerify: true}) // it is looked at here
	Expect(connection.HandshakeContext(ctx)).To(Succeed())
	return connection.ConnectionState().PeerCertificates[0]
}

// expire puts a certificate of the operator's own CA into the Secret whose time
// is over.
func expire(secret *corev1.Secret) {
	GinkgoHelper()
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	Expect(err).NotTo(HaveOccurred())
	block, _ := pem.Decode(secret.Data["ca.key"])
	signer, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	Expect(err).NotTo(HaveOccurred())
	block, _ = pem.Decode(secret.Data["ca.crt"])
	authority, err := x509.ParseCertificate(block.Bytes)
	Expect(err).NotTo(HaveOccurred())
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	private, err := x509.MarshalPKCS8PrivateKey(key)
	Expect(err).NotTo(HaveOccurred())
	over := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pair.Leaf.Subject, IPAddresses: pair.Leaf.IPAddresses, DNSNames: pair.Leaf.DNSNames,
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour),
		KeyUsage: pair.Leaf.KeyUsage, ExtKeyUsage: pair.Leaf.ExtKeyUsage,
	}
	raw, err := x509.CreateCertificate(rand.Reader, over, authority, key.Public(), signer)
	Expect(err).NotTo(HaveOccurred())
	secret.Data[corev1.TLSCertKey] = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
	secret.Data[corev1.TLSPrivateKeyKey] = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
}
