// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// authority signs client certificates: the certificate authority of the
// control plane.
type authority struct {
	certificate *x509.Certificate
	key         any
}

func readAuthority(folder string) authority {
	GinkgoHelper()
	block := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(folder, name))
		Expect(err).NotTo(HaveOccurred())
		decoded, _ := pem.Decode(text)
		Expect(decoded).NotTo(BeNil(), name)
		return decoded.Bytes
	}
	certificate, err := x509.ParseCertificate(block("ca.crt"))
	Expect(err).NotTo(HaveOccurred())
	key, err := x509.ParseECPrivateKey(block("ca.key"))
	Expect(err).NotTo(HaveOccurred())
	return authority{certificate, key}
}

// person is somebody with credentials of their own.
type person struct {
	client.WithWatch
	config *rest.Config
	name   string
}

// people are those with a client certificate, by name and groups.
type people struct {
	mu    sync.Mutex
	known map[string]person
}

// user is a person with a client certificate; the same one where names and
// groups are the same.
func (l *stack) user(name string, groups ...string) person {
	GinkgoHelper()
	l.people.mu.Lock()
	defer l.people.mu.Unlock()
	who := fmt.Sprintf("%q %q", name, groups)
	found, known := l.people.known[who]
	if !known {
		found = l.certified(name, groups)
		if l.people.known == nil {
			l.people.known = map[string]person{}
		}
		l.people.known[who] = found
	}
	return found
}

// known is the user of that name whom somebody has asked for before.
func (l *stack) known(name string) person {
	GinkgoHelper()
	l.people.mu.Lock()
	defer l.people.mu.Unlock()
	for _, found := range l.people.known {
		if found.name == name {
			return found
		}
	}
	Fail("nobody has been " + name)
	return person{}
}

func (l *stack) certified(name string, groups []string) person {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name, Organization: groups},
		NotBefore:    time.Now().Add(-time.Minute), NotAfter: time.Now().Add(2 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, l.ca.certificate, key.Public(), l.ca.key)
	Expect(err).NotTo(HaveOccurred())
	secret, err := x509.MarshalECPrivateKey(key)
	Expect(err).NotTo(HaveOccurred())

	config := rest.AnonymousClientConfig(l.config)
	config.CertData = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})
	config.KeyData = pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})
	return l.person(name, config)
}

// serviceAccount makes a ServiceAccount and is it, with a token.
func (l *stack) serviceAccount(ctx context.Context, namespace, name string) person {
	GinkgoHelper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	Expect(client.IgnoreAlreadyExists(l.admin.Create(ctx, account))).To(Succeed())
	request := &authenticationv1.TokenRequest{}
	Expect(l.admin.SubResource("token").Create(ctx, account, request)).To(Succeed())
	config := rest.AnonymousClientConfig(l.config)
	config.BearerToken = request.Status.Token
	return l.person(strings.Join([]string{"system:serviceaccount", namespace, name}, ":"), config)
}

func (l *stack) person(name string, config *rest.Config) person {
	GinkgoHelper()
	config.QPS = -1
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &witness{next, name, &l.refusals} })
	c, err := client.NewWithWatch(config, client.Options{Scheme: l.admin.Scheme(), Mapper: l.admin.RESTMapper()})
	Expect(err).NotTo(HaveOccurred())
	return person{c, config, name}
}
