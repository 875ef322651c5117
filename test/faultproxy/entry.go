// SPDX-License-Identifier: Apache-2.0

package faultproxy

import (
	"net/http"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/endpoints/request"
)

// Entry is one request in the log, and what became of it so far.
type Entry struct {
	Request
	// Fault is what went wrong with it.
	Fault Kind `json:"fault,omitempty"`
	// Forwarded says how often the API server got it.
	Forwarded int `json:"forwarded"`
	// Code is the API server's answer, the last one; 0 without.
	Code int `json:"code,omitempty"`
	// Done says that the request is over: a watch under way is not.
	Done bool `json:"done"`
}

// bodyKept is how much of a request's body the log keeps, in bytes.
const bodyKept = 64 << 10

var resolver = &request.RequestInfoFactory{APIPrefixes: sets.NewString("api", "apis"), GrouplessAPIPrefixes: sets.NewString("api")}

// describe says a request in the API server's words.
func describe(r *http.Request, body []byte) Request {
	said := Request{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Verb: strings.ToLower(r.Method), Protocol: r.Proto,
		Body: string(body[:min(len(body), bodyKept)]),
	}
	info, err := resolver.NewRequestInfo(r)
	if err != nil || !info.IsResourceRequest {
		return said
	}
	said.Verb, said.Group, said.Resource, said.Subresource = info.Verb, info.APIGroup, info.Resource, info.Subresource
	said.Namespace, said.Name = info.Namespace, info.Name
	return said
}

// containsPath says whether part is in the path, escaped or not.
func containsPath(path, part string) bool {
	if strings.Contains(path, part) {
		return true
	}
	plain, err := url.PathUnescape(part)
	return err == nil && strings.Contains(path, plain)
}

// begin counts a request in and asks the plan about it.
func (p *Proxy) begin(said Request) (*Entry, Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	said.N = len(p.log) + 1
	var fault Fault
	if p.plan != nil {
		fault = p.plan(said)
	}
	entry := &Entry{Request: said, Fault: fault.Kind}
	p.log = append(p.log, entry)
	return entry, fault
}

// note changes an entry.
func (p *Proxy) note(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}
