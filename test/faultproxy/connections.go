// SPDX-License-Identifier: Apache-2.0

package faultproxy

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// Connections counts those of clients: open now, open at most at a time, and
// opened in all since the start or the last Reset.
type Connections struct {
	Open  int `json:"open"`
	Peak  int `json:"peak"`
	Total int `json:"total"`
}

type connections struct {
	mu    sync.Mutex
	open  map[net.Conn]struct{}
	peak  int
	total int
}

// changed is the server's ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		if c.open == nil {
			c.open = map[net.Conn]struct{}{}
		}
		c.open[conn] = struct{}{}
		c.total++
		c.peak = max(c.peak, len(c.open))
	case http.StateClosed, http.StateHijacked:
		delete(c.open, conn)
	case http.StateActive, http.StateIdle:
	}
}

func (c *connections) count() Connections {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Connections{Open: len(c.open), Peak: c.peak, Total: c.total}
}

func (c *connections) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.peak, c.total = len(c.open), 0
}

// cut ends all of them, as a cable that is pulled.
func (c *connections) cut() {
	c.mu.Lock()
	open := make([]net.Conn, 0, len(c.open))
	for conn := range c.open {
		open = append(open, conn)
	}
	c.mu.Unlock() // closing calls changed
	for _, conn := range open {
		abort(conn)
	}
}

type connectionKey struct{}

func withConnection(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, conn)
}

func cutConnection(ctx context.Context) {
	if conn, ok := ctx.Value(connectionKey{}).(net.Conn); ok {
		abort(conn)
	}
}

// abort closes a connection below TLS, without any goodbye.
func abort(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if plain, ok := conn.(*net.TCPConn); ok {
		_ = plain.SetLinger(0) // a reset, where it can be had
	}
	_ = conn.Close() // it may be gone already
}
