// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"

	"k8s.io/client-go/util/cert"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
)

// callers are those who may call the webhooks: who shows a certificate for
// clients that an authority of the file has signed. The file is read again for
// every connection and every call, so that a change counts at once, also for
// connections that are open. While it cannot be read, or is damaged, what it
// held before goes on counting.
type callers struct {
	file string
	name string // the common name that the certificate must have; empty: any

	mu      sync.Mutex
	text    []byte // what pool is made of
	pool    *x509.CertPool
	failure string // of the latest reading; empty: none
}

// newCallers reads --webhook-client-ca-file, and returns nil when it is not
// given: then everybody may call.
func newCallers(options *Options) (*callers, error) {
	if options.WebhookClientCAFile == "" {
		return nil, nil //nolint:nilnil // none is an answer, not a failure
	}
	c := &callers{file: options.WebhookClientCAFile, name: options.WebhookClientName}
	if err := c.read(); err != nil {
		return nil, fmt.Errorf("--webhook-client-ca-file: %w; put the certificate authority there that signs "+
			"what the API server shows to webhooks, see docs/security.md", err)
	}
	return c, nil
}

// read takes over what the file holds, if that is new. c.mu is held, or c not
// shared yet.
func (c *callers) read() error {
	text, err := os.ReadFile(c.file)
	if err != nil || bytes.Equal(text, c.text) {
		return err
	}
	authorities, err := cert.ParseCertsPEM(text)
	if err != nil {
		return fmt.Errorf("%s: %w", c.file, err)
	}
	c.text, c.pool = text, x509.NewCertPool()
	for _, authority := range authorities {
		c.pool.AddCert(authority)
	}
	return nil
}

// authorities are those of the file as it is now. It logs when reading begins
// to fail or fails otherwise than before.
func (c *callers) authorities() *x509.CertPool {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.read()
	if err != nil && err.Error() != c.failure {
		ctrl.Log.WithName("webhooks").Error(err, "Cannot read --webhook-client-ca-file; what it held before goes on counting")
	}
	c.failure = ""
	if err != nil {
		c.failure = err.Error()
	}
	return c.pool
}

var errNoCertificate = errors.New("the caller shows no certificate")

// check returns nil for a connection of somebody who may call.
func (c *callers) check(connection *tls.ConnectionState) error {
	if connection == nil || len(connection.PeerCertificates) == 0 {
		return errNoCertificate
	}
	own, further := connection.PeerCertificates[0], x509.NewCertPool()
	for _, certificate := range connection.PeerCertificates[1:] {
		further.AddCert(certificate)
	}
	if _, err := own.Verify(x509.VerifyOptions{
		Roots: c.authorities(), Intermediates: further, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}); err != nil {
		return fmt.Errorf("the caller's certificate: %w", err)
	}
	if c.name != "" && own.Subject.CommonName != c.name {
		return fmt.Errorf("the caller's certificate is of %q, not of %q as --webhook-client-name says", own.Subject.CommonName, c.name)
	}
	return nil
}

// require makes a server refuse everybody else while the connection is made.
func (c *callers) require(config *tls.Config) {
	config.ClientAuth = tls.RequireAndVerifyClientCert
	config.SessionTicketsDisabled = true // a resumed session would not be verified again
	config.VerifyConnection = func(connection tls.ConnectionState) error { return c.check(&connection) }
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		current := config.Clone()
		current.ClientCAs, current.GetConfigForClient = c.authorities(), nil
		return current, nil
	}
}

// authenticated serves those alone who may call.
type authenticated struct {
	webhook.Server
	callers *callers
}

// Register serves a webhook. A connection that was made before the authority
// was replaced is refused and closed, so that the API server makes another.
func (s *authenticated) Register(path string, hook http.Handler) {
	s.Server.Register(path, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if err := s.callers.check(request.TLS); err != nil {
			w.Header().Set("Connection", "close")
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		hook.ServeHTTP(w, request)
	}))
}

// StartedChecker calls the port until it has answered once. Each further call
// would leave a line in the log, for the prober has no certificate; and when
// the server ends, so does the process.
func (s *authenticated) StartedChecker() healthz.Checker {
	var mu sync.Mutex
	started, check := false, s.Server.StartedChecker()
	return func(request *http.Request) error {
		mu.Lock()
		defer mu.Unlock()
		if started {
			return nil
		}
		err := check(request)
		started = err == nil
		return err
	}
}
