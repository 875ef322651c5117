// SPDX-License-Identifier: Apache-2.0

package faultproxy_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"

	"github.com/ow-kai/ascend-operator/test/faultproxy"
)

func TestMain(m *testing.M) {
	SetDefaultEventuallyTimeout(time.Minute)
	os.Exit(m.Run())
}

// api is a server that answers every request with its method and its count, and
// a watch with events until its client goes.
type api struct {
	*httptest.Server
	got atomic.Int64
	// authorization is the last one it got.
	authorization atomic.Value
	events        chan string
}

func startAPI(t *testing.T) *api {
	t.Helper()
	a := &api{events: make(chan string, 16)}
	a.Server = httptest.NewUnstartedServer(http.HandlerFunc(a.serve))
	a.EnableHTTP2 = true
	a.StartTLS()
	t.Cleanup(a.Close)
	return a
}

func (a *api) serve(w http.ResponseWriter, r *http.Request) {
	n := a.got.Add(1)
	a.authorization.Store(r.Header.Get("Authorization"))
	if r.URL.Query().Get("watch") == "" {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, `{"method":%q,"n":%d,"sent":%q,"err":"%v"}`, r.Method, n, body, err)
		return
	}
	_ = http.NewResponseController(w).Flush()
	for {
		select {
		case event := <-a.events:
			fmt.Fprintln(w, event)
			_ = http.NewResponseController(w).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func (a *api) config() *rest.Config {
	ca := &bytes.Buffer{}
	writeCertificate(ca, a.Certificate())
	return &rest.Config{Host: a.URL, BearerToken: "never-sent", TLSClientConfig: rest.TLSClientConfig{CAData: ca.Bytes()}}
}

// client trusts the proxy and speaks one protocol.
func client(t *testing.T, p *faultproxy.Proxy, http2 bool) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(p.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate in", p.CAFile)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: http2}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

const (
	actions = "/apis/governance.ascendowkai.com/v1alpha1/namespaces/default/agentactions"
	watch   = actions + "?watch=true&resourceVersion=1"
)

// said is what came of a request.
type said struct {
	code int
	body string
	err  error
	head http.Header
}

func send(c *http.Client, method, url, body string) said {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return said{err: err}
	}
	request.Header.Set("Authorization", "Bearer of-the-client")
	response, err := c.Do(request)
	if err != nil {
		return said{err: err}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return said{response.StatusCode, string(text), err, response.Header}
}

func protocols(t *testing.T, check func(t *testing.T, http2 bool)) {
	t.Helper()
	for _, http2 := range []bool{false, true} {
		t.Run(map[bool]string{false: "HTTP1", true: "HTTP2"}[http2], func(t *testing.T) { check(t, http2) })
	}
}

func TestForwards(t *testing.T) {
	protocols(t, func(t *testing.T, http2 bool) {
		g := NewWithT(t)
		a := startAPI(t)
		p := faultproxy.Start(t, a.config())
		got := send(client(t, p, http2), http.MethodPost, p.URL+actions+"?fieldManager=x", "asked")
		g.Expect(got.err).NotTo(HaveOccurred())
		g.Expect(got.body).To(MatchJSON(`{"method":"POST","n":1,"sent":"asked","err":"<nil>"}`))
		g.Expect(a.authorization.Load()).To(Equal("Bearer of-the-client"), "the client's, not the configuration's")
		g.Eventually(func() bool { return p.Log()[0].Done }).Should(BeTrue())
		g.Expect(p.Log()).To(ConsistOf(faultproxy.Entry{
			Request: faultproxy.Request{
				N: 1, Method: "POST", Path: actions, Query: "fieldManager=x", Verb: "create", Group: "governance.ascendowkai.com",
				Resource: "agentactions", Namespace: "default", Body: "asked", Protocol: map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[http2],
			},
			Forwarded: 1, Code: 200, Done: true,
		}))
	})
}

// Each fault that a request without a watch can have: whether it fails, and how
// often the API server got it.
func TestFaults(t *testing.T) {
	for name, test := range map[string]struct {
		fault     faultproxy.Fault
		forwarded int64
		fails     bool
		code      int
		body      string
	}{
		"cut before":                {faultproxy.Fault{Kind: faultproxy.CutBefore}, 0, true, 0, ""},
		"cut before, connection":    {faultproxy.Fault{Kind: faultproxy.CutBefore, Connection: true}, 0, true, 0, ""},
		"cut after":                 {faultproxy.Fault{Kind: faultproxy.CutAfter}, 1, true, 0, ""},
		"cut after, connection":     {faultproxy.Fault{Kind: faultproxy.CutAfter, Connection: true}, 1, true, 0, ""},
		"cut in the body":           {faultproxy.Fault{Kind: faultproxy.CutMiddle}, 1, true, 200, `{"method":"POST"`},
		"cut in the body, all":      {faultproxy.Fault{Kind: faultproxy.CutMiddle, Connection: true}, 1, true, 0, ""},
		"twice":                     {faultproxy.Fault{Kind: faultproxy.Twice}, 2, false, 200, `"n":2,"sent":"asked"`},
		"unauthorized":              {faultproxy.Fault{Kind: faultproxy.Unauthorized}, 0, false, 401, `"reason":"Unauthorized"`},
		"busy":                      {faultproxy.Fault{Kind: faultproxy.Status, Code: 429, Header: map[string]string{"Retry-After": "7"}}, 0, false, 429, `"retryAfterSeconds":7`},
		"a body of ours":            {faultproxy.Fault{Kind: faultproxy.Status, Code: 502, Body: "<html>"}, 0, false, 502, "<html>"},
		"what only watches have":    {faultproxy.Fault{Kind: faultproxy.DropWatch}, 1, false, 200, `"n":1`},
		"stale, for the first time": {faultproxy.Fault{Kind: faultproxy.Stale}, 1, false, 200, `"n":1`},
	} {
		t.Run(name, func(t *testing.T) {
			protocols(t, func(t *testing.T, http2 bool) {
				g := NewWithT(t)
				a := startAPI(t)
				p := faultproxy.Start(t, a.config())
				p.Plan(func(r faultproxy.Request) faultproxy.Fault {
					if r.N == 1 {
						return test.fault
					}
					return faultproxy.Fault{}
				})
				c := client(t, p, http2)
				got := send(c, http.MethodPost, p.URL+actions, "asked")
				g.Expect(got.err != nil).To(Equal(test.fails), "%v", got.err)
				if test.code != 0 {
					g.Expect(got.code).To(Equal(test.code))
				}
				g.Expect(got.body).To(ContainSubstring(test.body))
				g.Expect(a.got.Load()).To(Equal(test.forwarded))
				g.Expect(p.Log()[0].Forwarded).To(BeEquivalentTo(test.forwarded))
				g.Expect(p.Log()[0].Fault).To(Equal(test.fault.Kind))
				if code := test.fault.Header["Retry-After"]; code != "" {
					g.Expect(got.head.Get("Retry-After")).To(Equal(code))
				}
				g.Expect(send(c, http.MethodPost, p.URL+actions, "asked").err).NotTo(HaveOccurred(), "the next one passes")
			})
		})
	}
}

func TestSkewAndStale(t *testing.T) {
	g := NewWithT(t)
	p := faultproxy.Start(t, startAPI(t).config())
	p.Rules(
		faultproxy.Rule{Verb: "get", N: 2, Fault: faultproxy.Fault{Kind: faultproxy.Stale, Skew: -time.Hour}},
		faultproxy.Rule{Fault: faultproxy.Fault{Skew: time.Hour}},
	)
	c := client(t, p, true)
	for i, want := range []struct {
		n    string
		skew time.Duration
	}{{`"n":1`, time.Hour}, {`"n":1`, -time.Hour}, {`"n":3`, time.Hour}} {
		got := send(c, http.MethodGet, p.URL+actions+"/one", "")
		g.Expect(got.body).To(ContainSubstring(want.n), "request %d", i+1)
		at, err := http.ParseTime(got.head.Get("Date"))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(at).To(BeTemporally("~", time.Now().Add(want.skew), 10*time.Second))
	}
}

// A delay that is longer than anybody waits is a server that never answers.
func TestDelay(t *testing.T) {
	for name, test := range map[string]struct {
		fault     faultproxy.Fault
		forwarded int
	}{
		"before": {faultproxy.Fault{Delay: time.Hour}, 0},
		"after":  {faultproxy.Fault{DelayAnswer: time.Hour}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			p := faultproxy.Start(t, startAPI(t).config())
			p.Rules(faultproxy.Rule{Fault: test.fault})
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+actions, http.NoBody)
			g.Expect(err).NotTo(HaveOccurred())
			c, answered := client(t, p, true), make(chan error, 1)
			c.Timeout = 0
			go func() {
				response, err := c.Do(request)
				if err == nil {
					err = response.Body.Close()
				}
				answered <- err
			}()
			g.Eventually(p.Log).Should(HaveExactElements(HaveField("Forwarded", test.forwarded)))
			g.Consistently(answered).WithTimeout(300 * time.Millisecond).ShouldNot(Receive())
			giveUp()
			g.Eventually(answered).Should(Receive(MatchError(context.Canceled)))
			g.Eventually(p.Log).Should(HaveExactElements(And(HaveField("Done", true), HaveField("Forwarded", test.forwarded))))
		})
	}
}

// The faults of watches: what comes through of three events, and how it ends.
func TestWatch(t *testing.T) {
	const one, two, three = `{"type":"ADDED"}`, `{"type":"MODIFIED"}`, `{"type":"DELETED"}`
	for name, test := range map[string]struct {
		fault faultproxy.Fault
		body  string
		fails bool
	}{
		"dropped at once":      {faultproxy.Fault{Kind: faultproxy.DropWatch}, "", false},
		"dropped after two":    {faultproxy.Fault{Kind: faultproxy.DropWatch, After: 2}, one + "\n" + two + "\n", false},
		"cut in the second":    {faultproxy.Fault{Kind: faultproxy.CutMiddle, After: 1}, one + "\n" + two[:(len(two)+1)/2], true},
		"cut before":           {faultproxy.Fault{Kind: faultproxy.CutBefore}, "", true},
		"cut after it began":   {faultproxy.Fault{Kind: faultproxy.CutAfter}, "", true},
		"too old after one":    {faultproxy.Fault{Kind: faultproxy.Gone, After: 1}, one + "\n" + `{"object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Gone","reason":"Expired","code":410},"type":"ERROR"}` + "\n", false},
		"stalls, then no more": {faultproxy.Fault{Kind: faultproxy.Stall, After: 1}, one + "\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			protocols(t, func(t *testing.T, http2 bool) {
				g := NewWithT(t)
				a := startAPI(t)
				p := faultproxy.Start(t, a.config())
				p.Rules(faultproxy.Rule{Verb: "watch", Fault: test.fault})
				c := client(t, p, http2)
				if test.fault.Kind == faultproxy.Stall {
					c.Timeout = 5 * time.Second // of which only the last event has none
				}
				for _, event := range []string{one, two, three} {
					a.events <- event
				}
				got := send(c, http.MethodGet, p.URL+watch, "")
				g.Expect(got.err != nil).To(Equal(test.fails), "%v", got.err)
				g.Expect(got.body).To(Equal(test.body))
			})
		})
	}
}

// Events come as they happen, not when the watch ends.
func TestWatchStreams(t *testing.T) {
	protocols(t, func(t *testing.T, http2 bool) {
		g := NewWithT(t)
		a := startAPI(t)
		p := faultproxy.Start(t, a.config())
		response, err := client(t, p, http2).Get(p.URL + watch)
		g.Expect(err).NotTo(HaveOccurred(), "the head comes before the first event")
		defer response.Body.Close()
		decoder := json.NewDecoder(response.Body)
		for _, kind := range []string{"ADDED", "MODIFIED"} {
			a.events <- fmt.Sprintf(`{"type":%q}`, kind)
			var event struct{ Type string }
			g.Expect(decoder.Decode(&event)).To(Succeed())
			g.Expect(event.Type).To(Equal(kind))
		}
		p.Disconnect()
		_, err = io.ReadAll(response.Body)
		g.Expect(err).To(HaveOccurred())
		g.Eventually(p.Connections).Should(HaveField("Open", 0))
	})
}

func TestConnections(t *testing.T) {
	g := NewWithT(t)
	a := startAPI(t)
	p := faultproxy.Start(t, a.config())
	for range 3 {
		c := client(t, p, false)
		g.Expect(send(c, http.MethodGet, p.URL+actions, "").err).NotTo(HaveOccurred())
	}
	g.Expect(p.Connections()).To(Equal(faultproxy.Connections{Open: 3, Peak: 3, Total: 3}))
	p.Disconnect()
	g.Eventually(p.Connections).Should(Equal(faultproxy.Connections{Open: 0, Peak: 3, Total: 3}))
	p.Reset()
	g.Expect(p.Connections()).To(Equal(faultproxy.Connections{}))
	g.Expect(p.Log()).To(BeEmpty())
}

// One cut with Connection takes along what shares the connection by HTTP/2; one
// without does not.
func TestCutOfAConnection(t *testing.T) {
	for _, whole := range []bool{false, true} {
		t.Run(strconv.FormatBool(whole), func(t *testing.T) {
			g := NewWithT(t)
			a := startAPI(t)
			p := faultproxy.Start(t, a.config())
			c := client(t, p, true)
			watched, err := c.Get(p.URL + watch)
			g.Expect(err).NotTo(HaveOccurred())
			defer watched.Body.Close()
			p.Rules(faultproxy.Rule{Verb: "get", N: 1, Fault: faultproxy.Fault{Kind: faultproxy.CutBefore, Connection: whole}})
			g.Expect(send(c, http.MethodGet, p.URL+actions+"/one", "").err).To(HaveOccurred())
			if !whole {
				a.events <- `{"type":"ADDED"}`
				var event map[string]any
				g.Expect(json.NewDecoder(watched.Body).Decode(&event)).To(Succeed())
				return
			}
			_, err = io.ReadAll(watched.Body)
			g.Expect(err).To(HaveOccurred())
		})
	}
}

// A server that is down is a connection that fails.
func TestServerDown(t *testing.T) {
	g := NewWithT(t)
	a := startAPI(t)
	p := faultproxy.Start(t, a.config())
	a.Close()
	g.Expect(send(client(t, p, true), http.MethodGet, p.URL+actions, "").err).To(HaveOccurred())
}

func TestRules(t *testing.T) {
	g := NewWithT(t)
	a := startAPI(t)
	p := faultproxy.Start(t, a.config())
	c := client(t, p, true)
	busy := faultproxy.Fault{Kind: faultproxy.Status, Code: 503}
	p.Rules(
		faultproxy.Rule{Verb: "create", Resource: "agentactions", Namespace: "default", N: 2, Fault: busy},
		faultproxy.Rule{Verb: "get", Name: "one", From: 2, Fault: busy},
		faultproxy.Rule{Path: "/healthz", Fault: busy},
	)
	var codes []int
	for _, request := range []string{
		"POST " + actions, "POST " + actions, "POST " + actions,
		"GET " + actions + "/one", "GET " + actions + "/two", "GET " + actions + "/one", "GET " + actions + "/one",
		"GET /healthz", "PATCH " + actions + "/one",
	} {
		method, path, _ := strings.Cut(request, " ")
		codes = append(codes, send(c, method, p.URL+path, "").code)
	}
	g.Expect(codes).To(Equal([]int{200, 503, 200, 200, 200, 503, 503, 503, 200}))
}

func TestControl(t *testing.T) {
	g := NewWithT(t)
	a := startAPI(t)
	p := faultproxy.Start(t, a.config())
	c := client(t, p, true)
	post := func(path, body string) said { return send(http.DefaultClient, http.MethodPost, p.Control+path, body) }

	g.Expect(post("/plan", `[{"verb":"create","n":1,"fault":"cutAfter"},{"from":2,"fault":"status","code":429,"header":{"Retry-After":"1"},"delay":"1ms","skew":"-10m"}]`).code).To(Equal(204))
	g.Expect(send(c, http.MethodPost, p.URL+actions, "x").err).To(HaveOccurred())
	g.Expect(send(c, http.MethodPost, p.URL+actions, "x").code).To(Equal(429))

	var entries []faultproxy.Entry
	g.Expect(json.Unmarshal([]byte(send(http.DefaultClient, http.MethodGet, p.Control+"/log", "").body), &entries)).To(Succeed())
	g.Expect(entries).To(HaveLen(2))
	g.Expect(entries[0]).To(And(HaveField("Fault", faultproxy.CutAfter), HaveField("Forwarded", 1), HaveField("Request.Verb", "create")))
	g.Expect(send(http.DefaultClient, http.MethodGet, p.Control+"/connections", "").body).To(ContainSubstring(`"peak":`))

	for body, part := range map[string]string{
		`{}`:                                       "no list of rules",
		`[{"fault":"cutafter"}]`:                   `there is no fault "cutafter"`,
		`[{}, {"verbs":"create"}]`:                 "verbs",
		`[{}, {"n":1,"from":2}]`:                   "rule 2: n 1, from 2",
		`[{"fault":"status"}]`:                     "code 0",
		`[{"fault":"status","code":99999}]`:        "code 99999",
		`[{"delay":"soon"}]`:                       "delay: ",
		`[{"after":-1,"fault":"dropWatch"}]`:       "below 0",
		`[{"fault":"status","code":7,"body":"x"}]`: "code 7",
	} {
		got := post("/plan", body)
		g.Expect(got.code).To(Equal(400), body)
		g.Expect(got.body).To(ContainSubstring(part), body)
	}
	g.Expect(send(c, http.MethodPost, p.URL+actions, "x").code).To(Equal(429), "a wrong plan changes nothing")
	g.Expect(post("/reset", "").code).To(Equal(204))
	g.Expect(send(c, http.MethodPost, p.URL+actions, "x").code).To(Equal(200))
	g.Expect(post("/disconnect", "").code).To(Equal(204))
	g.Eventually(p.Connections).Should(HaveField("Open", 0))
}
