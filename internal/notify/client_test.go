// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/notify"
)

// leaks fails for an error that has anything of the URL, of a secret, or of
// what the receiver wrote.
func leaks(t *testing.T, result notify.Result) {
	t.Helper()
	if result.Err == nil {
		return
	}
	for _, word := range []string{"canary", "127.0.0.1", string(secret), "sha256=", "v1,"} {
		if strings.Contains(result.Err.Error(), word) {
			t.Errorf("the error has %q: %v", word, result.Err)
		}
	}
}

// failed fails unless the try failed with that code and those words.
func failed(t *testing.T, result notify.Result, code int, words string) {
	t.Helper()
	if result.Err == nil || result.StatusCode != code || !strings.Contains(result.Err.Error(), words) {
		t.Errorf("got %+v, want %d and %q", result, code, words)
	}
	leaks(t, result)
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	s := sender(t)
	answer := http.StatusOK
	header := http.Header{}
	body := "canary"
	followed := false
	_, to := receive(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/canary-path" {
			followed = true
		}
		maps.Copy(w.Header(), header)
		w.WriteHeader(answer)
		fmt.Fprint(w, body)
	})
	for code := 200; code < 300; code++ {
		if answer = code; s.Send(t.Context(), to, sample()).Err != nil {
			t.Errorf("%d is a failure", code)
		}
	}
	header.Set("Location", "/elsewhere")
	for _, code := range []int{300, 301, 302, 303, 304, 305, 307, 308} {
		answer = code
		failed(t, s.Send(t.Context(), to, sample()), code, "redirects are not followed")
	}
	if followed {
		t.Error("a redirect was followed")
	}
	for _, code := range []int{400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 599, 600, 999} {
		answer = code
		result := s.Send(t.Context(), to, sample())
		failed(t, result, code, fmt.Sprintf("the receiver answered %d", code))
		if result.Gone || result.RetryAfter != 0 {
			t.Errorf("%d: %+v", code, result)
		}
	}
	answer = http.StatusGone
	result := s.Send(t.Context(), to, sample())
	failed(t, result, http.StatusGone, "410 Gone")
	if !result.Gone {
		t.Errorf("got %+v", result)
	}
	answer, body = http.StatusNotFound, "no_service"
	failed(t, s.Send(t.Context(), to, sample()), http.StatusNotFound, "404 Not Found: no_service")
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := noon.UTC().Truncate(time.Second)
	s := notify.NewSender(notify.SenderOptions{AllowedNetworks: here, Clock: clocktesting.NewFakePassiveClock(now)})
	t.Cleanup(s.Close)
	value, code := "", http.StatusTooManyRequests
	_, to := receive(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", value)
		w.WriteHeader(code)
	})
	for _, code = range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		for after, want := range map[string]time.Duration{
			"120": 2 * time.Minute, "7": 7 * time.Second, "0": 0, "-5": 0, "soon": 0, "": 0, "1.5": 0,
			"99999999": 24 * time.Hour, "99999999999999999999999": 24 * time.Hour,
			now.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second,
			now.Add(-time.Hour).Format(http.TimeFormat):       0,
			now.AddDate(1, 0, 0).Format(http.TimeFormat):      24 * time.Hour,
		} {
			value = after
			result := s.Send(t.Context(), to, sample())
			failed(t, result, code, "the receiver answered")
			if result.RetryAfter != want {
				t.Errorf("%d, Retry-After %q: %v, want %v", code, after, result.RetryAfter, want)
			}
		}
	}
	code, value = http.StatusBadGateway, "120"
	if result := s.Send(t.Context(), to, sample()); result.RetryAfter != 0 {
		t.Errorf("502: %+v", result)
	}
}

// certified is a receiver with a certificate of its own making.
func certified(t *testing.T, change func(*x509.Certificate, *tls.Config)) notify.Target {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "canary"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	config := &tls.Config{}
	change(template, config)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	config.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.TLS, server.Config.ErrorLog = config, quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	to := target(server.URL)
	to.Authorities = authorities(server)
	return to
}

func TestTLS(t *testing.T) {
	t.Parallel()
	s := sender(t)
	same := func(*x509.Certificate, *tls.Config) {}
	if result := s.Send(t.Context(), certified(t, same), sample()); result.Err != nil {
		t.Error(result.Err)
	}
	unknown := certified(t, same)
	unknown.Authorities = nil
	other := certified(t, same)
	other.Authorities = certified(t, same).Authorities
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	plain.Config.ErrorLog = quiet
	t.Cleanup(plain.Close)
	for words, to := range map[string]notify.Target{
		"unknown authority; put that authority into spec.caBundle": unknown,
		"signed by an unknown authority":                           other,
		"expired":                                                  certified(t, func(c *x509.Certificate, _ *tls.Config) { c.NotAfter = time.Now().Add(-time.Minute) }),
		"not yet valid":                                            certified(t, func(c *x509.Certificate, _ *tls.Config) { c.NotBefore = time.Now().Add(time.Minute) }),
		"for other names": certified(t, func(c *x509.Certificate, _ *tls.Config) {
			c.IPAddresses = nil
			c.DNSNames = []string{"canary.example.com"}
		}),
		"not valid for a server": certified(t, func(c *x509.Certificate, _ *tls.Config) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}),
		"refused the TLS handshake": certified(t, func(_ *x509.Certificate, c *tls.Config) { c.MaxVersion = tls.VersionTLS11 }),
		"no client certificate": certified(t, func(_ *x509.Certificate, c *tls.Config) {
			c.ClientAuth = tls.RequireAndVerifyClientCert
			c.MaxVersion = tls.VersionTLS12
		}),
		"speaks no TLS": target(strings.Replace(plain.URL, "http:", "https:", 1)),
	} {
		failed(t, s.Send(t.Context(), to, sample()), 0, words)
	}
}

// What a broken receiver does with a connection.
func TestBrokenReceivers(t *testing.T) {
	t.Parallel()
	s := sender(t)
	request := func(c net.Conn) { _, _ = http.ReadRequest(bufio.NewReader(c)) }
	reset := func(c net.Conn) {
		if tcp, is := c.(*net.TCPConn); !is || tcp.SetLinger(0) != nil {
			t.Error("the connection cannot be reset")
		}
	}
	closed, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for words, url := range map[string]string{
		"closed the connection before it answered": listen(t, request),
		"closed the connection":                    listen(t, func(c net.Conn) { request(c); reset(c) }),
		"connection before it":                     listen(t, func(c net.Conn) { request(c); fmt.Fprint(c, "HTTP/1.1 200 O"); reset(c) }),
		"cannot be read as HTTP":                   listen(t, func(c net.Conn) { request(c); fmt.Fprint(c, "canary canary canary\r\n\r\n") }),
		"as HTTP, or the connection": listen(t, func(c net.Conn) {
			request(c)
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nX: %s\r\n\r\n", strings.Repeat("x", 1<<20))
		}),
		"nothing listens on that port": "http://" + closed.Addr().String(),
	} {
		failed(t, s.Send(t.Context(), target(url), sample()), 0, words)
	}
	// Its code says all: what comes after it does not matter.
	for name, answer := range map[string]func(net.Conn){
		"body cut off": func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx"); reset(c) },
		"body too long": func(c net.Conn) {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", 1<<40)
			for block := make([]byte, 1<<16); ; {
				if _, err := c.Write(block); err != nil {
					return
				}
			}
		},
		"body that drips": func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			for _, err := fmt.Fprint(c, "1\r\nx\r\n"); err == nil; _, err = fmt.Fprint(c, "1\r\nx\r\n") {
				time.Sleep(50 * time.Millisecond)
			}
		},
	} {
		began := time.Now()
		url := listen(t, func(c net.Conn) { request(c); answer(c) })
		if result := s.Send(t.Context(), target(url), sample()); result.Err != nil {
			t.Errorf("%s: %v", name, result.Err)
		}
		if took := time.Since(began); took > notify.SendTimeout-5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

// A receiver that answers 101 and then keeps still holds no delivery: its
// connection is no body, and would not heed the end of the try.
func TestSwitchingProtocols(t *testing.T) {
	t.Parallel()
	url := listen(t, func(c net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: canary\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
	})
	s := sender(t)
	ended := make(chan notify.Result, 1)
	go func() { ended <- s.Send(context.Background(), target(url), sample()) }()
	select {
	case result := <-ended:
		failed(t, result, http.StatusSwitchingProtocols, "101")
	case <-time.After(2 * notify.SendTimeout):
		t.Error("the try does not end")
	}
}

// A huge answer is not read.
func TestHugeAnswerIsNotRead(t *testing.T) {
	t.Parallel()
	var written atomic.Int64
	_, to := receive(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		for block := make([]byte, 1<<16); ; {
			n, err := w.Write(block)
			written.Add(int64(n))
			if err != nil || written.Load() > 1<<30 {
				return
			}
		}
	})
	failed(t, sender(t).Send(t.Context(), to, sample()), http.StatusInternalServerError, "500")
	if n := written.Load(); n > 64<<20 {
		t.Errorf("%d bytes were taken", n)
	}
}

// A connection that the receiver closes as it is used again costs no try.
func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	var connections, requests atomic.Int32
	url := listen(t, func(c net.Conn) {
		connections.Add(1)
		reader := bufio.NewReader(c)
		for range 2 {
			if _, err := http.ReadRequest(reader); err != nil {
				return
			}
			requests.Add(1)
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	s := sender(t)
	for range 8 {
		if result := s.Send(t.Context(), target(url), sample()); result.Err != nil {
			t.Error(result.Err)
		}
	}
	if n := connections.Load(); n > 8 || requests.Load() < 8 {
		t.Errorf("%d connections, %d requests", n, requests.Load())
	}
}

// Two subscriptions never share a connection, nor does one with its former self.
func TestConnectionsAreNotShared(t *testing.T) {
	t.Parallel()
	remotes := map[string]bool{}
	server, to := receive(t, func(_ http.ResponseWriter, r *http.Request) { remotes[r.RemoteAddr] = true })
	s := sender(t)
	for i, change := range []func(*notify.Target){
		func(*notify.Target) {}, func(to *notify.Target) { to.Namespace = "other" }, func(to *notify.Target) { to.Generation++ },
		func(to *notify.Target) { to.UID = "2" }, func(to *notify.Target) { to.Name = "more" },
		func(to *notify.Target) { to.Authorities = authorities(server); to.Authorities.AddCert(certificate(t)) },
	} {
		changed := to
		change(&changed)
		for range 3 {
			if result := s.Send(t.Context(), changed, sample()); result.Err != nil {
				t.Fatal(result.Err)
			}
		}
		if len(remotes) != i+1 {
			t.Fatalf("after %d targets: %d connections", i+1, len(remotes))
		}
	}
}

func certificate(t *testing.T) *x509.Certificate {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return server.Certificate()
}

// 300 subscriptions do not keep 300 connections.
func TestIdleConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	var open atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Add(-1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	s := sender(t)
	for i := range 300 {
		to := target(server.URL)
		to.Name = strconv.Itoa(i)
		if result := s.Send(t.Context(), to, sample()); result.Err != nil {
			t.Fatal(result.Err)
		}
	}
	eventually(t, func() bool { return open.Load() <= 128 }, "more than 128 connections are open")
	s.Close()
	eventually(t, func() bool { return open.Load() == 0 }, "connections stay open")
}

// eventually waits for what happens in a moment elsewhere.
func eventually(t *testing.T, holds func() bool, otherwise string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(otherwise)
		}
	}
}

// A proxy of the environment is not used.
func TestNoProxy(t *testing.T) {
	used := false
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { used = true }))
	t.Cleanup(proxy.Close)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	s := notify.NewSender(notify.SenderOptions{AllowedNetworks: here, Resolver: resolver(t, nil)}) // which knows no name
	t.Cleanup(s.Close)
	result := s.Send(t.Context(), target("https://receiver.invalid/"), sample())
	failed(t, result, 0, "DNS")
	if used {
		t.Error("the proxy was used")
	}
}

// Who stops the operator stops the try, which is then no failure of the receiver.
func TestSendIsCancelled(t *testing.T) {
	t.Parallel()
	began := make(chan struct{})
	release := make(chan struct{})
	_, to := receive(t, func(_ http.ResponseWriter, _ *http.Request) { close(began); <-release })
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-began; cancel() }()
	if result := sender(t).Send(ctx, to, sample()); !errors.Is(result.Err, context.Canceled) {
		t.Errorf("got %+v", result)
	}
}

// The URL of a Secret is checked as well, and not repeated.
func TestURLIsCheckedAnew(t *testing.T) {
	t.Parallel()
	s := sender(t)
	for url, words := range map[string]string{
		"canary": "absolute URL", "http://canary.example.com/": "own namespace", "https://u:canary@h.example.com/": "password",
		"https://169.254.169.254/canary": "link-local", "https://kubernetes.default.svc/canary": "API server", "": "absolute URL",
	} {
		failed(t, s.Send(t.Context(), target(url), sample()), 0, words)
	}
	to := target("https://h.example.com")
	to.Format = "canary"
	if result := s.Send(t.Context(), to, sample()); result.Err == nil || !strings.Contains(result.Err.Error(), "spec.format") {
		t.Errorf("got %+v", result)
	}
}

// A target prints as its name.
func TestTargetPrintsNoSecret(t *testing.T) {
	t.Parallel()
	to := target("https://canary.example.com/")
	to.Format, to.Secret = v1alpha1.FormatSlack, []byte("canary")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(verb, to); strings.Contains(text, "canary") || strings.Contains(text, "63 61") {
			t.Errorf("%s: %s", verb, text)
		}
	}
}
