// SPDX-License-Identifier: Apache-2.0

// Package faultproxy stands between an SDK and an API server, and lets happen
// what happens in networks: requests that get lost, answers that get lost,
// watches that end, servers that refuse. What it does with which request is a
// plan, so that a test can say "the third request is done, but its answer is
// lost".
//
// It speaks HTTPS by a certificate of its own (CAFile), HTTP/1.1 and HTTP/2, and
// forwards everything, the Authorization header too, to the API server. It adds
// no credentials: clients come with a token.
//
// Programs in other languages change the plan by HTTP at Control:
//
//	POST /plan         a list of rules, in place of the plan so far:
//	                   [{"verb": "create", "resource": "agentactions", "n": 1, "fault": "cutAfter"},
//	                    {"from": 3, "fault": "status", "code": 503, "header": {"Retry-After": "1"}}]
//	                   to match: method, verb, resource, subresource, namespace, name, path (a part of it);
//	                   which of them: n (the nth, from 1) or from (the nth and later); neither: all;
//	                   what happens: fault (a Kind; "" for none), delay, delayAnswer, skew ("1.5s", "-10m"),
//	                   after (events), code, body, header, connection (true: the whole connection is cut)
//	GET /log           the requests since the start or the last reset, oldest first, see Entry
//	GET /connections   {"open": 1, "peak": 2, "total": 3}, those of clients
//	POST /reset        no plan, an empty log, counts from 1; peak is what is open now, total is 0
//	POST /disconnect   cuts every connection of clients there is, now
//
// A plan that is wrong is answered by 400 and a sentence, and changes nothing.
package faultproxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"k8s.io/client-go/rest"
	certutil "k8s.io/client-go/util/cert"
)

// TB is what Start needs of a *testing.T, a *testing.B or a GinkgoT().
type TB interface {
	Helper()
	TempDir() string
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Proxy is one that runs. Its methods may be called from several goroutines.
type Proxy struct {
	// URL is where clients go: https://127.0.0.1:PORT.
	URL string
	// CAFile has the authority of its certificate, in PEM.
	CAFile string
	// Control is where the plan is changed by HTTP: http://127.0.0.1:PORT.
	Control string

	upstream  *url.URL
	transport http.RoundTripper
	forward   *httputil.ReverseProxy
	server    *httptest.Server
	control   *httptest.Server
	closed    context.Context
	conns     connections

	mu      sync.Mutex
	plan    func(Request) Fault
	log     []*Entry
	answers map[string][]byte // of GETs by path, for Stale
}

// Start starts a proxy before the API server of this configuration and stops it
// with the test. Of the configuration, the address and its TLS are used, and no
// credentials.
func Start(tb TB, upstream *rest.Config) *Proxy {
	tb.Helper()
	p, stop, err := Run(upstream, tb.TempDir())
	if err != nil {
		tb.Fatalf("faultproxy: %v", err)
		return nil
	}
	tb.Cleanup(stop)
	return p
}

// Run is Start for where there is no test. The certificate is written into the
// folder dir; stop ends every connection and returns when all is over.
func Run(upstream *rest.Config, dir string) (p *Proxy, stop func(), err error) {
	config := rest.AnonymousClientConfig(upstream)
	config.DisableCompression = true // bytes pass as they come
	target, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, nil, fmt.Errorf("the address of the API server: %w", err)
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		return nil, nil, fmt.Errorf("the connection to the API server: %w", err)
	}
	made, err := certificate()
	if err != nil {
		return nil, nil, fmt.Errorf("make a certificate: %w", err)
	}
	caFile := filepath.Join(dir, "faultproxy-ca.crt")
	if err := os.WriteFile(caFile, made.pem, 0o600); err != nil {
		return nil, nil, err
	}
	closed, end := context.WithCancel(context.Background())
	p = &Proxy{CAFile: caFile, upstream: target, transport: transport, closed: closed, answers: map[string][]byte{}}
	p.forward = p.reverseProxy()
	p.server = httptest.NewUnstartedServer(http.HandlerFunc(p.serve))
	p.server.TLS = &tls.Config{Certificates: []tls.Certificate{made.pair}, MinVersion: tls.VersionTLS12}
	p.server.EnableHTTP2 = true
	p.server.Config.ErrorLog = log.New(io.Discard, "", 0) // cuts are what it is for
	p.server.Config.ConnState = p.conns.changed
	p.server.Config.ConnContext = withConnection
	p.server.StartTLS()
	p.control = httptest.NewServer(p.controls())
	p.URL, p.Control = p.server.URL, p.control.URL
	return p, func() {
		end()
		p.conns.cut()
		p.server.Close()
		p.control.Close()
	}, nil
}

// authority is a certificate, and in pem all of its chain.
type authority struct {
	pem  []byte
	pair tls.Certificate
}

// certificate is made once a process: its keys take a while.
var certificate = sync.OnceValues(func() (authority, error) {
	chain, key, err := certutil.GenerateSelfSignedCertKey("127.0.0.1", []net.IP{net.IPv4(127, 0, 0, 1)}, []string{"localhost"})
	if err != nil {
		return authority{}, err
	}
	pair, err := tls.X509KeyPair(chain, key)
	return authority{chain, pair}, err
})

// Plan has this function say what becomes of each request, in place of the plan
// so far; nil leaves them alone. It is called for one request at a time, with
// requests counted as they come in, and must not call the proxy.
func (p *Proxy) Plan(plan func(Request) Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan = plan
}

// Rules is Plan by rules: the first that picks a request decides. It panics on a
// rule that cannot be, which is a mistake in the test.
func (p *Proxy) Rules(rules ...Rule) {
	for i, rule := range rules {
		if err := rule.check(); err != nil {
			panic(fmt.Sprintf("faultproxy: rule %d: %v", i+1, err))
		}
	}
	p.Plan(planOf(rules))
}

// Reset forgets the plan and the log, and counts from 1 again. Requests under
// way end as they began.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.log, p.answers = nil, nil, map[string][]byte{}
	p.conns.reset()
}

// Disconnect cuts every connection of clients there is now.
func (p *Proxy) Disconnect() { p.conns.cut() }

// Connections counts those of clients.
func (p *Proxy) Connections() Connections { return p.conns.count() }

// Log returns the requests since the start or the last Reset, oldest first.
func (p *Proxy) Log() []Entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	entries := make([]Entry, len(p.log))
	for i, entry := range p.log {
		entries[i] = *entry
	}
	return entries
}
