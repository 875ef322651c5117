// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// The keys of the Secret. The type kubernetes.io/tls wants the middle two; with
// cert-manager it writes the first three.
const (
	keyBundle      = "ca.crt"                // every CA that is trusted, oldest first
	keyServing     = corev1.TLSCertKey       // the serving certificate
	keyServingKey  = corev1.TLSPrivateKeyKey // its private key
	keyAuthority   = "ca.key"                // the private key of the CA that signs
	keySuccessorCA = "next-ca.key"           // the private key of the CA that signs next; absent unless there is one
)

const (
	blockCertificate = "CERTIFICATE"
	blockKey         = "PRIVATE KEY"
)

// material is what the Secret holds, as far as it can be read: what is damaged
// is absent. It is not changed once made.
type material struct {
	bundle    []*x509.Certificate // every CA that is trusted, oldest first
	authority *authority          // the one that signs, in bundle; nil for none
	successor *authority          // the one that signs next, in bundle; nil for none
	serving   *tls.Certificate    // with its Leaf; nil for none
}

// authority is a CA that can sign.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// decode reads a Secret's data. Which CA a private key belongs to is told by
// its public key.
func decode(data map[string][]byte) *material {
	m := &material{bundle: decodeBundle(data[keyBundle])}
	m.authority = decodeAuthority(data[keyAuthority], m.bundle)
	m.successor = decodeAuthority(data[keySuccessorCA], m.bundle)
	if serving, err := tls.X509KeyPair(data[keyServing], data[keyServingKey]); err == nil {
		m.serving = &serving
	}
	return m
}

// decodeBundle returns the CA certificates of a text, each once.
func decodeBundle(text []byte) []*x509.Certificate {
	var bundle []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err == nil && certificate.IsCA && !slices.ContainsFunc(bundle, certificate.Equal) {
			bundle = append(bundle, certificate)
		}
	}
	return bundle
}

func decodeAuthority(text []byte, bundle []*x509.Certificate) *authority {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil
	}
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok {
		return nil
	}
	for _, certificate := range bundle {
		if public.Equal(certificate.PublicKey) {
			return &authority{certificate: certificate, key: key}
		}
	}
	return nil
}

// encode is what decode reads. A key of the Secret that has nothing to hold is
// absent.
func (m *material) encode() (map[string][]byte, error) {
	if m.authority == nil || m.serving == nil {
		return nil, errors.New("there is no certificate to write")
	}
	authorityKey, authorityErr := encodeKey(m.authority.key)
	servingKey, servingErr := encodeKey(m.serving.PrivateKey)
	data := map[string][]byte{
		keyBundle:     encodeBundle(m.bundle),
		keyAuthority:  authorityKey,
		keyServing:    encodeChain(m.serving.Certificate),
		keyServingKey: servingKey,
	}
	if m.successor == nil {
		return data, errors.Join(authorityErr, servingErr)
	}
	successorKey, err := encodeKey(m.successor.key)
	data[keySuccessorCA] = successorKey
	return data, errors.Join(authorityErr, servingErr, err)
}

// encodeBundle is the form in which CAs are injected. The text of one CA is
// part of the text of every bundle that has it.
func encodeBundle(bundle []*x509.Certificate) []byte {
	chain := make([][]byte, len(bundle))
	for i, certificate := range bundle {
		chain[i] = certificate.Raw
	}
	return encodeChain(chain)
}

func encodeChain(chain [][]byte) []byte {
	var text bytes.Buffer
	for _, certificate := range chain {
		text.Write(pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: certificate}))
	}
	return text.Bytes()
}

func encodeKey(key crypto.PrivateKey) ([]byte, error) {
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode a private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: raw}), nil
}
