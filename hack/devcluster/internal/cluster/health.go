// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// client speaks HTTPS to a component with one of the cluster's certificates.
type client struct {
	http *http.Client
	base string
}

// newClient makes a client for base that trusts pki/<ca>.crt and shows
// pki/<user>.crt.
func (d Dir) newClient(base, ca, user string) (*client, error) {
	roots := x509.NewCertPool()
	text, err := os.ReadFile(d.pki(ca + ".crt"))
	if err != nil {
		return nil, err
	}
	roots.AppendCertsFromPEM(text)
	pair, err := tls.LoadX509KeyPair(d.pki(user+".crt"), d.pki(user+".key"))
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{ // no Proxy: loopback only
		TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
	}
	return &client{http: &http.Client{Transport: transport, Timeout: 5 * time.Second}, base: base}, nil
}

// get returns the body of path. Any status but 200 is an error.
func (c *client) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s: %w", path, response.Status, errNotYet)
	}
	return body, nil
}

// answers makes a check that every path answers 200.
func (c *client) answers(paths ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, path := range paths {
			if _, err := c.get(ctx, path); err != nil {
				return err
			}
		}
		return nil
	}
}

// apiserverReady: readyz holds the hook that writes the RBAC roles, but the
// namespaces come a moment later.
func (c *client) apiserverReady() func(context.Context) error {
	return c.answers("/readyz", "/api/v1/namespaces/default")
}

// controllersReady: a healthy controller manager may still be starting its
// controllers, so what two of them make in the default namespace must be there.
func controllersReady(manager, apiserver *client) func(context.Context) error {
	healthy := manager.answers("/healthz")
	made := apiserver.answers(
		"/api/v1/namespaces/default/serviceaccounts/default",
		"/api/v1/namespaces/default/configmaps/kube-root-ca.crt")
	return func(ctx context.Context) error {
		if err := healthy(ctx); err != nil {
			return err
		}
		return made(ctx)
	}
}

// serverVersion asks the API server for its version, e.g. "v1.36.3".
func (c *client) serverVersion(ctx context.Context) (string, error) {
	body, err := c.get(ctx, "/version")
	if err != nil {
		return "", err
	}
	var version struct {
		GitVersion string `json:"gitVersion"`
	}
	if err := json.Unmarshal(body, &version); err != nil {
		return "", fmt.Errorf("read the API server's version: %w", err)
	}
	return strings.TrimSpace(version.GitVersion), nil
}
