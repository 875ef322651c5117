// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// The levels of -v.
const (
	// VerboseAsked: which cluster, and what was asked of it in words.
	VerboseAsked = 1
	// VerboseRequests: every request with its address and the answer's code.
	VerboseRequests = 6
)

// Verbosef tells a detail on stderr, where -v asks for that level. Arguments
// have been made safe for a terminal by the caller, and are no secrets.
func (s *Session) Verbosef(level int, format string, args ...any) {
	if s.Verbosity >= level {
		fmt.Fprintf(s.ErrOut, "# "+format+"\n", args...)
	}
}

// silence keeps the libraries from writing to stderr on their own: what a user
// has to know is told by the commands, with -v in detail.
var silence = sync.OnceFunc(func() {
	klog.SetLogger(logr.Discard())
	log.SetLogger(logr.Discard())
})

// observe tells of requests, as -v asks for it.
func (s *Session) observe(next http.RoundTripper) http.RoundTripper {
	if s.Verbosity < VerboseAsked {
		return next
	}
	return &observer{session: s, next: next}
}

// observer tells of every request that passes through it. It looks at no
// header and no body, so that it knows no secret.
type observer struct {
	session *Session
	next    http.RoundTripper
	mu      sync.Mutex
}

// RoundTrip implements http.RoundTripper. The time is until the answer begins.
func (o *observer) RoundTrip(req *http.Request) (*http.Response, error) {
	start := time.Now()
	resp, err := o.next.RoundTrip(req)
	took := time.Since(start).Round(time.Millisecond)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.session.Verbosity < VerboseRequests {
		o.session.Verbosef(VerboseAsked, "%s: %s", inWords(req), took)
		return resp, err
	}
	answer := "no answer"
	if err == nil {
		answer = terminal.Safe(resp.Status)
	} else {
		answer += " (" + terminal.Safe(err.Error()) + ")"
	}
	o.session.Verbosef(VerboseRequests, "%s %s: %s, %s", req.Method, terminal.Safe(req.URL.Redacted()), answer, took)
	return resp, err
}

var requestReader = &request.RequestInfoFactory{
	APIPrefixes: sets.NewString("api", "apis"), GrouplessAPIPrefixes: sets.NewString("api"),
}

// inWords says what a request asks for, such as "list agentactions in
// namespace default".
func inWords(req *http.Request) string {
	info, err := requestReader.NewRequestInfo(req)
	if err != nil || !info.IsResourceRequest {
		return terminal.Safe(req.Method + " " + req.URL.Path)
	}
	resource := info.Resource
	if info.Subresource != "" {
		resource += "/" + info.Subresource
	}
	words := []string{info.Verb, resource}
	if info.Name != "" {
		words = append(words, info.Name)
	}
	if info.Namespace != "" {
		words = append(words, "in namespace", info.Namespace)
	}
	if req.URL.Query().Get("continue") != "" {
		words = append(words, "(next page)")
	}
	return terminal.Safe(strings.Join(words, " "))
}
