// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/ow-kai/ascend-operator/client"
)

// token is one as of a ServiceAccount, which expired long ago.
var token = "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":1700000000}`)) + ".c2lnbmF0dXJl"

// against returns a client of a server that answers everything in the same way.
func against(t *testing.T, code int, header map[string]string, body string) *client.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return newClient(t, client.Options{Config: &rest.Config{Host: server.URL, BearerToken: token}, Namespace: "shop", Agent: "stock-agent",
		MaxRetries: -1, Timeout: time.Minute})
}

func failure(code int, reason, message string) string {
	return fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","code":%d,"reason":%q,"message":%q}`, code, reason, message)
}

// Every error is of a type, says what to do, and holds no secret.
func TestErrors(t *testing.T) {
	for name, test := range map[string]struct {
		code   int
		header map[string]string
		body   string
		is     func(error) bool
		says   []string
	}{
		"no CRDs": {404, nil, "404 page not found\n", is[*client.NotInstalledError], []string{"kubectl apply --server-side -k config/default"}},
		"expired": {401, nil, failure(401, "Unauthorized", "Unauthorized"), is[*client.AuthenticationError],
			[]string{"expired at 2023-11-14T22:13:20Z", "ascend agents token stock-agent -n shop"}},
		"no permission": {403, nil, failure(403, "Forbidden", `agentactions.governance.ascendowkai.com is forbidden: User "system:serviceaccount:shop:bot" cannot get resource "agentactions" in API group`),
			is[*client.AuthorizationError], []string{"get agentactions act-1 in namespace shop", "kubectl create rolebinding stock-agent -n shop --clusterrole=ascend-agent-submitter --serviceaccount=shop:bot"}},
		"no permission, as a person": {403, nil, failure(403, "Forbidden", `secrets "act-1" is forbidden: User "bob" cannot patch resource "secrets" in API group ""`),
			is[*client.AuthorizationError], []string{"kubectl create secret generic act-1 -n shop\n", `--verb=get,patch --resource=secrets --resource-name=act-1`, `--user="bob"`}},
		"no credentials": {403, nil, failure(403, "Forbidden", `agentactions.governance.ascendowkai.com is forbidden: User "system:anonymous" cannot get resource "agentactions" in API group`),
			is[*client.AuthenticationError], []string{"had no credentials", "kubectl auth whoami"}},
		"no action":  {404, nil, failure(404, "NotFound", `agentactions.governance.ascendowkai.com "act-1" not found`), is[*client.NotFoundError], []string{`"act-1" not found`}},
		"too many":   {429, map[string]string{"Retry-After": "7"}, failure(429, "TooManyRequests", "slow down"), is[*client.RateLimitError], []string{"Try again in 7s"}},
		"broken":     {500, nil, failure(500, "InternalError", "etcd is away"), is[*client.ServerError], []string{"etcd is away"}},
		"redirected": {302, map[string]string{"Location": "http://elsewhere.example.com"}, "", is[*client.ServerError], []string{"the address that of the API server"}},
		"operator away": {500, nil, failure(500, "InternalError", `Internal error occurred: failed calling webhook "x": connection refused`),
			is[*client.OperatorAbsentError], []string{"kubectl get pods -n ascend-system"}},
		"a page":   {200, nil, "<html>", is[*client.ConnectionError], []string{"not that of an API server"}},
		"a policy": {422, nil, failure(422, "Invalid", "ValidatingAdmissionPolicy 'x' with binding 'x' denied request: no such thing"), is[*client.ValidationError], []string{": no such thing"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := against(t, test.code, test.header, test.body).Status(t.Context(), "act-1")
			if !test.is(err) {
				t.Fatalf("%T: %v", err, err)
			}
			for _, part := range test.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("does not say %q: %v", part, err)
				}
			}
			if strings.Contains(err.Error(), token) {
				t.Errorf("the error holds the token: %v", err)
			}
		})
	}
}

func TestNoAnswer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c := newClient(t, client.Options{Config: &rest.Config{Host: server.URL, BearerToken: token}, MaxRetries: 1})
	_, err := c.Status(t.Context(), "act-1")
	var unreachable *client.ConnectionError
	if !errors.As(err, &unreachable) || !strings.Contains(err.Error(), "connection refused") || !strings.Contains(err.Error(), "Is it running") {
		t.Errorf("%T: %v", err, err)
	}
	if text := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(text, token) {
		t.Errorf("prints its token: %s", text)
	}
}

// A write without an answer may be the operator's doing, and a certificate is a matter of its authority.
func TestNoAnswerSaysWhereToLook(t *testing.T) {
	hangs := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer hangs.Close()
	hangs.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that the client ends
	action := client.Action{Type: "database_read"}
	for name, test := range map[string]struct {
		config            rest.Config
		timeout, deadline time.Duration
		says              string
	}{
		"the request's time is over": {config: rest.Config{TLSClientConfig: rest.TLSClientConfig{Insecure: true}}, timeout: 200 * time.Millisecond, deadline: time.Minute, says: "kubectl get pods -n ascend-system"},
		"the caller's time is over":  {config: rest.Config{TLSClientConfig: rest.TLSClientConfig{Insecure: true}}, timeout: time.Minute, deadline: 50 * time.Millisecond, says: "kubectl get pods -n ascend-system"},
		"an unknown authority":       {timeout: time.Minute, deadline: time.Minute, says: "ASCEND_CA_FILE"},
	} {
		t.Run(name, func(t *testing.T) {
			test.config.Host, test.config.BearerToken = hangs.URL, token
			c := newClient(t, client.Options{Config: &test.config, Agent: "bot", Timeout: test.timeout, MaxRetries: 1})
			ctx, stop := context.WithTimeout(t.Context(), test.deadline)
			defer stop()
			_, err := c.Submit(ctx, action)
			if !is[*client.ConnectionError](err) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%T: %v", err, err)
			}
		})
	}
}

// An address without a scheme is https, whatever kind the key is of.
func TestKeyIsNotSentInTheClear(t *testing.T) {
	var asked atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Store(true) }))
	defer server.Close()
	c := newClient(t, client.Options{Config: &rest.Config{Host: server.Listener.Addr().String(), Username: "bob", Password: token}, MaxRetries: -1})
	if _, err := c.Status(t.Context(), "act-1"); !is[*client.ConnectionError](err) || asked.Load() {
		t.Errorf("the key went out: %v", err)
	}
}

// Where the connection comes from, and where a key never goes.
func TestNew(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	for name, test := range map[string]struct {
		environment map[string]string
		options     client.Options
		want        string // of String; empty: it fails
		is          func(error) bool
		says        string
	}{
		"environment": {environment: map[string]string{"ASCEND_API_URL": "https://a.example.com:6443", "ASCEND_API_KEY": token, "ASCEND_NAMESPACE": "shop", "ASCEND_AGENT_ID": "bot"},
			want: "agent bot in namespace shop at a.example.com:6443"},
		"options first": {environment: map[string]string{"ASCEND_API_URL": "https://a.example.com", "ASCEND_API_KEY": token, "ASCEND_NAMESPACE": "shop", "ASCEND_AGENT_ID": "bot"},
			options: client.Options{Config: &rest.Config{Host: "https://b.example.com"}, Namespace: "n", Agent: "a"}, want: "agent a in namespace n at b.example.com"},
		"this machine":  {environment: map[string]string{"ASCEND_API_URL": "http://127.0.0.1:8080", "ASCEND_API_KEY": token}, want: "agent  in namespace default at 127.0.0.1:8080"},
		"no key":        {environment: map[string]string{"ASCEND_API_URL": "https://a.example.com"}, is: is[*client.AuthenticationError], says: "ascend agents token"},
		"no address":    {environment: map[string]string{"ASCEND_API_KEY": token}, is: is[*client.ConnectionError], says: "ASCEND_API_URL"},
		"a placeholder": {environment: map[string]string{"ASCEND_API_URL": "https://a.example.com", "ASCEND_API_KEY": "owkai_your_key_here"}, is: is[*client.AuthenticationError], says: "placeholder"},
		"a broken key":  {environment: map[string]string{"ASCEND_API_URL": "https://a.example.com", "ASCEND_API_KEY": token + "\n"}, is: is[*client.AuthenticationError], says: "white space"},
		"in the clear":  {environment: map[string]string{"ASCEND_API_URL": "http://a.example.com", "ASCEND_API_KEY": token}, is: is[*client.ConnectionError], says: "unencrypted"},
		"no authority":  {environment: map[string]string{"ASCEND_API_URL": "https://a.example.com", "ASCEND_API_KEY": token, "ASCEND_CA_FILE": none}, is: is[*client.ConnectionError], says: "ASCEND_CA_FILE"},
		"nothing":       {environment: map[string]string{"KUBECONFIG": none}, is: is[*client.ConnectionError], says: "KUBECONFIG"},
		"no time":       {options: client.Options{Timeout: -1}, is: is[*client.ValidationError], says: "Options.Timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, name := range []string{"ASCEND_API_URL", "ASCEND_API_KEY", "ASCEND_CA_FILE", "ASCEND_NAMESPACE", "ASCEND_AGENT_ID", "KUBERNETES_SERVICE_HOST", "KUBECONFIG"} {
				t.Setenv(name, test.environment[name])
			}
			c, err := client.New(test.options)
			if test.want != "" {
				if err != nil || c.String() != test.want {
					t.Errorf("%v, %v, want %s", c, err, test.want)
				}
				return
			}
			if err == nil || !test.is(err) || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), token) {
				t.Errorf("%T: %v", err, err)
			}
		})
	}
}

// The address may have a path, as behind a gateway, and end with a slash.
func TestAddressWithAPath(t *testing.T) {
	for path, want := range map[string]string{"": "/apis/", "/": "/apis/", "/k8s/c1": "/k8s/c1/apis/", "/k8s/c1/": "/k8s/c1/apis/"} {
		var asked atomic.Value
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked.Store(r.URL.Path) }))
		_, _ = newClient(t, client.Options{Config: &rest.Config{Host: server.URL + path, BearerToken: token}, MaxRetries: -1}).Status(t.Context(), "act-1")
		if got, _ := asked.Load().(string); !strings.HasPrefix(got, want) {
			t.Errorf("%q: asked for %q", path, got)
		}
		server.Close()
	}
}
