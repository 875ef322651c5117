// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"net/http"
	"strings"
	"sync/atomic"
)

// gate holds what an operator asks about rules until it is opened.
type gate struct {
	next    http.RoundTripper
	open    chan struct{}
	waiting atomic.Bool
}

func (g *gate) wrap(next http.RoundTripper) http.RoundTripper {
	g.next = next
	return g
}

// held says whether anything waits at the gate.
func (g *gate) held() bool { return g.waiting.Load() }

func (g *gate) RoundTrip(request *http.Request) (*http.Response, error) {
	if strings.HasSuffix(request.URL.Path, "/smartrules") {
		g.waiting.Store(true)
		select {
		case <-g.open:
		case <-request.Context().Done():
			return nil, request.Context().Err()
		}
	}
	return g.next.RoundTrip(request)
}
