// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// The API server shows a certificate to webhooks that ask for one, so that the
// operator answers nobody else. docs/security.md has the same for a cluster of
// one's own.

// callerName is the common name of that certificate.
const callerName = "kube-apiserver-webhooks"

// callerLifetime is longer than anybody leaves a development cluster running.
// Each start makes everything anew.
const callerLifetime = 365 * 24 * time.Hour

// admissionConfiguration tells the API server where the certificate is, for
// both kinds of webhooks.
const admissionConfiguration = `apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: MutatingAdmissionWebhook
  configuration:
    apiVersion: apiserver.config.k8s.io/v1
    kind: WebhookAdmissionConfiguration
    kubeConfigFile: %[1]q
- name: ValidatingAdmissionWebhook
  configuration:
    apiVersion: apiserver.config.k8s.io/v1
    kind: WebhookAdmissionConfiguration
    kubeConfigFile: %[1]q
`

// makeCaller makes the certificate of the API server and the authority that
// the operator knows it by, whose key is forgotten. Call it while nothing runs
// in the folder.
func (f folder) makeCaller() error {
	authority, certificate, key, err := newCaller(callerName, callerLifetime)
	if err != nil {
		return fmt.Errorf("make the API server's certificate for webhooks: %w", err)
	}
	kubeconfig, err := clientcmd.Write(api.Config{
		// The user * is for whatever webhook there is, on whichever port.
		AuthInfos: map[string]*api.AuthInfo{"*": {ClientCertificateData: certificate, ClientKeyData: key}},
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(f.callerCA()), 0o700); err != nil {
		return err
	}
	if err := replaceFile(f.callerCA(), string(authority), 0o644); err != nil {
		return err
	}
	if err := replaceFile(f.callerKubeconfig(), string(kubeconfig), 0o600); err != nil {
		return err
	}
	return replaceFile(f.admissionConfiguration(), fmt.Sprintf(admissionConfiguration, f.callerKubeconfig()), 0o644)
}

// newCaller is an authority that signs one certificate for a client, all in PEM.
func newCaller(name string, life time.Duration) (authority, certificate, key []byte, err error) {
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, err
	}
	parent, err := cert.NewSelfSignedCACert(cert.Config{CommonName: name + "-ca"}, authorityKey)
	if err != nil {
		return nil, nil, nil, err
	}
	ownKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, err
	}
	own, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), // the authority signs nothing else
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    parent.NotBefore,
		NotAfter:     time.Now().Add(life),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, parent, ownKey.Public(), authorityKey)
	if err != nil {
		return nil, nil, nil, err
	}
	key, err = keyutil.MarshalPrivateKeyToPEM(ownKey)
	block := func(raw []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: cert.CertificateBlockType, Bytes: raw})
	}
	return block(parent.Raw), block(own), key, err
}
