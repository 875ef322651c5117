// SPDX-License-Identifier: Apache-2.0

package faultproxy

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Kind is what goes wrong with a request.
type Kind string

// What can go wrong. The zero value is nothing: the request is forwarded and
// answered.
const (
	// None forwards and answers; Delay, DelayAnswer and Skew may still apply.
	None Kind = ""
	// CutBefore ends the connection without forwarding the request.
	CutBefore Kind = "cutBefore"
	// CutAfter forwards, waits for the whole answer, and ends the connection
	// without passing any of it on: what was asked is done, and nobody learns it.
	CutAfter Kind = "cutAfter"
	// CutMiddle ends the connection in the middle of the answer's body; that of a
	// watch in the middle of the event that follows After events.
	CutMiddle Kind = "cutMiddle"
	// Status answers with Code, Body and Header without forwarding. Without a
	// Body, it is a Status object as the API server makes it.
	Status Kind = "status"
	// Unauthorized answers 401 without forwarding, as for a revoked token.
	Unauthorized Kind = "unauthorized"
	// Twice forwards the request twice, one after the other, and answers with the
	// second answer, as a network that repeats does.
	Twice Kind = "twice"
	// DropWatch ends a watch in order after After events. Other requests pass.
	DropWatch Kind = "dropWatch"
	// Gone ends a watch after After events with the event that its resource
	// version is too old (410). Other requests pass.
	Gone Kind = "gone"
	// Stall lets After events of a watch through, and then nothing more; the
	// connection stays. Other requests pass.
	Stall Kind = "stall"
	// Stale answers a GET with the body of the answer that the same path got the
	// time before, as a cache does that lags behind. The first time it passes.
	Stale Kind = "stale"
)

// kinds are all of them.
var kinds = []Kind{None, CutBefore, CutAfter, CutMiddle, Status, Unauthorized, Twice, DropWatch, Gone, Stall, Stale}

// Fault is what becomes of one request. The zero value leaves it alone.
type Fault struct {
	Kind Kind
	// Delay is waited before the request is forwarded or answered, DelayAnswer
	// before the answer of the API server is passed on. Both end when the client
	// gives up, so that an hour means: for ever.
	Delay, DelayAnswer time.Duration
	// Skew is added to the Date of the answer: to the clock of the server, as the
	// client sees it.
	Skew time.Duration
	// After is how many events of a watch come first, with DropWatch, Gone, Stall
	// and CutMiddle.
	After int
	// Code, Body and Header are the answer of Status. Body may be empty.
	Code   int
	Body   string
	Header map[string]string
	// Connection makes a cut end the whole connection, with every request that
	// shares it by HTTP/2. Otherwise a cut resets the one request there; by
	// HTTP/1.1 both are the same.
	Connection bool
}

// check says what of the fault cannot be.
func (f Fault) check() error {
	switch {
	case !slices.Contains(kinds, f.Kind):
		return fmt.Errorf("there is no fault %q: one of %q", f.Kind, kinds[1:])
	case f.Kind == Status && (f.Code < 400 || f.Code > 599) && f.Body == "":
		return fmt.Errorf("code %d: give a status from 400 to 599, or a body", f.Code)
	case f.Kind == Status && (f.Code < 200 || f.Code > 599):
		return fmt.Errorf("code %d: give a status from 200 to 599", f.Code)
	case f.Delay < 0 || f.DelayAnswer < 0 || f.After < 0:
		return fmt.Errorf("delays and after cannot be below 0")
	}
	return nil
}

// Request is what is known of a request, in the API server's words.
type Request struct {
	// N counts the requests since the start or the last Reset, from 1.
	N int `json:"n"`
	// Method and Path are HTTP's; Query is what follows the question mark.
	Method string `json:"method"`
	Path   string `json:"path"`
	Query  string `json:"query,omitempty"`
	// Verb is create, get, list, watch, patch, update, delete, ...; in lower case
	// the method where the path is none of a resource.
	Verb        string `json:"verb"`
	Group       string `json:"group,omitempty"`
	Resource    string `json:"resource,omitempty"`
	Subresource string `json:"subresource,omitempty"`
	Namespace   string `json:"namespace,omitempty"`
	Name        string `json:"name,omitempty"`
	// Protocol is HTTP/1.1 or HTTP/2.0, between the client and the proxy.
	Protocol string `json:"protocol"`
	// Body is what was sent, of at most 64 KiB.
	Body string `json:"body,omitempty"`
}

// Rule picks requests and says what goes wrong with them. What is left empty
// matches everything.
type Rule struct {
	Method, Verb, Resource, Subresource, Namespace, Name string
	// Path is a part of the path.
	Path string
	// N picks the nth request of those that match, from 1; From picks the nth and
	// all later ones. Neither: all. Counted since the rules were given.
	N, From int
	Fault   Fault
}

func (r Rule) matches(request Request) bool {
	for _, pair := range [][2]string{
		{r.Method, request.Method}, {r.Verb, request.Verb}, {r.Resource, request.Resource},
		{r.Subresource, request.Subresource}, {r.Namespace, request.Namespace}, {r.Name, request.Name},
	} {
		if pair[0] != "" && pair[0] != pair[1] {
			return false
		}
	}
	return containsPath(request.Path, r.Path)
}

func (r Rule) check() error {
	if r.N < 0 || r.From < 0 || (r.N > 0 && r.From > 0) {
		return fmt.Errorf("n %d, from %d: give one of them, from 1, or neither", r.N, r.From)
	}
	return r.Fault.check()
}

// planOf makes a plan of rules: the first that picks a request decides. Every
// rule counts what it matches, whether or not it is the one that decides.
func planOf(rules []Rule) func(Request) Fault {
	seen := make([]int, len(rules))
	return func(request Request) Fault {
		chosen, found := Fault{}, false
		for i, rule := range rules {
			if !rule.matches(request) {
				continue
			}
			seen[i]++
			if picked := (rule.N == 0 && rule.From == 0) || seen[i] == rule.N || (rule.From > 0 && seen[i] >= rule.From); picked && !found {
				chosen, found = rule.Fault, true
			}
		}
		return chosen
	}
}

// reasons are those of Status objects, by code.
var reasons = map[int]string{
	http.StatusBadRequest: "BadRequest", http.StatusUnauthorized: "Unauthorized", http.StatusForbidden: "Forbidden",
	http.StatusNotFound: "NotFound", http.StatusConflict: "Conflict", http.StatusGone: "Expired",
	http.StatusUnprocessableEntity: "Invalid", http.StatusTooManyRequests: "TooManyRequests",
	http.StatusInternalServerError: "InternalError", http.StatusServiceUnavailable: "ServiceUnavailable",
	http.StatusGatewayTimeout: "Timeout",
}
